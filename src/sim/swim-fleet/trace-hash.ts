/**
 * One number for a whole history: everything that happened, in its order, folded into 64 bits. Two runs of one seed
 * must print the same; a run that differs in a single delivery prints something else. Not for secrets.
 */

const PRIME_HIGH = 0x85ebca6b;
const PRIME_LOW = 0x01000193;
/** Times are taken to the microsecond, which is finer than anything the fleet schedules by chance. */
const PARTS_PER_MS = 1_000;

/** FNV-1a over numbers, in two lanes of 32 bits. */
export class TraceHash {
  #high = 0x9e3779b9;
  #low = 0x811c9dc5;

  /** Something of `kind` happened between `one` and `other`; `size` is whatever else tells it from its like. */
  add(atMs: number, kind: number, one: number, other: number, size: number): void {
    this.#fold(Math.round(atMs * PARTS_PER_MS));
    this.#fold((kind << 24) ^ size);
    this.#fold((one << 16) ^ other);
  }

  /** 16 hexadecimal digits. */
  toString(): string {
    return hex32(this.#high) + hex32(this.#low);
  }

  #fold(value: number): void {
    const bits = value | 0;
    this.#low = Math.imul(this.#low ^ bits, PRIME_LOW);
    this.#high = Math.imul((this.#high ^ bits) + (this.#low >>> 15), PRIME_HIGH);
  }
}

function hex32(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}
