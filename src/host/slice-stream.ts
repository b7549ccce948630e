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

/** Slices in, pieces out. */
export class SliceCutter implements BulkSource {
  readonly #source: SnapshotSource;
  readonly #sizes = new SliceSizes(SLICE_BYTES_MAX);
  /** The present slice behind its length. */
  #framed = new Uint8Array(0);
  #sent = 0;

  constructor(source: SnapshotSource) {
    this.#source = source;
  }

  next(bytesMax: number): Uint8Array | null {
    if (this.#sent === this.#framed.length) {
      const slice = this.#source.next(this.#sizes.next());
      if (slice === null) return null;
      this.#framed = new Uint8Array(LENGTH_BYTES + slice.length);
      new DataView(this.#framed.buffer).setUint32(0, slice.length);
      this.#framed.set(slice, LENGTH_BYTES);
      this.#sent = 0;
    }
    const piece = this.#framed.subarray(this.#sent, this.#sent + bytesMax);
    this.#sent += piece.length;
    return piece;
  }
}

/** Pieces in, slices out. */
export class SliceJoiner {
  readonly #onSlice: (slice: Uint8Array) => void;
  readonly #length = new Uint8Array(LENGTH_BYTES);
  #lengthFilled = 0;
  #slice: Uint8Array | null = null;
  #filled = 0;

  /** `onSlice` gets each slice whole, in order, for good; what it throws comes out of `write`. */
  constructor(onSlice: (slice: Uint8Array) => void) {
    this.#onSlice = onSlice;
  }

  /** Throws `WireError` for a length that no slice can have. `piece` is not kept. */
  write(piece: Uint8Array): void {
    let at = 0;
    while (at < piece.length)
      at += this.#slice === null ? this.#takeLength(piece, at) : this.#takeBytes(piece, at);
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
    this.#slice = new Uint8Array(length);
    this.#filled = 0;
    return taken;
  }

  #takeBytes(piece: Uint8Array, at: number): number {
    const slice = this.#slice as Uint8Array;
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
