/**
 * The leader's lease: for how long it may answer reads by itself. A follower that heard from the leader grants no
 * vote for an election timeout, so a quorum that heard a heartbeat cannot have elected anybody else for that long.
 * Counted from when the heartbeat *left*, because that is the earliest a follower can have started to count, and
 * one tick shorter, because the two count their ticks out of step. Holds only while clocks run at about the same
 * rate, hence optional.
 * @see Raft dissertation §6.4.1
 */

const NEVER = Number.NEGATIVE_INFINITY;

/** When each of the last few heartbeat rounds left, and since when a quorum is known to follow. */
export class LeaderLease {
  readonly #lengthTicks: number;
  readonly #sentTicks: number[];
  #lastRound = 0;
  #startTick = NEVER;
  #broken = false;

  constructor(electionTimeoutTicks: number) {
    this.#lengthTicks = electionTimeoutTicks - 1;
    this.#sentTicks = new Array<number>(electionTimeoutTicks + 1).fill(NEVER);
  }

  /** Heartbeats that carry `round` leave at `tick`. */
  sent(round: number, tick: number): void {
    this.#lastRound = round;
    this.#sentTicks[round % this.#sentTicks.length] = tick;
  }

  /** A quorum has answered `round`. Rounds too old to be remembered could not prolong the lease anyway. */
  confirm(round: number): void {
    if (round > this.#lastRound || this.#lastRound - round >= this.#sentTicks.length) return;
    const sentTick = this.#sentTicks[round % this.#sentTicks.length] as number;
    if (sentTick > this.#startTick) this.#startTick = sentTick;
  }

  isHeldAt(tick: number): boolean {
    return !this.#broken && tick - this.#startTick < this.#lengthTicks;
  }

  /** Ticks were not counted for a while (quiescence): nothing is known of the time since. */
  lapse(): void {
    this.#startTick = NEVER;
    this.#sentTicks.fill(NEVER);
  }

  /** A follower was told to campaign regardless of leases: this leader has none for the rest of its term. */
  break(): void {
    this.#broken = true;
  }
}
