/**
 * Reads a backup as its bytes come, in pieces of any size, and believes nothing of it before its checksum and its place
 * are right. It holds one part at a time, so a file of any length is read in little memory.
 */
import { Buffer } from "node:buffer";
import { unreachable } from "../base/assert.ts";
import { SHARDS_MAX, type ShardId } from "../base/ids.ts";
import {
  BACKUP_FORMAT,
  BACKUP_MAGIC,
  type BackupFrame,
  type BackupHeader,
  backupFrameBytes,
  backupHeaderBytes,
  checkedBackupFormat,
  decodeBackupEntries,
  decodeBackupFrame,
  decodeBackupHeader,
  HEADER_START_BYTES,
} from "./backup-codec.ts";
import { WireError } from "./wire-error.ts";

const BUFFER_BYTES_INITIAL = 64 * 1024;

/** `not-a-backup`: something else. `newer-format`: written by a later version. `damaged`: not what was written. */
export type BackupFaultKind = "not-a-backup" | "newer-format" | "damaged";

/** Why bytes are no backup that can be read: where, and of which shard. */
export class BackupFault extends Error {
  override readonly name = "BackupFault";
  readonly kind: BackupFaultKind;
  /** Bytes from the start to the part that is wrong. */
  readonly offset: number;
  /** null outside the sections. */
  readonly shard: number | null;

  constructor(kind: BackupFaultKind, message: string, offset: number, shard: number | null, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.offset = offset;
    this.shard = shard;
  }
}

/** One part of a backup that is as it was written and where it belongs. */
export interface BackupPart {
  /** null for the header. */
  readonly frame: BackupFrame | null;
  /** null for everything but the header. */
  readonly header: BackupHeader | null;
  /** The whole part, as it goes into a file. A copy. */
  readonly bytes: Uint8Array;
  readonly offset: number;
}

/** What is counted while parts come: of one section, or of the whole. */
interface Count {
  blocks: number;
  entries: number;
  bytes: number;
}

export interface BackupReaderOptions {
  /** A whole file, or the section of one shard as a node streams it. */
  readonly of: "file" | { readonly shard: number };
  /** Unpack every block too, and count what is in it. */
  readonly deep: boolean;
}

export class BackupReader {
  readonly #isFile: boolean;
  readonly #deep: boolean;
  #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES_INITIAL);
  #start = 0;
  #end = 0;
  /** Where the first unread byte stands in the whole. */
  #offset = 0;
  #header: BackupHeader | null = null;
  /** The shard whose section is open; null between sections. */
  #open: ShardId | null = null;
  #nextShard: number;
  #section: Count = { blocks: 0, entries: 0, bytes: 0 };
  readonly #total: Count = { blocks: 0, entries: 0, bytes: 0 };
  #ended = false;

  constructor({ of, deep }: BackupReaderOptions) {
    this.#isFile = of === "file";
    this.#deep = deep;
    this.#nextShard = of === "file" ? 0 : of.shard;
  }

  /** null until the header was read; always null of a section. */
  get header(): BackupHeader | null {
    return this.#header;
  }

  /** Sections read to their end, and what was in them. */
  get totals(): {
    readonly shards: number;
    readonly blocks: number;
    readonly entries: number;
    readonly bytes: number;
  } {
    return { shards: this.#isFile ? this.#nextShard : Number(this.#ended), ...this.#total };
  }

  /** Answers the parts that `bytes` completes, in order. Throws {@link BackupFault}. */
  *push(bytes: Uint8Array): Generator<BackupPart, void> {
    this.#append(bytes);
    for (let part = this.#nextPart(); part !== null; part = this.#nextPart()) yield part;
  }

  /** Throws {@link BackupFault} unless everything was read to its end. */
  finish(): void {
    if (this.#ended && this.#start === this.#end) return;
    if (this.#isFile && this.#header === null)
      this.#refuseStranger(this.#buffer.subarray(this.#start, this.#end));
    throw this.#damage("it ends too early");
  }

  #nextPart(): BackupPart | null {
    const unread = this.#buffer.subarray(this.#start, this.#end);
    if (this.#isFile && this.#header === null) return this.#nextHeader(unread);
    if (unread.length === 0) return null;
    if (this.#ended) throw this.#damage("more bytes follow its end");
    const length = this.#checked(() => backupFrameBytes(unread, 0));
    if (length === null || unread.length < length) return null;
    const bytes = Buffer.from(unread.subarray(0, length));
    const frame = this.#checked(() => decodeBackupFrame(bytes));
    this.#place(frame);
    return this.#taken(frame, bytes);
  }

  #nextHeader(unread: Buffer): BackupPart | null {
    this.#refuseStranger(unread);
    if (unread.length < HEADER_START_BYTES) return null;
    const length = backupHeaderBytes(unread);
    if (unread.length < length) return null;
    const bytes = Buffer.from(unread.subarray(0, length));
    const format = this.#checked(() => checkedBackupFormat(bytes));
    if (format !== BACKUP_FORMAT) {
      const message = `it has format ${format}, and this version of crema reads format ${BACKUP_FORMAT}`;
      throw new BackupFault("newer-format", message, BACKUP_MAGIC.length, null);
    }
    const header = this.#checked(() => decodeBackupHeader(bytes));
    if (header.shardCount < 1 || header.shardCount > SHARDS_MAX) {
      throw this.#damage(`it speaks of ${header.shardCount} shards`);
    }
    this.#header = header;
    return this.#taken(null, bytes);
  }

  /** Something that does not begin as a backup does is none, however short it is. */
  #refuseStranger(unread: Buffer): void {
    const begins = Math.min(unread.length, BACKUP_MAGIC.length);
    if (begins > 0 && unread.subarray(0, begins).equals(BACKUP_MAGIC.subarray(0, begins))) return;
    if (begins === 0 && this.#offset === 0 && unread.length === 0) return;
    throw new BackupFault("not-a-backup", "it does not begin as a backup does", 0, null);
  }

  /** Whether `frame` belongs here. */
  #place(frame: BackupFrame): void {
    switch (frame.type) {
      case "begin":
        if (this.#open !== null || frame.shard !== this.#nextShard || this.#nextShard >= this.#shardCount) {
          throw this.#damage(`shard ${frame.shard} begins where ${this.#expectation} was due`);
        }
        if (this.#header !== null && frame.clusterId !== this.#header.clusterId) {
          throw this.#damage(`shard ${frame.shard} comes from cluster ${frame.clusterId}`);
        }
        this.#open = frame.shard;
        this.#section = { blocks: 0, entries: 0, bytes: 0 };
        return;
      case "block":
        if (frame.shard !== this.#open || frame.sequence !== this.#section.blocks) {
          throw this.#damage(
            `block ${frame.sequence} of shard ${frame.shard} where ${this.#expectation} was due`,
          );
        }
        this.#section.blocks++;
        this.#section.entries += frame.entries;
        if (!this.#deep) return;
        for (const { key, value } of this.#checked(() => decodeBackupEntries(frame)))
          this.#section.bytes += key.length + value.length;
        return;
      case "shard-end":
        this.#closeSection(frame.shard, frame);
        return;
      case "end": {
        const { shards, entries, bytes } = frame;
        const complete = this.#isFile && this.#open === null && shards === this.#nextShard;
        if (!complete || shards !== this.#shardCount)
          throw this.#damage(`it ends where ${this.#expectation} was due`);
        if (entries !== this.#total.entries || bytes !== this.#total.bytes)
          throw this.#damage("its totals are wrong");
        this.#ended = true;
        return;
      }
      case "failed":
        if (this.#isFile) throw this.#damage("it holds the failure of a stream");
        throw frame.error;
      default:
        unreachable(frame);
    }
  }

  #closeSection(shard: ShardId, end: Count): void {
    const { blocks, entries, bytes } = this.#section;
    const counted = end.blocks === blocks && end.entries === entries && (!this.#deep || end.bytes === bytes);
    if (shard !== this.#open || !counted) {
      throw this.#damage(
        `shard ${shard} ends with ${end.blocks} blocks of ${end.entries} keys, not as it was counted`,
      );
    }
    this.#open = null;
    this.#nextShard++;
    this.#total.blocks += end.blocks;
    this.#total.entries += end.entries;
    this.#total.bytes += end.bytes;
    if (!this.#isFile) this.#ended = true;
  }

  get #shardCount(): number {
    return this.#isFile ? (this.#header?.shardCount ?? 0) : SHARDS_MAX;
  }

  get #expectation(): string {
    if (this.#open !== null) return `block ${this.#section.blocks} or the end of shard ${this.#open}`;
    return this.#nextShard < this.#shardCount ? `shard ${this.#nextShard}` : "the end";
  }

  #damage(message: string, cause?: unknown): BackupFault {
    const within = this.#header !== null || !this.#isFile;
    const next = this.#nextShard < this.#shardCount ? this.#nextShard : null;
    return new BackupFault("damaged", message, this.#offset, within ? (this.#open ?? next) : null, cause);
  }

  /** What `read` answers; what is wrong with the bytes becomes a fault that says where. */
  #checked<Result>(read: () => Result): Result {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      throw this.#damage(error.message, error);
    }
  }

  #taken(frame: BackupFrame | null, bytes: Uint8Array): BackupPart {
    const header = frame === null ? this.#header : null;
    const part = { frame, header, bytes, offset: this.#offset };
    this.#start += bytes.length;
    this.#offset += bytes.length;
    return part;
  }

  #append(bytes: Uint8Array): void {
    const unread = this.#end - this.#start;
    if (this.#end + bytes.length > this.#buffer.length) {
      const needed = unread + bytes.length;
      const target =
        needed > this.#buffer.length
          ? Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2))
          : this.#buffer;
      this.#buffer.copy(target, 0, this.#start, this.#end);
      this.#buffer = target;
      this.#start = 0;
      this.#end = unread;
    }
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }
}
