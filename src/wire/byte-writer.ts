/**
 * The pen of every binary codec: appends numbers, text and bytes to a buffer that grows by doubling.
 * Multi-byte numbers are big-endian. What it writes, `ByteReader` reads by the method of the same name.
 * It trusts its caller: arguments come from this node, so a wrong one is a bug and fails an assertion.
 */
import { Buffer } from "node:buffer";
import { assert } from "../base/assert.ts";
import type { BootNonce, ClusterId, NodeId } from "../base/ids.ts";

const INITIAL_BYTES_DEFAULT = 256;
const NOTHING = Buffer.alloc(0);
const SHORT_TEXT_MAX = 24;
/** Below this, copying beats another write to the socket. */
const LENT_BYTES_MIN = 64 * 1024;

/** Bytes of somebody else's that belong after the first `at` bytes of the buffer. */
interface Lent {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** A growable byte buffer with typed append operations. Reused through {@link ByteWriter.reset}. */
export class ByteWriter {
  readonly #initialBytes: number;
  readonly #borrows: boolean;
  #buffer: Buffer;
  /** Of the buffer. */
  #length = 0;
  #lent: Lent[] = [];
  #lentBytes = 0;

  /**
   * `initialBytes` is the first allocation, and the one after every `take`. `borrows`: see {@link ByteWriter.lend}; what was written is then
   * taken by {@link ByteWriter.takePieces}.
   */
  constructor(initialBytes = INITIAL_BYTES_DEFAULT, borrows = false) {
    this.#borrows = borrows;
    this.#initialBytes = initialBytes;
    this.#buffer = Buffer.allocUnsafeSlow(initialBytes);
  }

  /** Bytes written since the last `reset` or `take`. */
  get length(): number {
    return this.#length + this.#lentBytes;
  }

  /** What the buffer holds, written or not. */
  get roomBytes(): number {
    return this.#buffer.length;
  }

  /** 0 .. 255. */
  u8(value: number): void {
    const at = this.#grow(1);
    this.#buffer[at] = value;
  }

  /** 0 .. 65,535. */
  u16(value: number): void {
    const at = this.#grow(2);
    this.#buffer[at] = value >>> 8;
    this.#buffer[at + 1] = value;
  }

  /** 0 .. 2^32-1. */
  u32(value: number): void {
    this.#setU32(this.#grow(4), value);
  }

  /** A safe integer >= 0: seven bits per byte, lowest first, 1 to 8 bytes. Small numbers stay small. */
  varint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, "a varint is an integer in 0 .. 2^53-1", { value });
    const limit = this.#reserve(8);
    let rest = value;
    let at = this.#length;
    while (rest > 0x7fff_ffff) {
      limit[at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      limit[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    limit[at++] = rest;
    this.#length = at;
  }

  /** An IEEE 754 double. */
  f64(value: number): void {
    const at = this.#grow(8);
    this.#buffer.writeDoubleBE(value, at);
  }

  bool(value: boolean): void {
    this.u8(value ? 1 : 0);
  }

  /** A string of code units 0 .. 255, as keys are: varint length, then one byte each. */
  latin1(text: string): void {
    const { length } = text;
    this.varint(length);
    const at = this.#grow(length);
    const buffer = this.#buffer;
    // A call into the runtime takes as long as two dozen of these.
    if (length > SHORT_TEXT_MAX) buffer.write(text, at, length, "latin1");
    else for (let unit = 0; unit < length; unit++) buffer[at + unit] = text.charCodeAt(unit);
  }

  /** Any text: varint length in bytes, then UTF-8. */
  utf8(text: string): void {
    if (text.length < 0x80 && this.#shortAscii(text)) return;
    const bytes = Buffer.byteLength(text, "utf8");
    this.varint(bytes);
    const at = this.#grow(bytes);
    this.#buffer.write(text, at, bytes, "utf8");
  }

  /** Names and hosts are short, and for them two calls into the runtime take longer than this. False: not ASCII, nothing written. */
  #shortAscii(text: string): boolean {
    const buffer = this.#reserve(text.length + 1);
    let at = this.#length;
    buffer[at++] = text.length;
    for (let unit = 0; unit < text.length; unit++) {
      const code = text.charCodeAt(unit);
      if (code > 0x7f) return false;
      buffer[at++] = code;
    }
    this.#length = at;
    return true;
  }

  /** Varint length, then the bytes, copied. */
  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.raw(value);
  }

  /** As {@link ByteWriter.bytes}, but many bytes are not copied where this writer borrows: nobody may ever change `value`. */
  lend(value: Uint8Array): void {
    if (!this.#borrows || value.length < LENT_BYTES_MIN) {
      this.bytes(value);
      return;
    }
    this.varint(value.length);
    this.#lent.push({ at: this.#length, bytes: value });
    this.#lentBytes += value.length;
  }

  /** The bytes alone, copied; the reader has to know how many. */
  raw(value: Uint8Array): void {
    const at = this.#grow(value.length);
    this.#buffer.set(value, at);
  }

  /** The eight bytes behind a node id, cluster id or boot nonce. */
  hex64(id: NodeId | ClusterId | BootNonce): void {
    const at = this.#grow(8);
    const written = this.#buffer.write(id, at, 8, "hex");
    assert(written === 8, "an id is 16 hexadecimal digits", { id });
  }

  nodeId(id: NodeId): void {
    this.hex64(id);
  }

  /** Writes `value` over the four bytes at `offset`: for lengths that are known only afterwards. */
  patchU32(offset: number, value: number): void {
    const at = this.#lentBytes === 0 ? offset : this.#placeOf(offset);
    assert(at >= 0 && at + 4 <= this.#length, "a patch lies within what was written", { offset });
    this.#setU32(at, value);
  }

  /** Writes `bytes` over as many at `offset`. */
  patch(offset: number, bytes: Uint8Array): void {
    assert(
      this.#lentBytes === 0 && offset >= 0 && offset + bytes.length <= this.#length,
      "a patch lies within what was written",
      {
        offset,
      },
    );
    this.#buffer.set(bytes, offset);
  }

  /** What was written, as a view that stays valid until the next call on this writer. */
  view(): Uint8Array {
    assert(this.#lentBytes === 0, "what is borrowed is taken in pieces");
    return this.#buffer.subarray(0, this.#length);
  }

  /** What was written, as an exact copy that belongs to the caller. Keeps the contents. Not to be kept for long: small ones share memory. */
  copy(): Uint8Array {
    assert(this.#lentBytes === 0, "what is borrowed is taken in pieces");
    // Memory of its own costs more than the copy: two of three buffers that a node makes are such copies (docs/decisions/0020).
    const copy = Buffer.allocUnsafe(this.#length);
    this.#buffer.copy(copy, 0, 0, this.#length);
    return copy;
  }

  /** Hands the buffer itself over without a copy (its unused tail stays pinned by it). What is written next begins a fresh one. */
  take(): Uint8Array {
    const taken = this.view();
    this.#buffer = NOTHING;
    this.#length = 0;
    return taken;
  }

  /** As {@link ByteWriter.take}, in order, with what was lent between what was written. */
  takePieces(): Uint8Array[] {
    const lent = this.#lent;
    this.#lent = [];
    this.#lentBytes = 0;
    const written = this.take();
    const pieces: Uint8Array[] = [];
    let from = 0;
    for (const { at, bytes } of lent) {
      if (at > from) pieces.push(written.subarray(from, at));
      pieces.push(bytes);
      from = at;
    }
    if (from < written.length) pieces.push(written.subarray(from));
    return pieces;
  }

  /** Whether something was lent since the last `take` or `reset`. */
  get isBorrowing(): boolean {
    return this.#lentBytes > 0;
  }

  /** Forgets everything from `length` on (0: all), keeping the allocation. */
  reset(length = 0): void {
    assert(length >= 0 && length <= this.length, "a writer is reset backwards", { length });
    if (this.#lentBytes === 0) this.#length = length;
    else this.#resetBehindLent(length);
  }

  /** Where in the buffer the byte at `offset` of what was written is, or would be. */
  #placeOf(offset: number): number {
    let place = offset;
    for (const { at, bytes } of this.#lent) {
      if (place <= at) break;
      place -= bytes.length;
    }
    return place;
  }

  #resetBehindLent(length: number): void {
    while (this.#lent.length > 0) {
      const { at, bytes } = this.#lent[this.#lent.length - 1] as Lent;
      const begins = at + this.#lentBytes - bytes.length;
      if (begins < length) break;
      this.#lent.pop();
      this.#lentBytes -= bytes.length;
    }
    this.#length = length - this.#lentBytes;
  }

  #setU32(at: number, value: number): void {
    this.#buffer[at] = value >>> 24;
    this.#buffer[at + 1] = value >>> 16;
    this.#buffer[at + 2] = value >>> 8;
    this.#buffer[at + 3] = value;
  }

  /** Makes room for `count` more bytes, counts them as written, and returns where they start. */
  #grow(count: number): number {
    const at = this.#length;
    this.#reserve(count);
    this.#length = at + count;
    return at;
  }

  #reserve(count: number): Buffer {
    const needed = this.#length + count;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#initialBytes, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    return this.#buffer;
  }
}
