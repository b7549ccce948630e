/**
 * A backup as bytes: what a file of `crema backup` is made of, and what a node streams for one shard of it.
 *
 *   file    = header section* end            one section per shard, in order of shards
 *   section = begin block* shard-end         what the node streams; it goes into the file as it comes
 *   header  = "CREMABAK", u16 format, u16 length, that many bytes, CRC-32C of all before it
 *   frame   = u8 type, u32 length, that many bytes, CRC-32C of all before it in this frame
 *
 * The header keeps this shape in every format to come, so that an old program can say "newer" and mean it. Blocks are packed
 * with LZ4 and numbered; the end of a section counts them, the end of the file counts sections, so that a missing, doubled
 * or swapped part is damage, not less data. Checksums are made where the data leaves the shard and checked where it is
 * put back: nothing in between can change it unnoticed.
 */
import { Buffer } from "node:buffer";
import type { CremaError } from "../base/errors.ts";
import type { ClusterId, ShardId } from "../base/ids.ts";
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from "../base/limits.ts";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { readCremaError, writeCremaError } from "./call-codec.ts";
import { crc32c } from "./crc32c.ts";
import { readShardId } from "./id-codec.ts";
import { lz4Compress, lz4Decompress } from "./lz4.ts";
import { WireError } from "./wire-error.ts";

/** First bytes of every file. */
export const BACKUP_MAGIC = Buffer.from("CREMABAK", "latin1");
/** The format this code writes, and the newest it reads. */
export const BACKUP_FORMAT = 1;

/** Unpacked bytes at which a block is closed; the entry that crosses the line is still part of it. */
export const BLOCK_BYTES_AIM = 256 * 1024;
/** An entry beside its key and value: kind, two lengths, time to live. */
const ENTRY_OVERHEAD_MAX = 32;
const BLOCK_BYTES_MAX = BLOCK_BYTES_AIM + KEY_BYTES_MAX + VALUE_BYTES_MAX + ENTRY_OVERHEAD_MAX;
/** LZ4 lengthens what it cannot pack by 1/255, and a block has a head of its own. */
const PAYLOAD_BYTES_MAX = Math.ceil(BLOCK_BYTES_MAX * 1.005) + 64;

export const CRC_BYTES = 4;
const TYPE_AND_LENGTH_BYTES = 5;
/** A frame without its payload. */
export const FRAME_OVERHEAD_BYTES = TYPE_AND_LENGTH_BYTES + CRC_BYTES;
/** Whole frames are no longer: what an HTTP body that carries one is limited to. */
export const BACKUP_FRAME_BYTES_MAX = PAYLOAD_BYTES_MAX + FRAME_OVERHEAD_BYTES;
/** Magic, format and length: enough to know how long a header is. */
export const HEADER_START_BYTES = BACKUP_MAGIC.length + 4;

const BEGIN = 1;
const BLOCK = 2;
const SHARD_END = 3;
const END = 4;
/** Only ever in a stream, never in a file. */
const FAILED = 5;

const STRING = 1;
const STRING_EXPIRING = 2;
/** Kind, lengths of key and value, one byte of key. */
const ENTRY_BYTES_MIN = 4;

/** What the file is a backup of. */
export interface BackupHeader {
  readonly clusterId: ClusterId;
  readonly shardCount: number;
  /** Wall-clock milliseconds of the machine that ran `crema backup`, when it began. */
  readonly createdAtMs: number;
}

/** Where a shard's section begins: which state it holds. */
export interface BackupBegin {
  readonly type: "begin";
  /** Of the leader: a node that was started again may have founded another cluster at the same address meanwhile. */
  readonly clusterId: ClusterId;
  readonly shard: ShardId;
  /** Index of the last log entry whose effects it holds. */
  readonly appliedIndex: number;
  readonly revision: number;
  /** Wall-clock milliseconds of the shard's leader at that state; times to live count from here. */
  readonly takenAtMs: number;
}

/** One key with its value, both binary strings. */
export interface BackupEntry {
  readonly key: string;
  readonly value: string;
  /** Milliseconds >= 1 that the key had left at the state of its section; null: it never expires. */
  readonly remainingMs: number | null;
}

/** Some entries of a shard, still packed. */
export interface BackupBlock {
  readonly type: "block";
  readonly shard: ShardId;
  /** 0, 1, 2, ... within its section. */
  readonly sequence: number;
  readonly entries: number;
  /** For {@link decodeBackupEntries}. A view. */
  readonly packed: Uint8Array;
}

export interface BackupShardEnd {
  readonly type: "shard-end";
  readonly shard: ShardId;
  readonly blocks: number;
  readonly entries: number;
  /** Keys and values together. */
  readonly bytes: number;
}

export interface BackupEnd {
  readonly type: "end";
  readonly shards: number;
  readonly entries: number;
  readonly bytes: number;
}

/** The stream ends here, and this is why. */
export interface BackupFailed {
  readonly type: "failed";
  readonly error: CremaError;
}

export type BackupFrame = BackupBegin | BackupBlock | BackupShardEnd | BackupEnd | BackupFailed;

/** The first bytes of a file. */
export function encodeBackupHeader({ clusterId, shardCount, createdAtMs }: BackupHeader): Uint8Array {
  const writer = new ByteWriter();
  writer.raw(BACKUP_MAGIC);
  writer.u16(BACKUP_FORMAT);
  const body = new ByteWriter();
  body.hex64(clusterId);
  body.varint(shardCount);
  body.f64(createdAtMs);
  writer.u16(body.length);
  writer.raw(body.view());
  writer.u32(crc32c(writer.view()));
  return writer.copy();
}

/** Total length of a header that begins with `start`, which holds {@link HEADER_START_BYTES}. */
export function backupHeaderBytes(start: Uint8Array): number {
  return HEADER_START_BYTES + new ByteReader(start, HEADER_START_BYTES - 2).u16() + CRC_BYTES;
}

/** The format of a whole header, whose checksum has been compared: nothing else of a newer one can be understood. */
export function checkedBackupFormat(bytes: Uint8Array): number {
  checkCrc(bytes);
  return new ByteReader(bytes, BACKUP_MAGIC.length).u16();
}

/** A whole header of {@link BACKUP_FORMAT}. Throws `WireError`. */
export function decodeBackupHeader(bytes: Uint8Array): BackupHeader {
  const reader = new ByteReader(bytes, HEADER_START_BYTES, bytes.length - CRC_BYTES);
  const header = {
    clusterId: reader.clusterId(),
    shardCount: reader.varint(),
    createdAtMs: readTime(reader),
  };
  reader.expectEnd();
  return header;
}

/** Total length of the frame whose first bytes are `bytes` from `offset`; null while these are too few to know. */
export function backupFrameBytes(bytes: Uint8Array, offset: number): number | null {
  if (bytes.length - offset < TYPE_AND_LENGTH_BYTES) return null;
  const length = new ByteReader(bytes, offset + 1).u32();
  if (length > PAYLOAD_BYTES_MAX) throw new WireError(`a part of ${length} bytes`, offset);
  return length + FRAME_OVERHEAD_BYTES;
}

export function encodeBackupBegin(begin: Omit<BackupBegin, "type">): Uint8Array {
  return frame(BEGIN, (writer) => {
    writer.hex64(begin.clusterId);
    writer.varint(begin.shard);
    writer.varint(begin.appliedIndex);
    writer.varint(begin.revision);
    writer.f64(begin.takenAtMs);
  });
}

/** `packed` as {@link BackupEntriesWriter} makes it. */
export function encodeBackupBlock(block: Omit<BackupBlock, "type">): Uint8Array {
  return frame(
    BLOCK,
    (writer) => {
      writer.varint(block.shard);
      writer.varint(block.sequence);
      writer.varint(block.entries);
      writer.raw(block.packed);
    },
    block.packed.length + 64,
  );
}

export function encodeBackupShardEnd(end: Omit<BackupShardEnd, "type">): Uint8Array {
  return frame(SHARD_END, (writer) => {
    writer.varint(end.shard);
    writer.varint(end.blocks);
    writer.varint(end.entries);
    writer.varint(end.bytes);
  });
}

export function encodeBackupEnd(end: Omit<BackupEnd, "type">): Uint8Array {
  return frame(END, (writer) => {
    writer.varint(end.shards);
    writer.varint(end.entries);
    writer.varint(end.bytes);
  });
}

export function encodeBackupFailed(error: CremaError): Uint8Array {
  return frame(FAILED, (writer) => writeCremaError(writer, error));
}

/** One whole frame. Throws `WireError` when a bit of it is wrong. A block's `packed` is a view on `bytes`. */
export function decodeBackupFrame(bytes: Uint8Array): BackupFrame {
  if (bytes.length < FRAME_OVERHEAD_BYTES)
    throw new WireError("a part of a backup ends too early", bytes.length);
  checkCrc(bytes);
  const reader = new ByteReader(bytes, 0, bytes.length - CRC_BYTES);
  const type = reader.u8();
  if (reader.u32() !== reader.remaining) throw new WireError("the length of a part of a backup is wrong", 1);
  const decoded = decodePayload(type, reader);
  reader.expectEnd();
  return decoded;
}

function decodePayload(type: number, reader: ByteReader): BackupFrame {
  switch (type) {
    case BEGIN:
      return {
        type: "begin",
        clusterId: reader.clusterId(),
        shard: readShardId(reader),
        appliedIndex: reader.varint(),
        revision: reader.varint(),
        takenAtMs: readTime(reader),
      };
    case BLOCK:
      return {
        type: "block",
        shard: readShardId(reader),
        sequence: reader.varint(),
        entries: reader.varint(),
        packed: reader.raw(reader.remaining),
      };
    case SHARD_END:
      return {
        type: "shard-end",
        shard: readShardId(reader),
        blocks: reader.varint(),
        entries: reader.varint(),
        bytes: reader.varint(),
      };
    case END:
      return { type: "end", shards: reader.varint(), entries: reader.varint(), bytes: reader.varint() };
    case FAILED:
      return { type: "failed", error: readCremaError(reader) };
    default:
      throw new WireError(`part of a backup of unknown kind ${type}`, 0);
  }
}

/** The entries of `block`. Throws `WireError` when they are not what it announces. */
export function decodeBackupEntries(block: BackupBlock): readonly BackupEntry[] {
  const reader = new ByteReader(lz4Decompress(block.packed, BLOCK_BYTES_MAX));
  if (block.entries * ENTRY_BYTES_MIN > reader.remaining) {
    throw new WireError(`${block.entries} keys in a block of ${reader.remaining} bytes`, 0);
  }
  const entries: BackupEntry[] = [];
  while (entries.length < block.entries) entries.push(readEntry(reader));
  reader.expectEnd();
  return entries;
}

/** Collects the entries of one block after the other. */
export class BackupEntriesWriter {
  readonly #writer = new ByteWriter(BLOCK_BYTES_AIM);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add({ key, value, remainingMs }: BackupEntry): void {
    this.#writer.u8(remainingMs === null ? STRING : STRING_EXPIRING);
    this.#writer.latin1(key);
    this.#writer.latin1(value);
    if (remainingMs !== null) this.#writer.varint(remainingMs);
    this.#count++;
  }

  /** What was added since the last call, packed; the next block begins empty. */
  pack(): Uint8Array {
    const packed = lz4Compress(this.#writer.view());
    this.#writer.reset();
    this.#count = 0;
    return packed;
  }
}

function readEntry(reader: ByteReader): BackupEntry {
  const kind = reader.u8();
  if (kind !== STRING && kind !== STRING_EXPIRING) {
    throw new WireError(`a value of unknown kind ${kind}`, reader.offset - 1);
  }
  const key = reader.latin1(KEY_BYTES_MAX);
  const value = reader.latin1(VALUE_BYTES_MAX);
  if (key === "") throw new WireError("an empty key", reader.offset);
  if (kind === STRING) return { key, value, remainingMs: null };
  const remainingMs = reader.varint();
  if (remainingMs < 1) throw new WireError("a time to live that has passed", reader.offset);
  return { key, value, remainingMs };
}

function frame(type: number, write: (writer: ByteWriter) => void, bytes = 128): Uint8Array {
  const writer = new ByteWriter(bytes);
  writer.u8(type);
  writer.u32(0);
  write(writer);
  writer.patchU32(1, writer.length - TYPE_AND_LENGTH_BYTES);
  writer.u32(crc32c(writer.view()));
  return writer.take();
}

function checkCrc(bytes: Uint8Array): void {
  const end = bytes.length - CRC_BYTES;
  const expected = new ByteReader(bytes, end).u32();
  if (crc32c(bytes, 0, end) !== expected) throw new WireError("checksum does not match", end);
}

function readTime(reader: ByteReader): number {
  const time = reader.f64();
  if (!Number.isFinite(time)) throw new WireError("a time that is not a number", reader.offset - 8);
  return time;
}
