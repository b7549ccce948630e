/**
 * The slices of a snapshot over a bulk stream. A slice holds whole records, so it is as long as its longest value makes
 * it; a piece of a stream is bounded, by the frame and by what the receiver has granted. So each slice travels behind
 * its length, cut wherever a piece ends, and is put together again before the machine sees it.
 */
import { FRAME_BYTES_MAX } from "../base/limits.ts";
import { WireError } from "../wire/wire-error.ts";
import { BULK_CHUNK_BYTES_MAX, type BulkSource } from "./links/bulk-stream.ts";
import { SliceSizes } from "./slice-sizes.ts";
import type { SnapshotSource } from "./state-machine.ts";

const LENGTH_BYTES = 4;
/** With its length, one full piece. */
const SLICE_BYTES_MAX = BULK_CHUNK_BYTES_MAX - LENGTH_BYTES;
/** Buffers are used again for slices in these bounds: a last record may make a slice longer than what was aimed at. */
const REUSED_BYTES_MIN = 16 * 1024;
const REUSED_BYTES_MAX = 96 * 1024;

/** Slices in, pieces out. */
export class SliceCutter implements BulkSource {
  readonly #source: SnapshotSource;
  readonly #sizes = new SliceSizes(SLICE_BYTES_MAX);
  /** The present slice behind its length, in a buffer that is used for every slice. */
  #buffer = new Uint8Array(BULK_CHUNK_BYTES_MAX);
  #length = 0;
  #sent = 0;

  constructor(source: SnapshotSource) {
    this.#source = source;
  }

  next(bytesMax: number): Uint8Array | null {
    if (this.#sent === this.#length && !this.#frameNext()) return null;
    const piece = this.#buffer.subarray(this.#sent, Math.min(this.#length, this.#sent + bytesMax));
    this.#sent += piece.length;
    return piece;
  }

  /** Whether there was one. */
  #frameNext(): boolean {
    const slice = this.#source.next(this.#sizes.next());
    if (slice === null) return false;
    this.#length = LENGTH_BYTES + slice.length;
    if (this.#length > this.#buffer.length) this.#buffer = new Uint8Array(this.#length);
    new DataView(this.#buffer.buffer).setUint32(0, slice.length);
    this.#buffer.set(slice, LENGTH_BYTES);
    this.#sent = 0;
    return true;
  }
}

/**
 * Pieces in, slices out. Slices wait to be taken in for longer than V8 takes to count a buffer among what stays, and there is nothing but them
 * beside the state that is built: so those given back are filled again.
 */
export class SliceJoiner {
  readonly #onSlice: (slice: Uint8Array<ArrayBuffer>) => void;
  /** Of {@link REUSED_BYTES_MAX} bytes each. */
  readonly #spare: ArrayBuffer[] = [];
  readonly #length = new Uint8Array(LENGTH_BYTES);
  #lengthFilled = 0;
  #slice: Uint8Array<ArrayBuffer> | null = null;
  #filled = 0;

  /** `onSlice` gets each slice whole, in order, until it is given back; what it throws comes out of `write`. */
  constructor(onSlice: (slice: Uint8Array<ArrayBuffer>) => void) {
    this.#onSlice = onSlice;
  }

  /** Throws `WireError` for a length that no slice can have. `piece` is not kept. */
  write(piece: Uint8Array): void {
    let at = 0;
    while (at < piece.length)
      at += this.#slice === null ? this.#takeLength(piece, at) : this.#takeBytes(piece, at);
  }

  /** `slice` is not looked at any more, by anybody. Optional, and once at most. */
  giveBack(slice: Uint8Array<ArrayBuffer>): void {
    if (slice.length >= REUSED_BYTES_MIN && slice.length <= REUSED_BYTES_MAX) this.#spare.push(slice.buffer);
  }

  /** Throws `WireError` when the stream ended within a slice. */
  finish(): void {
    if (this.#slice !== null || this.#lengthFilled > 0)
      throw new WireError("a snapshot ends within a slice", 0);
  }

  #takeLength(piece: Uint8Array, at: number): number {
    const taken = Math.min(LENGTH_BYTES - this.#lengthFilled, piece.length - at);
    this.#length.set(piece.subarray(at, at + taken), this.#lengthFilled);
    this.#lengthFilled += taken;
    if (this.#lengthFilled < LENGTH_BYTES) return taken;
    this.#lengthFilled = 0;
    const length = new DataView(this.#length.buffer).getUint32(0);
    if (length === 0 || length > FRAME_BYTES_MAX) throw new WireError(`a slice of ${length} bytes`, at);
    this.#slice = this.#room(length);
    this.#filled = 0;
    return taken;
  }

  #room(length: number): Uint8Array<ArrayBuffer> {
    if (length < REUSED_BYTES_MIN || length > REUSED_BYTES_MAX) return new Uint8Array(length);
    return new Uint8Array(this.#spare.pop() ?? new ArrayBuffer(REUSED_BYTES_MAX), 0, length);
  }

  #takeBytes(piece: Uint8Array, at: number): number {
    const slice = this.#slice as Uint8Array<ArrayBuffer>;
    const taken = Math.min(slice.length - this.#filled, piece.length - at);
    slice.set(piece.subarray(at, at + taken), this.#filled);
    this.#filled += taken;
    if (this.#filled === slice.length) {
      this.#slice = null;
      this.#onSlice(slice);
    }
    return taken;
  }
}
