/**
 * One timer for everybody who says "look again within so many milliseconds": the soonest wish counts, later ones cost
 * nothing. It fires once per wish that counted; whoever needs a beat asks again.
 */
import type { Clock, Timer } from "./ports.ts";

export class SoonestTimer {
  readonly #clock: Clock;
  readonly #callback: () => void;
  #timer: Timer | null = null;
  #dueMs = 0;
  #closed = false;

  constructor(clock: Clock, callback: () => void) {
    this.#clock = clock;
    this.#callback = callback;
  }

  within(delayMs: number): void {
    const atMs = this.#clock.nowMs() + delayMs;
    if (this.#closed || (this.#timer !== null && this.#dueMs <= atMs)) return;
    this.#timer?.cancel();
    this.#dueMs = atMs;
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.#timer = null;
      this.#callback();
    });
  }

  /** Never fires again. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }
}
