/**
 * Who must give, and how much, when all together hold too much: only those that hold most, down to a common level.
 * Shards are alike in what they are used for, so whoever has grown most has most that is of little use.
 */

/**
 * The level L with sum(min(usage, L)) = `total`; Infinity when the sum is not above `total` anyway.
 * Equal usages give equal levels, on whichever node it is worked out.
 */
export function waterLevel(usages: readonly number[], total: number): number {
  const ascending = [...usages].sort((left, right) => left - right);
  let left = Math.max(0, total);
  for (const [at, usage] of ascending.entries()) {
    const level = left / (ascending.length - at);
    if (usage > level) return level;
    left -= usage;
  }
  return Number.POSITIVE_INFINITY;
}
