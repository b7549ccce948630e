/**
 * Replies as bytes: one tag, then what it announces. Replies cross links and live in snapshots (the replies that
 * sessions remember), so tags are only ever added.
 */
import { FAULT_CODES, FAULTS, Fault, type Reply } from "../cache/reply.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { readInt64, writeInt64 } from "./signed-codec.ts";
import { WireError } from "./wire-error.ts";

const NULL = 0;
const INTEGER = 1;
/** The magnitude follows. */
const NEGATIVE_INTEGER = 2;
const FLOAT = 3;
const BIG_INTEGER = 4;
const TEXT = 5;
const FAULT = 6;
const LIST = 7;

/** Lists within lists. */
const DEPTH_MAX = 8;

export function encodeReply(writer: ByteWriter, reply: Reply): void {
  if (reply === null) {
    writer.u8(NULL);
  } else if (typeof reply === "string") {
    writer.u8(TEXT);
    writer.latin1(reply);
  } else if (typeof reply === "number") {
    encodeNumber(writer, reply);
  } else if (typeof reply === "bigint") {
    writer.u8(BIG_INTEGER);
    writeInt64(writer, reply);
  } else if (reply instanceof Fault) {
    writer.u8(FAULT);
    writer.u8(FAULT_CODES.indexOf(reply.code));
  } else {
    writer.u8(LIST);
    writer.varint(reply.length);
    for (const part of reply) encodeReply(writer, part);
  }
}

/** Reads one reply; it keeps nothing of the input. */
export function decodeReply(reader: ByteReader): Reply {
  return decodeAt(reader, 0);
}

function encodeNumber(writer: ByteWriter, value: number): void {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    writer.u8(FLOAT);
    writer.f64(value);
  } else if (value < 0) {
    writer.u8(NEGATIVE_INTEGER);
    writer.varint(-value);
  } else {
    writer.u8(INTEGER);
    writer.varint(value);
  }
}

function decodeAt(reader: ByteReader, depth: number): Reply {
  const tag = reader.u8();
  switch (tag) {
    case NULL:
      return null;
    case INTEGER:
      return reader.varint();
    case NEGATIVE_INTEGER:
      return -reader.varint();
    case FLOAT:
      return reader.f64();
    case BIG_INTEGER:
      return readInt64(reader);
    case TEXT:
      return reader.latin1();
    case FAULT: {
      const code = FAULT_CODES[reader.u8()];
      if (code === undefined) throw new WireError("fault with unknown code", reader.offset - 1);
      return FAULTS[code];
    }
    case LIST: {
      if (depth === DEPTH_MAX) throw new WireError("lists nested too deep", reader.offset);
      const count = reader.count(1);
      const parts: Reply[] = [];
      for (let done = 0; done < count; done++) parts.push(decodeAt(reader, depth + 1));
      return parts;
    }
    default:
      throw new WireError(`reply with unknown tag ${tag}`, reader.offset - 1);
  }
}
