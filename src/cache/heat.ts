/**
 * How much a key is in use, in one small integer of its entry: when it was used last, and how often since the hand that
 * chooses victims came by. A replica's own opinion: it is in no snapshot and no digest, no command reads it, and what it
 * leads to is a proposal that every replica then applies alike.
 *
 * Bits 0-3: uses, 0 .. `usesMax`. Bits 4-31: the time of the last use in ticks of {@link TICK_MS}, modulo 2^28 (310 days).
 */

const USES_BITS = 4;
const USES_MASK = (1 << USES_BITS) - 1;
const TICK_MASK = 2 ** 28 - 1;
const TICK_MS = 100;

/** Longest time without use that can be told from a short one. */
export const IDLE_MS_LIMIT = 30 * 86_400_000;

/** Uses that speak for a key under each policy. Measured. @see docs/decisions/0012-eviction.md */
export const USES_MAX = Object.freeze({ none: 0, lru: 1, lfu: 7 });

export class HeatMeter {
  readonly #usesMax: number;
  readonly #nowMs: (() => number) | null;

  /** `nowMs`: monotonic milliseconds, asked at every use; null when nobody wants to know how long a key is idle. */
  constructor(usesMax: number, nowMs: (() => number) | null) {
    this.#usesMax = usesMax;
    this.#nowMs = nowMs;
  }

  /** Of a key that has just been made. It has yet to be used. */
  fresh(): number {
    return this.#nowMs === null ? 0 : (Math.floor(this.#nowMs() / TICK_MS) & TICK_MASK) << USES_BITS;
  }

  /** After one more use. Allocates nothing. */
  touched(heat: number): number {
    const uses = heat & USES_MASK;
    return this.fresh() | (uses < this.#usesMax ? uses + 1 : uses);
  }

  /** At least so long, in milliseconds, the key has not been used; less than a tick more in truth. */
  idleMs(heat: number): number {
    const ticks = ((this.fresh() >>> USES_BITS) - (heat >>> USES_BITS)) & TICK_MASK;
    return Math.max(0, ticks - 1) * TICK_MS;
  }
}

/** Uses that still speak for the key. */
export function usesOf(heat: number): number {
  return heat & USES_MASK;
}

/** The hand came by: one use less. Only where there is one. */
export function cooled(heat: number): number {
  return heat - 1;
}
