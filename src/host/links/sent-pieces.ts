/**
 * What a bulk stream has read from its source and the receiver has not digested: exactly what may have to be sent again
 * after a broken connection. Never more than a window. Pieces are kept as they are, not copied.
 */
import { assert } from "../../base/assert.ts";

export class SentPieces {
  #pieces: Uint8Array[] = [];
  /** Offsets in the stream of the first byte kept and of the byte behind the last. */
  #from = 0;
  #end = 0;

  get from(): number {
    return this.#from;
  }

  get end(): number {
    return this.#end;
  }

  push(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#end += piece.length;
  }

  /** Lets go of the pieces that lie before `offset` as a whole. */
  release(offset: number): void {
    let count = 0;
    for (const piece of this.#pieces) {
      if (this.#from + piece.length > offset) break;
      this.#from += piece.length;
      count++;
    }
    if (count > 0) this.#pieces.splice(0, count);
  }

  /** The bytes at `offset`, from .. end-1, as many as lie together, at most `bytesMax`. */
  at(offset: number, bytesMax: number): Uint8Array {
    let start = this.#from;
    for (const piece of this.#pieces) {
      if (offset < start + piece.length) return piece.subarray(offset - start, offset - start + bytesMax);
      start += piece.length;
    }
    assert(false, "only kept bytes are sent again", { offset, from: this.#from, end: this.#end });
    return new Uint8Array(0);
  }
}
