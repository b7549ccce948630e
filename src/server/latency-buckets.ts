/**
 * The latency histogram's arithmetic: cumulative counts per upper bound, without allocation per observation.
 */

/** Upper bounds in milliseconds, inclusive. What is slower is counted by the total alone. */
export const LATENCY_BOUNDS_MS: readonly number[] = Object.freeze([
  0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000,
]);

/** Counts of observations by bucket. */
export class LatencyBuckets {
  /** Not cumulative: one count per bound, then one for what is beyond the last. */
  readonly counts = new Float64Array(LATENCY_BOUNDS_MS.length + 1);
  totalMs = 0;
  total = 0;

  observe(ms: number): void {
    let bucket = 0;
    while (bucket < LATENCY_BOUNDS_MS.length && ms > (LATENCY_BOUNDS_MS[bucket] as number)) bucket++;
    (this.counts[bucket] as number)++;
    this.totalMs += ms;
    this.total++;
  }

  reset(): void {
    this.counts.fill(0);
    this.totalMs = 0;
    this.total = 0;
  }
}
