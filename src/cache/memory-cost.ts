/**
 * What a key costs in memory beyond its own bytes and those of its value. Measured, not derived:
 * `test/bench/memory-per-entry.bench.ts` prints what it depends on, above all how full the maps are; these constants are
 * the most that it found. A limit in bytes is kept by this arithmetic, so that it means the same on every machine;
 * docs/limits.md says what it leaves out.
 */

/** Bytes of one entry beside its key and value: the entry, two string headers, its share of the map. */
export const ENTRY_OVERHEAD_BYTES = 150;
/** Bytes that an expiry adds. */
export const EXPIRY_OVERHEAD_BYTES = 40;

/** Accounted bytes of one entry. */
export function entryBytes(key: string, value: string, expires: boolean): number {
  const bytes = key.length + value.length + ENTRY_OVERHEAD_BYTES;
  return expires ? bytes + EXPIRY_OVERHEAD_BYTES : bytes;
}
