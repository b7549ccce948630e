/**
 * Machine time: the one clock that expiry trusts. It advances with the monotonic clock of whoever leads and is carried
 * from leader to leader by the stamps in the log, so a wall clock that jumps by an hour changes nothing.
 *
 * Invariant (never early): between two moments machine time advances by no more than real time does. Every estimate
 * starts from the NEWEST applied stamp, which was taken before the entry was applied here, and runs at real rate; a
 * leader starts its estimate only after it has applied all that was committed before it, hence never from an older one.
 * It may lag by the time a group had no leader: a key may live that much longer, never shorter.
 */
import type { Clock } from "./ports.ts";

export class MachineClock {
  readonly #clock: Clock;
  #anchorMachineMs = 0;
  #anchorLocalMs: number;
  #leading = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#anchorLocalMs = clock.nowMs();
  }

  /** Machine time now, in whole milliseconds, as far as this replica can know. */
  nowMs(): number {
    return Math.floor(this.#anchorMachineMs + (this.#clock.nowMs() - this.#anchorLocalMs));
  }

  /** A batch stamped `stampMs` was applied. A leader's own clock runs on: it made the stamp. */
  applied(stampMs: number): void {
    if (this.#leading) return;
    this.#anchorMachineMs = stampMs;
    this.#anchorLocalMs = this.#clock.nowMs();
  }

  /** This replica leads and has applied an entry of its own term: from now on it makes the stamps. */
  startLeading(): void {
    this.#leading = true;
  }

  stopLeading(): void {
    this.#leading = false;
  }
}
