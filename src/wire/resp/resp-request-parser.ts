/**
 * Bytes of a Redis client into requests, one array of binary strings each. Input comes in chunks cut anywhere; what
 * comes out does not depend on the cuts. Every argument is a copy: no string ever pins the network's buffer.
 *
 * Work is linear in the bytes received: an argument that spans chunks is gathered in a buffer that grows fourfold, so a
 * client that announces 16 MiB and sends nothing costs nothing. After a protocol error the parser is dead.
 */
import { Buffer } from "node:buffer";
import { SpareBuffer } from "../spare-buffer.ts";
import { splitInlineArguments } from "./inline-arguments.ts";
import { DEFAULT_RESP_PARSER_LIMITS, type RespParserLimits } from "./resp-limits.ts";

const CR = 13;
const LF = 10;
const STAR = 42;
const DOLLAR = 36;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;

/** What a step answers instead of where the next begins. */
const INCOMPLETE = -1;
const FAILED = -2;

/** First allocation for an argument that spans chunks. */
const BODY_BYTES_MIN = 4_096;
/** A buffer from here on is used again for the next argument as long. */
const SPARE_BYTES_MIN = 256 * 1024;
/** Arguments for which there is room from the start. */
const ARGS_AT_ONCE_MAX = 16;
/** Longer than the name of any command. */
const NAME_BYTES_MAX = 32;
/** Digits beyond which a length is certainly too large. */
const DIGITS_MAX = 15;

/** Reads requests as clients send them: arrays of bulk strings, or inline. @see https://redis.io/docs/latest/develop/reference/protocol-spec */
export class RespRequestParser {
  readonly #limits: RespParserLimits;
  readonly #onRequest: (args: string[]) => void;
  /** The start of a line whose end has not come; a copy, shorter than the line limit plus one chunk. */
  #carry: Buffer | null = null;
  #args: string[] = [];
  #argsRead = 0;
  /** Arguments still to come; 0 between requests. */
  #argsLeft = 0;
  /** Name of the last request: most clients send the same one again, and a string that is there costs nothing. */
  #name = "";
  /** Length of the argument being read; -1 before its length line. */
  #bulkBytes = -1;
  #requestBytes = 0;
  /** The argument being gathered with its line end; only while it spans chunks. */
  #body: Buffer | null = null;
  #bodyBytes = 0;
  readonly #spare = new SpareBuffer();
  #error: string | null = null;

  /** `onRequest` gets every request in order; an array of at least one argument that belongs to it. */
  constructor(onRequest: (args: string[]) => void, limits: RespParserLimits = DEFAULT_RESP_PARSER_LIMITS) {
    this.#onRequest = onRequest;
    this.#limits = limits;
  }

  /** Takes the next bytes; they may be reused after the call. Answers null, or why the connection must be closed. */
  push(chunk: Uint8Array): string | null {
    if (this.#error !== null) return this.#error;
    let input = Buffer.isBuffer(chunk)
      ? chunk
      : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let at = 0;
    if (this.#carry !== null) {
      input = Buffer.concat([this.#carry, input]);
      this.#carry = null;
    }
    while (at < input.length) {
      const next = this.#step(input, at);
      if (next === FAILED) return this.#error;
      if (next === INCOMPLETE) {
        this.#carry = Buffer.from(input.subarray(at));
        return null;
      }
      at = next;
    }
    return null;
  }

  /** Reads one line or one argument at `at`; answers where the next begins. */
  #step(input: Buffer, at: number): number {
    if (this.#argsLeft > 0) {
      return this.#bulkBytes < 0 ? this.#bulkHeader(input, at) : this.#bulkBody(input, at);
    }
    return input[at] === STAR ? this.#arrayHeader(input, at) : this.#inline(input, at);
  }

  #arrayHeader(input: Buffer, at: number): number {
    const end = this.#lineEnd(input, at, "too big mbulk count string");
    if (end < 0) return end;
    const count = input[end + 1] === LF ? lengthIn(input, at + 1, end) : Number.NaN;
    if (!(count <= this.#limits.argumentsMax)) return this.#fail("invalid multibulk length");
    if (count > 0) {
      // As long as it will be, where that is sure to be little: one that grows takes room for seventeen at once.
      this.#args = new Array<string>(count <= ARGS_AT_ONCE_MAX ? count : 0);
      this.#argsRead = 0;
      this.#argsLeft = count;
      this.#bulkBytes = -1;
      this.#requestBytes = 0;
    }
    return end + 2;
  }

  #bulkHeader(input: Buffer, at: number): number {
    const end = this.#lineEnd(input, at, "too big bulk count string");
    if (end < 0) return end;
    const first = input[at] as number;
    if (first !== DOLLAR) return this.#fail(`expected '$', got '${String.fromCharCode(first)}'`);
    const bytes = input[end + 1] === LF ? lengthIn(input, at + 1, end) : Number.NaN;
    if (!(bytes >= 0 && bytes <= this.#limits.bulkBytesMax)) return this.#fail("invalid bulk length");
    this.#requestBytes += bytes;
    if (this.#requestBytes > this.#limits.requestBytesMax) return this.#fail("too big request");
    this.#bulkBytes = bytes;
    return end + 2;
  }

  #bulkBody(input: Buffer, at: number): number {
    const bytes = this.#bulkBytes;
    if (this.#body === null) {
      const end = at + bytes;
      if (end + 2 <= input.length) {
        if (input[end] !== CR || input[end + 1] !== LF) return this.#fail("expected CRLF after bulk");
        return this.#argument(this.#text(input, at, end), end + 2);
      }
    }
    return this.#gather(input, at, bytes + 2);
  }

  #text(input: Buffer, at: number, end: number): string {
    if (this.#argsRead > 0 || end - at > NAME_BYTES_MAX) return input.toString("latin1", at, end);
    const name = this.#name;
    let same = name.length === end - at;
    for (let unit = 0; same && unit < name.length; unit++) same = input[at + unit] === name.charCodeAt(unit);
    if (!same) this.#name = input.toString("latin1", at, end);
    return this.#name;
  }

  /** Adds to the argument that spans chunks, whose length with its line end is `wanted`. */
  #gather(input: Buffer, at: number, wanted: number): number {
    const take = Math.min(wanted - this.#bodyBytes, input.length - at);
    const needed = this.#bodyBytes + take;
    let body = this.#body;
    if (body === null || body.length < needed) {
      const larger =
        this.#spare.take(wanted) ??
        Buffer.allocUnsafeSlow(Math.min(wanted, Math.max(needed * 4, BODY_BYTES_MIN)));
      if (body !== null) body.copy(larger, 0, 0, this.#bodyBytes);
      this.#body = body = larger;
    }
    input.copy(body, this.#bodyBytes, at, at + take);
    this.#bodyBytes = needed;
    if (needed < wanted) return at + take;
    this.#body = null;
    this.#bodyBytes = 0;
    if (body[wanted - 2] !== CR || body[wanted - 1] !== LF) return this.#fail("expected CRLF after bulk");
    const value = body.toString("latin1", 0, wanted - 2);
    if (body.length >= SPARE_BYTES_MIN) this.#spare.give(body);
    return this.#argument(value, at + take);
  }

  #argument(value: string, next: number): number {
    this.#args[this.#argsRead++] = value;
    this.#bulkBytes = -1;
    if (--this.#argsLeft === 0) this.#onRequest(this.#args);
    return next;
  }

  #inline(input: Buffer, at: number): number {
    const end = input.indexOf(LF, at);
    if ((end < 0 ? input.length : end) - at > this.#limits.lineBytesMax) {
      return this.#fail("too big inline request");
    }
    if (end < 0) return INCOMPLETE;
    const trimmed = end > at && input[end - 1] === CR ? end - 1 : end;
    const args = splitInlineArguments(input.toString("latin1", at, trimmed));
    if (args === null) return this.#fail("unbalanced quotes in request");
    if (args.length > 0) this.#onRequest(args);
    return end + 1;
  }

  /** Where the CR of the line at `at` is, once its LF has come too. */
  #lineEnd(input: Buffer, at: number, tooLong: string): number {
    // Nearly every length line has at most four digits: look before calling out.
    let end = at;
    const near = Math.min(input.length, at + 8);
    while (end < near && input[end] !== CR) end++;
    if (end === near) end = input.indexOf(CR, end);
    if ((end < 0 ? input.length : end) - at > this.#limits.lineBytesMax) return this.#fail(tooLong);
    return end < 0 || end + 1 >= input.length ? INCOMPLETE : end;
  }

  #fail(reason: string): number {
    this.#error = `Protocol error: ${reason}`;
    this.#args = [];
    this.#body = null;
    return FAILED;
  }
}

/** The integer written in `input` from `from` to `to`, as strictly as Redis reads one; NaN when it is none. */
function lengthIn(input: Buffer, from: number, to: number): number {
  const negative = input[from] === MINUS;
  const first = negative ? from + 1 : from;
  const digits = to - first;
  if (digits < 1 || digits > DIGITS_MAX) return Number.NaN;
  if (input[first] === ZERO && (digits > 1 || negative)) return Number.NaN;
  let value = 0;
  for (let at = first; at < to; at++) {
    const code = input[at] as number;
    if (code < ZERO || code > NINE) return Number.NaN;
    value = value * 10 + (code - ZERO);
  }
  return negative ? -value : value;
}
