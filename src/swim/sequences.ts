/**
 * Numbers that match acks to pings. Shared by everything that pings, so that one ack finds one question.
 */
import type { Random } from "../base/random.ts";

/** 32-bit numbers from a random start, wrapping. */
export class Sequences {
  #next: number;

  constructor(random: Random) {
    this.#next = random.nextU32();
  }

  next(): number {
    const sequence = this.#next;
    this.#next = (this.#next + 1) >>> 0;
    return sequence;
  }
}
