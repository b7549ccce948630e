/**
 * Room for small byte strings that live about as long as each other, such as the entries of one log: many share one allocation. A buffer of its own costs each of them a
 * call into the allocator and another when it is collected, several times what copying it takes.
 */
import { Buffer } from "node:buffer";

/** Slabs grow from one to the other: thousands of logs in which little happens should not cost much. */
const SLAB_BYTES_MIN = 1_024;
const SLAB_BYTES_MAX = 16 * 1_024;
/** Anything longer than this share of a slab gets a buffer of its own, so that little is left unused at its end. */
const SHARE_MAX = 1 / 8;

export class ByteSlab {
  #slab: Buffer | null = null;
  #used = 0;
  #slabBytes = SLAB_BYTES_MIN / 2;

  /** A copy of `bytes` that stays; nobody may change it. Its neighbours' memory goes when the last of them does. */
  keep(bytes: Uint8Array): Uint8Array {
    const { length } = bytes;
    if (length > SLAB_BYTES_MAX * SHARE_MAX) {
      const own = Buffer.allocUnsafeSlow(length);
      own.set(bytes);
      return own;
    }
    let slab = this.#slab;
    if (slab === null || this.#used + length > slab.length) {
      this.#slabBytes = Math.min(SLAB_BYTES_MAX, Math.max(2 * this.#slabBytes, length));
      this.#slab = slab = Buffer.allocUnsafeSlow(this.#slabBytes);
      this.#used = 0;
    }
    const at = this.#used;
    slab.set(bytes, at);
    this.#used = at + length;
    return slab.subarray(at, this.#used);
  }
}
