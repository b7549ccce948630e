/**
 * How much this member trusts its own ears. A member that misses answers may itself be the slow one:
 * the worse its score, the longer it waits before it blames others.
 */

/** Lifeguard's Local Health Multiplier. @see Lifeguard §IV-A */
export class LocalHealth {
  readonly #multiplierMax: number;
  #score = 0;

  /** `multiplierMax` >= 1; 1 means that health is never doubted. */
  constructor(multiplierMax: number) {
    this.#multiplierMax = multiplierMax;
  }

  /** 0 = healthy, up to `multiplierMax - 1`. */
  get score(): number {
    return this.#score;
  }

  /** 1 .. `multiplierMax`. */
  get multiplier(): number {
    return this.#score + 1;
  }

  /** Worse by `delta` (better when negative), within bounds. */
  apply(delta: number): void {
    this.#score = Math.min(Math.max(this.#score + delta, 0), this.#multiplierMax - 1);
  }

  scaleMs(baseMs: number): number {
    return baseMs * this.multiplier;
  }
}
