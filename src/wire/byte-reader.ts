/**
 * The eye of every binary codec: reads what `ByteWriter` wrote, by methods of the same names.
 * Its input comes from outside and is not trusted: no method reads beyond the end, and a count is checked against
 * the bytes that are left before anybody allocates for it. Anything odd is a `WireError`.
 */
import { Buffer } from "node:buffer";
import { type BootNonce, bootNonce, type ClusterId, clusterId, type NodeId, nodeId } from "../base/ids.ts";
import { WireError } from "./wire-error.ts";

/** A cursor over bytes. Never copies them: `bytes` and `raw` answer views on the input. */
export class ByteReader {
  readonly #buffer: Buffer;
  readonly #end: number;
  #offset: number;
  #makesText = true;

  /** Reads `input` from `offset` up to, and not including, `end`. */
  constructor(input: Uint8Array, offset = 0, end = input.length) {
    this.#buffer = Buffer.isBuffer(input)
      ? input
      : Buffer.from(input.buffer, input.byteOffset, input.byteLength);
    if (offset < 0 || end > input.length || offset > end)
      throw new WireError("bounds outside the input", offset);
    this.#offset = offset;
    this.#end = end;
  }

  /** One for whoever only wants to know that the input can be read: as strict, but every `latin1` is "", which costs nothing. */
  static checking(input: Uint8Array): ByteReader {
    const reader = new ByteReader(input);
    reader.#makesText = false;
    return reader;
  }

  /** Where the next byte will be read. */
  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  u8(): number {
    return this.#buffer[this.#take(1)] as number;
  }

  u16(): number {
    return this.#buffer.readUInt16BE(this.#take(2));
  }

  u32(): number {
    return this.#buffer.readUInt32BE(this.#take(4));
  }

  /** 0 .. 2^53-1. Longer than needed is accepted up to 8 bytes; beyond the safe integers is refused. */
  varint(): number {
    const buffer = this.#buffer;
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 8; count++) {
      const byte = buffer[this.#take(1)] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) throw new WireError("number above 2^53-1", this.#offset);
        return value;
      }
      scale *= 128;
    }
    throw new WireError("number of more than 8 bytes", this.#offset);
  }

  f64(): number {
    return this.#buffer.readDoubleBE(this.#take(8));
  }

  /** 0 or 1; anything else is refused. */
  bool(): boolean {
    const value = this.u8();
    if (value > 1) throw new WireError(`flag with value ${value}`, this.#offset - 1);
    return value === 1;
  }

  /**
   * A varint that announces how many elements follow, each of at least `elementBytesMin` bytes. Refused when what is
   * left cannot hold so many, or when it exceeds `countMax`: allocate only after this.
   */
  count(elementBytesMin: number, countMax: number = Number.MAX_SAFE_INTEGER): number {
    const count = this.varint();
    if (count > countMax || count * elementBytesMin > this.remaining) {
      throw new WireError(`count ${count} is too large`, this.#offset);
    }
    return count;
  }

  latin1(bytesMax: number = Number.MAX_SAFE_INTEGER): string {
    const length = this.count(1, bytesMax);
    const at = this.#take(length);
    return this.#makesText ? this.#buffer.toString("latin1", at, at + length) : "";
  }

  /** Malformed UTF-8 becomes U+FFFD. */
  utf8(bytesMax: number = Number.MAX_SAFE_INTEGER): string {
    const length = this.count(1, bytesMax);
    const at = this.#take(length);
    return this.#buffer.toString("utf8", at, at + length);
  }

  /** A view on the input, of the length written before it. Copy what must outlive the input. */
  bytes(bytesMax: number = Number.MAX_SAFE_INTEGER): Uint8Array {
    return this.raw(this.count(1, bytesMax));
  }

  /** A view on the next `length` bytes. */
  raw(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#buffer.subarray(at, at + length);
  }

  nodeId(): NodeId {
    return nodeId(this.#hex64());
  }

  clusterId(): ClusterId {
    return clusterId(this.#hex64());
  }

  bootNonce(): BootNonce {
    return bootNonce(this.#hex64());
  }

  /** Refuses bytes left over: a message is read to its last byte. */
  expectEnd(): void {
    if (this.#offset !== this.#end) {
      throw new WireError(`${this.#end - this.#offset} bytes too many`, this.#offset);
    }
  }

  #hex64(): string {
    const at = this.#take(8);
    return this.#buffer.toString("hex", at, at + 8);
  }

  #take(count: number): number {
    const at = this.#offset;
    if (count > this.#end - at) throw new WireError(`input ends, ${count} more bytes wanted`, at);
    this.#offset = at + count;
    return at;
  }
}
