/**
 * When one connection of a paced load sends: at even distances, whether or not the server keeps up. A batch that had to wait for the
 * reply before it counts from when it was due, or a server that stands still for a second would be charged with one slow reply
 * instead of all those that nobody could ask for meanwhile. What the load itself is late by is not the server's.
 */
export class Pace {
  readonly #intervalMs: number;
  #dueAtMs: number;

  constructor(firstAtMs: number, intervalMs: number) {
    this.#dueAtMs = firstAtMs;
    this.#intervalMs = intervalMs;
  }

  /** Takes the batch that is due and answers from when it counts; null: none is. `idle`: nothing was awaited that could hold it up. */
  take(nowMs: number, idle: boolean): number | null {
    const dueAtMs = this.#dueAtMs;
    if (nowMs < dueAtMs) return null;
    this.#dueAtMs += this.#intervalMs;
    if (!idle) return dueAtMs;
    // Times that the load itself has missed are left out.
    if (this.#dueAtMs <= nowMs) this.#dueAtMs = nowMs + this.#intervalMs;
    return nowMs;
  }
}
