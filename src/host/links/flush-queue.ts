/**
 * Remembers which connections were written to in this turn of the event loop and lets each of them send once at its
 * end: when whoever is about to write more has said that it is done, if there is anybody. The one place that decides when bytes leave.
 */
import type { Clock } from "../ports.ts";

/** What can be flushed. */
export interface Flushable {
  flush(): void;
}

/** One per node, shared by all its connections: one deferred call per turn, however many peers are written to. */
export class FlushQueue {
  readonly #clock: Clock;
  #waiting: Flushable[] = [];
  #deferred = false;
  /** Who comes later in this turn will flush. */
  #awaitsWriter = false;
  readonly #onTurnEnd = (): void => {
    this.#deferred = false;
    if (!this.#awaitsWriter) this.flush();
  };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `item` wants to be flushed at the end of this turn. Adding it twice is harmless. */
  add(item: Flushable): void {
    this.#waiting.push(item);
    if (this.#deferred) return;
    this.#deferred = true;
    this.#clock.defer(this.#onTurnEnd);
  }

  /** Somebody will write at the end of this turn, and flush: one write to each connection instead of two. */
  awaitWriter(): void {
    this.#awaitsWriter = true;
  }

  /** Flushes now: for a caller that knows that its turn is over. */
  flush(): void {
    this.#awaitsWriter = false;
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const item of waiting) item.flush();
  }
}
