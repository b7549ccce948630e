/**
 * A seeded pseudo-random source (sfc32). The only randomness the rooms above the adapters may use:
 * one 64-bit seed gives one history. Not for secrets.
 */

/** A stream of pseudo-random numbers. Two sources of equal seed give equal streams. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter: number;

  /** `seedHigh` and `seedLow` are the two 32-bit halves of the seed. */
  constructor(seedHigh: number, seedLow: number) {
    this.#a = seedHigh >>> 0;
    this.#b = seedLow >>> 0;
    this.#c = 0x9e3779b9;
    this.#counter = 1;
    for (let round = 0; round < 15; round++) this.nextU32();
  }

  /** An integer in 0 .. 2^32-1. */
  nextU32(): number {
    const sum = (this.#a + this.#b + this.#counter) >>> 0;
    this.#counter = (this.#counter + 1) >>> 0;
    this.#a = (this.#b ^ (this.#b >>> 9)) >>> 0;
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) >>> 0;
    this.#c = (this.#c + sum) >>> 0;
    return sum;
  }

  /** A number in [0, 1) with 32 bits of resolution. */
  nextFloat(): number {
    return this.nextU32() / 0x1_0000_0000;
  }

  /** An integer in 0 .. bound-1; `bound` >= 1. */
  nextBelow(bound: number): number {
    return Math.floor(this.nextFloat() * bound);
  }

  /** An integer in low .. high, both included. */
  nextBetween(low: number, high: number): number {
    return low + this.nextBelow(high - low + 1);
  }

  /** Shuffles `items` in place (Fisher-Yates) and returns it. */
  shuffle<T>(items: T[]): T[] {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.nextBelow(last + 1);
      const held = items[last] as T;
      items[last] = items[other] as T;
      items[other] = held;
    }
    return items;
  }

  /** A new source whose stream depends on this one's state and on nothing else. */
  fork(): Random {
    return new Random(this.nextU32(), this.nextU32());
  }
}
