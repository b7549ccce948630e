/**
 * Latencies counted in buckets whose width grows with the value: bounded memory however many there are, and each quantile within
 * 1.6 % of the true one (below 64 µs within a microsecond).
 */
const SUB_BUCKETS = 64;
const SUB_BUCKET_BITS = 6;
/** Latencies at or above count as this: 2^27 µs, some 134 s. */
const MICROSECONDS_MAX = 2 ** 27 - 1;

export class Histogram {
  readonly #counts = new Float64Array(bucketOf(MICROSECONDS_MAX) + 1);
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** Notes that `times` operations took `ms` each. */
  record(ms: number, times = 1): void {
    const microseconds = Math.min(Math.max(Math.round(ms * 1_000), 0), MICROSECONDS_MAX);
    const bucket = bucketOf(microseconds);
    this.#counts[bucket] = (this.#counts[bucket] as number) + times;
    this.#total += times;
  }

  /** The latency, in ms, that a share `quantile` of all operations did not exceed; 0 when there were none. */
  quantileMs(quantile: number): number {
    const rank = Math.max(1, Math.ceil(quantile * this.#total));
    let seen = 0;
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      seen += this.#counts[bucket] as number;
      if (seen >= rank) return middleOf(bucket) / 1_000;
    }
    return 0;
  }
}

/** Up to 63 µs one bucket each; above, 64 buckets for every power of two. */
function bucketOf(microseconds: number): number {
  if (microseconds < SUB_BUCKETS) return microseconds;
  const shift = 31 - Math.clz32(microseconds) - SUB_BUCKET_BITS;
  return (shift + 1) * SUB_BUCKETS + ((microseconds >> shift) - SUB_BUCKETS);
}

/** In microseconds. */
function middleOf(bucket: number): number {
  if (bucket < SUB_BUCKETS) return bucket;
  const shift = Math.floor(bucket / SUB_BUCKETS) - 1;
  const low = ((bucket % SUB_BUCKETS) + SUB_BUCKETS) * 2 ** shift;
  return low + (2 ** shift - 1) / 2;
}
