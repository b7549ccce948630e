/**
 * Joins encoded session commands into the data of one log entry: stamp (f64), count (varint), commands.
 * The leader never decodes what it forwards into its log.
 */
import { Buffer } from "node:buffer";
import { ByteWriter } from "./byte-writer.ts";

/** Header beside the commands, at most: eight bytes of stamp and the count. */
const HEADER_BYTES = 16;
/** A buffer larger than this is given back. */
const KEPT_BYTES_MAX = 1024 * 1024;

export class BatchBuilder {
  readonly #commands = new ByteWriter();
  readonly #header = new ByteWriter(HEADER_BYTES);
  #count = 0;

  /** Commands appended since the last `finish`. */
  get count(): number {
    return this.#count;
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#commands.length;
  }

  /** Takes one command as `encodeSessionCommand` wrote it. The bytes are copied: `command` may be a view. */
  append(command: Uint8Array): void {
    this.#commands.raw(command);
    this.#count++;
  }

  /** The entry's data, exactly as long as needed and owned by the caller. The builder is empty afterwards. */
  finish(stampMs: number): Uint8Array {
    this.#header.reset();
    this.#header.f64(stampMs);
    this.#header.varint(this.#count);
    const data = Buffer.allocUnsafeSlow(this.#header.length + this.#commands.length);
    data.set(this.#header.view());
    data.set(this.#commands.view(), this.#header.length);
    this.clear();
    return data;
  }

  /** Forgets what was appended. */
  clear(): void {
    // After a burst of large values the buffer is given back rather than kept for ever.
    if (this.#commands.length > KEPT_BYTES_MAX) this.#commands.take();
    else this.#commands.reset();
    this.#count = 0;
  }
}
