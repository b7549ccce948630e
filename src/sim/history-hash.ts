/**
 * One number for a whole history: everything that happened, in its order, folded into 64 bits. Two runs of one seed print
 * the same; a run that differs in a single delivery prints another one. Against accidents, not enemies.
 */

const timeBits = new Float64Array(1);
const timeWords = new Uint32Array(timeBits.buffer);

/** In the manner of FNV-1a, over words, in two lanes of 32 bits that feed each other. */
export class HistoryHash {
  #high = 0x9e3779b9;
  #low = 0x85ebca6b;

  /** Something happened at `atMs`, exactly then; `what` and `how` are whatever tells it from its like. */
  add(atMs: number, what: number, how: number): void {
    timeBits[0] = atMs;
    this.#mix((timeWords[0] as number) ^ what);
    this.#mix((timeWords[1] as number) ^ how);
  }

  /** 16 hexadecimal digits. */
  toString(): string {
    return hex32(this.#high) + hex32(this.#low);
  }

  #mix(word: number): void {
    this.#high = Math.imul(this.#high ^ word, 0x01000193) ^ (this.#low >>> 15);
    this.#low = Math.imul(this.#low + word, 0x85ebca77) ^ (this.#high >>> 13);
  }
}

function hex32(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}
