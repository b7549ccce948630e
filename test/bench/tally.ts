/**
 * What one load process counts while it works.
 */
import { Histogram } from "./histogram.ts";
import type { Outcome } from "./job.ts";

/** Counts what happens inside the window, and nothing outside it. */
export class Tally {
  readonly #histogram = new Histogram();
  #operations = 0;
  #busy = 0;
  #missing = 0;
  #open = false;
  #openedAtMs = 0;
  #closedAtMs = 0;

  begin(): void {
    this.#open = true;
    this.#openedAtMs = performance.now();
  }

  end(): void {
    this.#open = false;
    this.#closedAtMs = performance.now();
  }

  /** `count` operations succeeded, `latencyMs` after each was asked for. */
  succeeded(latencyMs: number, count: number): void {
    if (!this.#open) return;
    this.#operations += count;
    this.#histogram.record(latencyMs, count);
  }

  refusedAsBusy(): void {
    if (this.#open) this.#busy++;
  }

  foundNothing(): void {
    if (this.#open) this.#missing++;
  }

  outcome(): Outcome {
    return {
      operations: this.#operations,
      seconds: (this.#closedAtMs - this.#openedAtMs) / 1_000,
      p50Ms: this.#histogram.quantileMs(0.5),
      p99Ms: this.#histogram.quantileMs(0.99),
      tail: { p999Ms: this.#histogram.quantileMs(0.999), maxMs: this.#histogram.quantileMs(1) },
      busy: this.#busy,
      missing: this.#missing,
    };
  }
}
