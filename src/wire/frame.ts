/**
 * Frames on a byte stream: `u32 length | u8 type | body`, where length counts type and body, big-endian.
 * The network cuts a stream where it likes; the reader here puts frames together again at any cut. A length from
 * outside is checked before anything is allocated for it.
 */
import { Buffer } from "node:buffer";
import { assert } from "../base/assert.ts";
import { FRAME_BYTES_MAX } from "../base/limits.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { SpareBuffer } from "./spare-buffer.ts";
import { WireError } from "./wire-error.ts";

/** Length and type. */
export const FRAME_HEADER_BYTES = 5;
const LENGTH_BYTES = 4;
/** An assembly buffer up to this size is kept for the next frame that is cut; a larger one is left to the garbage collector, and used again until it comes. */
const ASSEMBLY_BYTES_KEPT_MAX = 256 * 1024;
const NOTHING = Buffer.alloc(0);

/** Starts a frame of `type` in `writer`; its body is what is written until {@link endFrame}. Answers where it starts. */
export function beginFrame(writer: ByteWriter, type: number): number {
  const start = writer.length;
  writer.u32(0);
  writer.u8(type);
  return start;
}

/** Ends the frame that starts at `start`. A frame above the limit is taken back and fails an assertion. */
export function endFrame(writer: ByteWriter, start: number): void {
  const bytes = writer.length - start;
  if (bytes > FRAME_BYTES_MAX) writer.reset(start);
  assert(bytes <= FRAME_BYTES_MAX, "a frame keeps below its limit", { bytes });
  writer.patchU32(start, bytes - LENGTH_BYTES);
}

/** Hears a frame. `body` is a view that is valid during the call only. */
export type FrameHandler = (type: number, body: Uint8Array) => void;

/**
 * Cuts a stream into frames. A frame that lies within one chunk is a view on it; one that spans chunks is copied once
 * into a buffer of its size, however many chunks it takes. Throws {@link WireError} for a length that is zero or above
 * the limit; the stream is of no use afterwards.
 */
export class FrameReader {
  readonly #onFrame: FrameHandler;
  #frameBytesMax: number;
  #stopped = false;
  readonly #header = Buffer.alloc(LENGTH_BYTES);
  /** Bytes of the length that have arrived; LENGTH_BYTES while a frame is being assembled. */
  #headerBytes = 0;
  /** Type and body of the frame that spans chunks. */
  #assembly: Buffer = NOTHING;
  readonly #spare = new SpareBuffer();
  #assemblyLength = 0;
  #assembled = 0;

  /** `frameBytesMax` counts the header too. */
  constructor(onFrame: FrameHandler, frameBytesMax: number = FRAME_BYTES_MAX) {
    this.#onFrame = onFrame;
    this.#frameBytesMax = frameBytesMax;
  }

  /** A new limit, from the next frame on: strangers get a small one. */
  limit(frameBytesMax: number): void {
    this.#frameBytesMax = frameBytesMax;
  }

  /** Delivers no further frame, not even from the chunk at hand. */
  stop(): void {
    this.#stopped = true;
    this.#assembly = NOTHING;
  }

  /** Takes the next chunk, of any size; it is not kept. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && !this.#stopped) {
      if (this.#headerBytes === LENGTH_BYTES) {
        at = this.#continue(chunk, at);
      } else if (this.#headerBytes === 0 && chunk.length - at >= LENGTH_BYTES) {
        const length = this.#checked(readU32(chunk, at), at);
        at = this.#start(chunk, at + LENGTH_BYTES, length);
      } else {
        this.#header[this.#headerBytes++] = chunk[at++] as number;
        if (this.#headerBytes === LENGTH_BYTES) {
          at = this.#start(chunk, at, this.#checked(readU32(this.#header, 0), at));
        }
      }
    }
  }

  /** A frame of `length` bytes begins at `at`: deliver it from the chunk, or begin to assemble it. */
  #start(chunk: Uint8Array, at: number, length: number): number {
    if (chunk.length - at >= length) {
      this.#headerBytes = 0;
      this.#onFrame(chunk[at] as number, chunk.subarray(at + 1, at + length));
      return at + length;
    }
    if (this.#assembly.length < length)
      this.#assembly = this.#spare.take(length) ?? Buffer.allocUnsafeSlow(length);
    this.#assemblyLength = length;
    this.#assembled = 0;
    this.#headerBytes = LENGTH_BYTES;
    return this.#continue(chunk, at);
  }

  #continue(chunk: Uint8Array, at: number): number {
    const end = Math.min(chunk.length, at + this.#assemblyLength - this.#assembled);
    this.#assembly.set(chunk.subarray(at, end), this.#assembled);
    this.#assembled += end - at;
    if (this.#assembled === this.#assemblyLength) {
      const frame = this.#assembly;
      this.#headerBytes = 0;
      const isLarge = frame.length > ASSEMBLY_BYTES_KEPT_MAX;
      if (isLarge) this.#assembly = NOTHING;
      this.#onFrame(frame[0] as number, frame.subarray(1, this.#assemblyLength));
      if (isLarge) this.#spare.give(frame);
    }
    return end;
  }

  #checked(length: number, at: number): number {
    if (length < 1 || length > this.#frameBytesMax - LENGTH_BYTES) {
      this.stop();
      throw new WireError(`frame of ${length} bytes, limit ${this.#frameBytesMax - LENGTH_BYTES}`, at);
    }
    return length;
  }
}

function readU32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) * 0x100_0000 +
    (((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number))
  );
}
