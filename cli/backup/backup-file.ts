/**
 * Reading a backup file: part by part, every checksum compared, in the words people need when it is wrong.
 */
import { type FileHandle, open } from "node:fs/promises";
import type { BackupHeader } from "../../src/wire/backup-codec.ts";
import { BackupFault, type BackupPart, BackupReader } from "../../src/wire/backup-reader.ts";
import { CommandFailed } from "../command-failed.ts";

const READ_BYTES = 1024 * 1024;

/** What is in a file. */
export interface BackupSummary {
  readonly header: BackupHeader;
  readonly shards: number;
  readonly blocks: number;
  readonly keys: number;
  /** Keys and values, unpacked. */
  readonly bytes: number;
  readonly fileBytes: number;
}

/**
 * Hands every part of the file to `onPart`, in order. `deep` unpacks the blocks too. Throws `CommandFailed` when the file cannot be
 * read, is no backup, has a newer format, or is damaged, saying where.
 */
export async function readBackupFile(
  path: string,
  deep: boolean,
  onPart: (part: BackupPart) => void | Promise<void>,
): Promise<BackupSummary> {
  const file = await openFile(path);
  const reader = new BackupReader({ of: "file", deep });
  let fileBytes = 0;
  try {
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    for (;;) {
      const { bytesRead } = await readSome(path, file, buffer, fileBytes);
      if (bytesRead === 0) break;
      fileBytes += bytesRead;
      for (const part of reader.push(buffer.subarray(0, bytesRead))) {
        const taken = onPart(part);
        if (taken instanceof Promise) await taken;
      }
    }
    reader.finish();
  } catch (error) {
    throw error instanceof BackupFault ? new CommandFailed(faultText(path, error), { cause: error }) : error;
  } finally {
    await file.close();
  }
  const { header, totals } = reader;
  if (header === null) throw new Error("a file that was read to its end has a header");
  const { shards, blocks, entries: keys, bytes } = totals;
  return { header, shards, blocks, keys, bytes, fileBytes };
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      throw new CommandFailed(`no such file: ${path}`, { cause: error });
    }
    throw unreadable(path, error);
  }
}

async function readSome(
  path: string,
  file: FileHandle,
  buffer: Buffer,
  at: number,
): Promise<{ bytesRead: number }> {
  try {
    return await file.read(buffer, 0, buffer.length, at);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): CommandFailed {
  const reason = error instanceof Error ? error.message : String(error);
  return new CommandFailed(`${path} cannot be read: ${reason}`, { cause: error });
}

function faultText(path: string, fault: BackupFault): string {
  switch (fault.kind) {
    case "not-a-backup":
      return `${path} is not a backup of crema: ${fault.message}`;
    case "newer-format":
      return `${path} was written by a newer version of crema: ${fault.message}`;
    case "damaged": {
      const where = fault.shard === null ? "" : `, in shard ${fault.shard}`;
      return `${path} is damaged at byte ${fault.offset}${where}: ${fault.message}`;
    }
  }
}
