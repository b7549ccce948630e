/**
 * Lets an event that could repeat with every packet through once in a while.
 */

/** Subjects remembered; the one unheard of the longest makes room. */
const SUBJECTS_MAX = 64;

/** At most one event for each subject and interval. */
export class EventThrottle {
  readonly #intervalMs: number;
  readonly #lastMs = new Map<string, number>();

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** Whether an event about `subject` may be raised now; if so it counts as raised. */
  allow(nowMs: number, subject: string): boolean {
    const lastMs = this.#lastMs.get(subject);
    if (lastMs !== undefined && nowMs - lastMs < this.#intervalMs) return false;
    this.#lastMs.delete(subject);
    this.#lastMs.set(subject, nowMs);
    if (this.#lastMs.size > SUBJECTS_MAX) {
      for (const first of this.#lastMs.keys()) {
        this.#lastMs.delete(first);
        break;
      }
    }
    return true;
  }
}
