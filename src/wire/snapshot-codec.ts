/**
 * Chunks of a shard's snapshot as bytes: CRC-32 of all that follows, sequence, count, records.
 * A chunk stands for itself: it is checked before anything of it is believed.
 */
import { unreachable } from "../base/assert.ts";
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from "../base/limits.ts";
import type { SnapshotChunk, SnapshotRecord } from "../cache/snapshot-record.ts";
import { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { crc32 } from "./crc32.ts";
import { decodeReply, encodeReply } from "./reply-codec.ts";
import { WireError } from "./wire-error.ts";

const HEADER = 1;
const SESSION = 2;
const REPLY = 3;
const ENTRY = 4;
const ENTRY_EXPIRING = 5;
const END = 6;

const CRC_BYTES = 4;
/** A tag, a sequence and a tag. */
const RECORD_BYTES_MIN = 3;

/** Makes `chunk` the only contents of `writer`. */
export function encodeSnapshotChunk(writer: ByteWriter, chunk: SnapshotChunk): void {
  writer.reset();
  writer.u32(0);
  writer.varint(chunk.sequence);
  writer.varint(chunk.records.length);
  for (const record of chunk.records) encodeRecord(writer, record);
  writer.patchU32(0, crc32(writer.view(), CRC_BYTES));
}

/** Throws `WireError` when a bit is wrong. Keeps nothing of `bytes`. */
export function decodeSnapshotChunk(bytes: Uint8Array): SnapshotChunk {
  const reader = new ByteReader(bytes);
  const expected = reader.u32();
  if (crc32(bytes, CRC_BYTES) !== expected) throw new WireError("checksum does not match", 0);
  const sequence = reader.varint();
  const count = reader.count(RECORD_BYTES_MIN);
  const records: SnapshotRecord[] = [];
  for (let done = 0; done < count; done++) records.push(decodeRecord(reader));
  reader.expectEnd();
  return { sequence, records };
}

function encodeRecord(writer: ByteWriter, record: SnapshotRecord): void {
  switch (record.type) {
    case "header":
      writer.u8(HEADER);
      writer.varint(record.appliedIndex);
      writer.varint(record.revision);
      writer.f64(record.machineTimeMs);
      writer.varint(record.lastSessionId);
      return;
    case "session":
      writer.u8(SESSION);
      writer.varint(record.id);
      writer.nodeId(record.node);
      writer.hex64(record.boot);
      writer.varint(record.lowWater);
      writer.varint(record.lastUsedIndex);
      return;
    case "reply":
      writer.u8(REPLY);
      writer.varint(record.sequence);
      encodeReply(writer, record.reply);
      return;
    case "entry":
      writer.u8(record.expiresAtMs === null ? ENTRY : ENTRY_EXPIRING);
      writer.latin1(record.key);
      writer.latin1(record.value);
      writer.varint(record.version);
      writer.varint(record.createdRevision);
      if (record.expiresAtMs !== null) writer.f64(record.expiresAtMs);
      return;
    case "end":
      writer.u8(END);
      writer.varint(record.sessions);
      writer.varint(record.entries);
      return;
    default:
      unreachable(record);
  }
}

function decodeRecord(reader: ByteReader): SnapshotRecord {
  const tag = reader.u8();
  switch (tag) {
    case HEADER:
      return {
        type: "header",
        appliedIndex: reader.varint(),
        revision: reader.varint(),
        machineTimeMs: readTime(reader),
        lastSessionId: reader.varint(),
      };
    case SESSION:
      return {
        type: "session",
        id: reader.varint(),
        node: reader.nodeId(),
        boot: reader.bootNonce(),
        lowWater: reader.varint(),
        lastUsedIndex: reader.varint(),
      };
    case REPLY:
      return { type: "reply", sequence: reader.varint(), reply: decodeReply(reader) };
    case ENTRY:
    case ENTRY_EXPIRING:
      return {
        type: "entry",
        key: reader.latin1(KEY_BYTES_MAX),
        value: reader.latin1(VALUE_BYTES_MAX),
        version: reader.varint(),
        createdRevision: reader.varint(),
        expiresAtMs: tag === ENTRY_EXPIRING ? readTime(reader) : null,
      };
    case END:
      return { type: "end", sessions: reader.varint(), entries: reader.varint() };
    default:
      throw new WireError(`snapshot record with unknown tag ${tag}`, reader.offset - 1);
  }
}

function readTime(reader: ByteReader): number {
  const time = reader.f64();
  if (!Number.isFinite(time)) throw new WireError("a time that is not a number", reader.offset - 8);
  return time;
}
