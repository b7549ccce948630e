/**
 * What a bulk stream has read from its source and the receiver has not digested: exactly what may have to be sent again
 * after a broken connection. Never more than a window.
 *
 * It lies in one ring. Were the pieces kept as they came, each would be garbage of the size of a frame that has lived for some
 * collections: V8 frees such only when it collects everything, and begins that sooner the more there is of it.
 */
import { assert } from "../../base/assert.ts";

/** A ring begins as this share of the window, and is made so many times larger whenever it is too small: three times at most. */
const FIRST_SHARE = 1 / 64;
const GROWTH = 4;

export class SentWindow {
  readonly #bytesMax: number;
  /** The byte at offset `n` of the stream lies at `n` modulo its length. */
  #ring = new Uint8Array(0);
  /** Offsets in the stream of the first byte kept and of the byte behind the last. */
  #from = 0;
  #end = 0;

  /** `bytesMax`: no more is ever kept; a multiple of 64. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get end(): number {
    return this.#end;
  }

  /** Keeps a copy of `piece`, which follows what was pushed before. */
  push(piece: Uint8Array): void {
    const kept = this.#end - this.#from + piece.length;
    assert(kept <= this.#bytesMax, "no more is sent than a window", { kept, bytesMax: this.#bytesMax });
    if (kept > this.#ring.length) this.#grow(kept);
    this.#put(piece);
  }

  /** Lets go of what lies before `offset`. */
  release(offset: number): void {
    assert(offset >= this.#from && offset <= this.#end, "only kept bytes are let go", {
      offset,
      from: this.#from,
    });
    this.#from = offset;
  }

  /** The bytes at `offset`, from .. end-1, as many as lie together, at most `bytesMax`. A view that is valid until the next `push`. */
  at(offset: number, bytesMax: number): Uint8Array {
    assert(offset >= this.#from && offset < this.#end, "only kept bytes are sent again", {
      offset,
      from: this.#from,
      end: this.#end,
    });
    const place = offset % this.#ring.length;
    return this.#ring.subarray(place, place + Math.min(bytesMax, this.#end - offset));
  }

  #put(bytes: Uint8Array): void {
    const place = this.#end % this.#ring.length;
    const untilWrap = Math.min(bytes.length, this.#ring.length - place);
    this.#ring.set(untilWrap === bytes.length ? bytes : bytes.subarray(0, untilWrap), place);
    if (untilWrap < bytes.length) this.#ring.set(bytes.subarray(untilWrap), 0);
    this.#end += bytes.length;
  }

  /** A ring of the same bytes that holds `needed`. */
  #grow(needed: number): void {
    const kept: Uint8Array[] = [];
    for (let at = this.#from; at < this.#end; ) {
      const bytes = this.at(at, this.#end - at);
      kept.push(bytes);
      at += bytes.length;
    }
    let length = Math.max(this.#bytesMax * FIRST_SHARE, this.#ring.length);
    while (length < needed) length *= GROWTH;
    this.#ring = new Uint8Array(length);
    this.#end = this.#from;
    for (const bytes of kept) this.#put(bytes);
  }
}
