/**
 * One checkpoint as a file: a header, one block for each slice of the snapshot, an end. Blocks are compressed (LZ4) and carry the
 * CRC-32C of what is stored, so that a reader believes nothing it has not checked, and knows by the end that nothing is missing.
 *
 *   "CREMACKP" | u32 version | blocks | u32 0xffffffff | u32 number of blocks | u32 CRC-32C of all block checksums
 *   block:  u32 stored bytes | u32 bytes of the slice | u32 CRC-32C of the stored bytes | stored bytes
 *
 * Numbers are big-endian.
 */
import { closeSync, openSync, readSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { crc32c } from "../wire/crc32c.ts";
import { lz4Compress, lz4Decompress } from "../wire/lz4.ts";

export const CHECKPOINT_FORMAT = 1;
const MAGIC = Buffer.from("CREMACKP", "latin1");
const HEADER_BYTES = MAGIC.length + 4;
const BLOCK_HEADER_BYTES = 12;
const END_BYTES = 12;
const END_MARK = 0xffff_ffff;
/** No slice is longer: it holds whole records, and the longest record is a value with its key. */
const SLICE_BYTES_MAX = 64 * 1024 * 1024;
/** So much is buffered before it is written. */
const WRITE_BYTES_AIM = 1024 * 1024;

/** A file that cannot be believed. */
export class CheckpointDamage extends Error {
  override readonly name = "CheckpointDamage";
}

/** Appends slices to a file. One call at a time; whoever calls sees to the order. */
export class CheckpointEncoder {
  readonly #file: FileHandle;
  #parts: Uint8Array[] = [];
  #partsBytes = 0;
  #blocks = 0;
  #checksums: number[] = [];
  /** Bytes of the file, once everything given so far is written. */
  bytes = 0;

  constructor(file: FileHandle) {
    this.#file = file;
    const header = Buffer.alloc(HEADER_BYTES);
    MAGIC.copy(header);
    header.writeUInt32BE(CHECKPOINT_FORMAT, MAGIC.length);
    this.#add(header);
  }

  async write(slice: Uint8Array): Promise<void> {
    const stored = lz4Compress(slice);
    const checksum = crc32c(stored);
    const header = Buffer.alloc(BLOCK_HEADER_BYTES);
    header.writeUInt32BE(stored.length, 0);
    header.writeUInt32BE(slice.length, 4);
    header.writeUInt32BE(checksum, 8);
    this.#blocks++;
    this.#checksums.push(checksum);
    this.#add(header);
    this.#add(stored);
    if (this.#partsBytes >= WRITE_BYTES_AIM) await this.#flush();
  }

  /** Writes the end, and syncs the file. */
  async finish(): Promise<void> {
    const end = Buffer.alloc(END_BYTES);
    end.writeUInt32BE(END_MARK, 0);
    end.writeUInt32BE(this.#blocks, 4);
    end.writeUInt32BE(checksumOf(this.#checksums), 8);
    this.#add(end);
    await this.#flush();
    await this.#file.sync();
  }

  #add(part: Uint8Array): void {
    this.#parts.push(part);
    this.#partsBytes += part.length;
    this.bytes += part.length;
  }

  async #flush(): Promise<void> {
    const parts = this.#parts;
    this.#parts = [];
    this.#partsBytes = 0;
    await this.#file.writev(parts);
  }
}

/** The slices of the file at `path`, in order, each checked. Throws {@link CheckpointDamage}, or what the file system says. */
export function* readCheckpoint(path: string): Generator<Uint8Array, void> {
  for (const { stored, sliceBytes } of readBlocks(path)) yield decompress(path, stored, sliceBytes);
}

/** Why the file at `path` is of no use; null when every checksum in it is right. */
export function checkpointDamage(path: string): string | null {
  try {
    // What matches its checksum is what was written, so it need not be unpacked to be believed.
    for (const block of readBlocks(path)) void block;
    return null;
  } catch (error) {
    if (error instanceof CheckpointDamage) return error.message;
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return `${path} is missing`;
    if (error instanceof Error && "code" in error && error.code === "EIO") return `${path}: ${error.message}`;
    throw error;
  }
}

interface Block {
  /** Valid until the next one is asked for. */
  readonly stored: Uint8Array;
  readonly sliceBytes: number;
}

function* readBlocks(path: string): Generator<Block, void> {
  const file = openSync(path, "r");
  try {
    const reader = new FileReader(path, file);
    const header = reader.take(HEADER_BYTES);
    if (!MAGIC.equals(header.subarray(0, MAGIC.length)))
      throw new CheckpointDamage(`${path} is no checkpoint`);
    const version = header.readUInt32BE(MAGIC.length);
    if (version !== CHECKPOINT_FORMAT)
      throw new CheckpointDamage(`${path} has format ${version}, not ${CHECKPOINT_FORMAT}`);
    const checksums: number[] = [];
    for (;;) {
      const at = reader.offset;
      const head = reader.take(BLOCK_HEADER_BYTES);
      const storedBytes = head.readUInt32BE(0);
      const sliceBytes = head.readUInt32BE(4);
      const checksum = head.readUInt32BE(8);
      if (storedBytes === END_MARK) {
        if (sliceBytes !== checksums.length || checksum !== checksumOf(checksums))
          throw new CheckpointDamage(`${path}: the end at byte ${at} does not fit what is before it`);
        reader.expectEnd();
        return;
      }
      if (storedBytes > SLICE_BYTES_MAX || sliceBytes > SLICE_BYTES_MAX)
        throw new CheckpointDamage(`${path}: the block at byte ${at} has an impossible length`);
      const stored = reader.take(storedBytes);
      if (crc32c(stored) !== checksum)
        throw new CheckpointDamage(`${path}: the block at byte ${at} does not match its checksum`);
      if (storedBytes < 4 || stored.readUInt32LE(0) !== sliceBytes)
        throw new CheckpointDamage(`${path}: the block at byte ${at} has another length than it says`);
      checksums.push(checksum);
      yield { stored, sliceBytes };
    }
  } finally {
    closeSync(file);
  }
}

function decompress(path: string, stored: Uint8Array, sliceBytes: number): Uint8Array {
  try {
    const slice = lz4Decompress(stored, SLICE_BYTES_MAX);
    if (slice.length === sliceBytes) return slice;
  } catch (error) {
    throw new CheckpointDamage(`${path}: a block cannot be decompressed: ${String(error)}`);
  }
  throw new CheckpointDamage(`${path}: a block has another length than it says`);
}

function checksumOf(checksums: readonly number[]): number {
  const bytes = Buffer.alloc(checksums.length * 4);
  for (const [at, checksum] of checksums.entries()) bytes.writeUInt32BE(checksum, at * 4);
  return crc32c(bytes);
}

/** Reads a file from front to back. */
class FileReader {
  readonly #path: string;
  readonly #file: number;
  offset = 0;

  constructor(path: string, file: number) {
    this.#path = path;
    this.#file = file;
  }

  take(bytes: number): Buffer {
    const buffer = Buffer.allocUnsafe(bytes);
    let filled = 0;
    while (filled < bytes) {
      const read = readSync(this.#file, buffer, filled, bytes - filled, this.offset + filled);
      if (read === 0)
        throw new CheckpointDamage(`${this.#path} ends too early, at byte ${this.offset + filled}`);
      filled += read;
    }
    this.offset += bytes;
    return buffer;
  }

  expectEnd(): void {
    const read = readSync(this.#file, Buffer.alloc(1), 0, 1, this.offset);
    if (read !== 0)
      throw new CheckpointDamage(`${this.#path} goes on behind its end, at byte ${this.offset}`);
  }
}
