/**
 * Looks through MessagePack bytes before a decoder builds anything from them: every length fits the bytes that are
 * there, nothing is nested too deep, exactly one value fills the input, and only the extensions that our own encoder
 * writes occur. So five bytes cannot make a node allocate an array of four billion elements.
 *
 * @see https://github.com/msgpack/msgpack/blob/master/spec.md
 */
import { WireError } from "./wire-error.ts";

/** Containers within containers. */
export const NESTING_MAX = 64;

/** undefined. */
const EXTENSION_UNDEFINED = 0;
/** A bigint wider than 64 bits. */
const EXTENSION_BIGINT = 0x42;
/** A date. */
const EXTENSION_TIMESTAMP = 0xff;

/** Throws {@link WireError} unless `bytes` is exactly one acceptable value. */
export function checkMessagePack(bytes: Uint8Array): void {
  /** Elements still to come, per level. */
  const open: number[] = [1];
  let at = 0;
  while (open.length > 0) {
    const level = open.length - 1;
    const left = open[level] as number;
    if (left === 0) {
      open.pop();
      continue;
    }
    open[level] = left - 1;
    const head = headAt(bytes, at);
    at += head.bytes;
    if (head.elements > bytes.length - at || at > bytes.length)
      throw new WireError("length beyond the end", at);
    if (head.elements > 0) {
      if (open.length > NESTING_MAX) throw new WireError("nested too deep", at);
      open.push(head.elements);
    }
  }
  if (at !== bytes.length) throw new WireError("bytes after the value", at);
}

/** One value without its elements: how many bytes it takes, and how many elements follow. */
interface Head {
  readonly bytes: number;
  readonly elements: number;
}

function headAt(bytes: Uint8Array, at: number): Head {
  const code = bytes[at];
  if (code === undefined) throw new WireError("input ends", at);
  if (code < 0x80 || code >= 0xe0) return leaf(1);
  if (code < 0x90) return { bytes: 1, elements: (code & 0x0f) * 2 };
  if (code < 0xa0) return { bytes: 1, elements: code & 0x0f };
  if (code < 0xc0) return leaf(1 + (code & 0x1f));
  return codedHead(bytes, at, code);
}

function codedHead(bytes: Uint8Array, at: number, code: number): Head {
  switch (code) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return leaf(1);
    case 0xc4: // bin 8
    case 0xd9: // str 8
      return leaf(2 + unsignedAt(bytes, at + 1, 1));
    case 0xc5: // bin 16
    case 0xda: // str 16
      return leaf(3 + unsignedAt(bytes, at + 1, 2));
    case 0xc6: // bin 32
    case 0xdb: // str 32
      return leaf(5 + unsignedAt(bytes, at + 1, 4));
    case 0xc7: // ext 8
      return extension(bytes, at + 2, 3 + unsignedAt(bytes, at + 1, 1));
    case 0xc8: // ext 16
      return extension(bytes, at + 3, 4 + unsignedAt(bytes, at + 1, 2));
    case 0xcc: // uint 8
    case 0xd0: // int 8
      return leaf(2);
    case 0xcd: // uint 16
    case 0xd1: // int 16
      return leaf(3);
    case 0xca: // float 32
    case 0xce: // uint 32
    case 0xd2: // int 32
      return leaf(5);
    case 0xcb: // float 64
    case 0xcf: // uint 64
    case 0xd3: // int 64
      return leaf(9);
    case 0xd4: // fixext 1, 2, 4, 8, 16
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
      return extension(bytes, at + 1, 2 + 2 ** (code - 0xd4));
    case 0xdc: // array 16
      return { bytes: 3, elements: unsignedAt(bytes, at + 1, 2) };
    case 0xdd: // array 32
      return { bytes: 5, elements: unsignedAt(bytes, at + 1, 4) };
    case 0xde: // map 16
      return { bytes: 3, elements: unsignedAt(bytes, at + 1, 2) * 2 };
    case 0xdf: // map 32
      return { bytes: 5, elements: unsignedAt(bytes, at + 1, 4) * 2 };
    default:
      throw new WireError(`unknown code ${code}`, at);
  }
}

function leaf(bytes: number): Head {
  return { bytes, elements: 0 };
}

function extension(bytes: Uint8Array, typeAt: number, length: number): Head {
  const type = bytes[typeAt];
  if (type !== EXTENSION_UNDEFINED && type !== EXTENSION_BIGINT && type !== EXTENSION_TIMESTAMP) {
    throw new WireError(`extension ${type} is not accepted`, typeAt);
  }
  return leaf(length);
}

function unsignedAt(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let index = at; index < at + count; index++) {
    const byte = bytes[index];
    if (byte === undefined) throw new WireError("input ends", index);
    value = value * 256 + byte;
  }
  return value;
}
