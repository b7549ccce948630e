/**
 * Joins encoded session commands into the data of one log entry: stamp (f64), count (varint), commands.
 * The leader never decodes what it forwards into its log.
 */
import { ByteSlab } from "./byte-slab.ts";
import { ByteWriter } from "./byte-writer.ts";

/** Header before the commands, at most: eight bytes of stamp and the count. */
const HEADER_BYTES = 16;
const HEADER_ROOM = new Uint8Array(HEADER_BYTES);
/** A buffer larger than this is given away: with the entry that is in it, where little of it is unused. */
const KEPT_BYTES_MAX = 1024 * 1024;

export class BatchBuilder {
  /** Room for the header, then the commands. */
  readonly #commands = new ByteWriter();
  readonly #header = new ByteWriter(HEADER_BYTES);
  readonly #keeper: ByteSlab;
  #count = 0;

  /** `keeper`: where entries stay. */
  constructor(keeper: ByteSlab = new ByteSlab()) {
    this.#keeper = keeper;
    this.#commands.raw(HEADER_ROOM);
  }

  /** Commands appended since the last `finish`. */
  get count(): number {
    return this.#count;
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#commands.length - HEADER_BYTES;
  }

  /** Takes one command as `encodeSessionCommand` wrote it. The bytes are copied: `command` may be a view. */
  append(command: Uint8Array): void {
    this.#commands.raw(command);
    this.#count++;
  }

  /** The entry's data, owned by the caller. The builder is empty afterwards. */
  finish(stampMs: number): Uint8Array {
    this.#header.reset();
    this.#header.f64(stampMs);
    this.#header.varint(this.#count);
    const start = HEADER_BYTES - this.#header.length;
    this.#commands.patch(start, this.#header.view());
    const whole = this.#commands.view().subarray(start);
    if (this.bytes > KEPT_BYTES_MAX && 4 * whole.length >= 3 * whole.buffer.byteLength) {
      this.clear();
      return whole;
    }
    const data = this.#keeper.keep(whole);
    this.clear();
    return data;
  }

  /** Forgets what was appended. */
  clear(): void {
    // After a burst of large values the buffer is given back rather than kept for ever.
    if (this.bytes > KEPT_BYTES_MAX) {
      this.#commands.take();
      this.#commands.raw(HEADER_ROOM);
    } else this.#commands.reset(HEADER_BYTES);
    this.#count = 0;
  }
}
