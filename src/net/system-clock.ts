/**
 * The `Clock` port on the real clocks and timers of Node.js.
 */
import type { Clock, Timer } from "../host/ports.ts";

/** Node.js fires a longer timer at once. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** Monotonic time from `performance.now`, wall time from `Date.now`. Its timers keep the process alive. */
export class SystemClock implements Clock {
  nowMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return new SystemTimer(performance.now() + Math.max(0, delayMs), callback);
  }

  defer(callback: () => void): void {
    setImmediate(callback);
  }
}

/** The timers of Node.js count whole milliseconds and may fire a fraction early; this one never does. */
class SystemTimer implements Timer {
  readonly #dueMs: number;
  readonly #callback: () => void;
  #handle: NodeJS.Timeout | null = null;

  constructor(dueMs: number, callback: () => void) {
    this.#dueMs = dueMs;
    this.#callback = callback;
    this.#arm(dueMs - performance.now());
  }

  cancel(): void {
    if (this.#handle !== null) clearTimeout(this.#handle);
    this.#handle = null;
  }

  #arm(delayMs: number): void {
    this.#handle = setTimeout(() => this.#fire(), Math.min(Math.ceil(delayMs), TIMEOUT_MS_MAX));
  }

  #fire(): void {
    const leftMs = this.#dueMs - performance.now();
    if (leftMs > 0) {
      this.#arm(leftMs);
      return;
    }
    this.#handle = null;
    this.#callback();
  }
}
