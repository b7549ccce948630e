/**
 * What one load process counts while it works.
 */
import { Histogram } from "./histogram.ts";
import type { Outcome } from "./job.ts";

/** Counts what is answered inside the window, and, where that is wanted, what was asked in it and is answered later. */
export class Tally {
  readonly #histogram = new Histogram();
  #operations = 0;
  #busy = 0;
  #missing = 0;
  #open = false;
  #countsLate = false;
  #openedAtMs = 0;
  #closedAtMs = 0;

  begin(): void {
    this.#open = true;
    this.#openedAtMs = performance.now();
  }

  /** `late`: what is under way counts when it is answered, or the slowest would be left out. For rates it would be too much. */
  end({ late = false } = {}): void {
    this.#open = false;
    this.#countsLate = late;
    this.#closedAtMs = performance.now();
  }

  /** `count` operations succeeded, `latencyMs` after each was asked for. */
  succeeded(latencyMs: number, count: number): void {
    if (!this.#open && !(this.#countsLate && performance.now() - latencyMs < this.#closedAtMs)) return;
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
