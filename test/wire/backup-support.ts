/**
 * Backups for tests, made by hand from entries.
 */
import { clusterId, shardId } from "../../src/base/ids.ts";
import {
  BackupEntriesWriter,
  type BackupEntry,
  encodeBackupBegin,
  encodeBackupBlock,
  encodeBackupEnd,
  encodeBackupHeader,
  encodeBackupShardEnd,
} from "../../src/wire/backup-codec.ts";

export const CLUSTER = clusterId("00000000000000c1");
/** One that was founded at the same address later. */
export const OTHER_CLUSTER = clusterId("00000000000000c2");
export const CREATED_AT_MS = 1_790_000_000_000.5;

/** A shard's entries, block by block. */
export type ShardBlocks = readonly (readonly BackupEntry[])[];

/** The parts of one section. */
export function sectionParts(
  shard: number,
  blocks: ShardBlocks,
  takenAtMs = CREATED_AT_MS,
  cluster = CLUSTER,
): Uint8Array[] {
  const id = shardId(shard);
  const all = blocks.flat();
  const bytes = all.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
  return [
    encodeBackupBegin({ clusterId: cluster, shard: id, appliedIndex: 7, revision: 5, takenAtMs }),
    ...blocks.map((entries, sequence) => blockOf(shard, sequence, entries)),
    encodeBackupShardEnd({ shard: id, blocks: blocks.length, entries: all.length, bytes }),
  ];
}

export function blockOf(shard: number, sequence: number, entries: readonly BackupEntry[]): Uint8Array {
  const writer = new BackupEntriesWriter();
  for (const entry of entries) writer.add(entry);
  return encodeBackupBlock({
    shard: shardId(shard),
    sequence,
    entries: entries.length,
    packed: writer.pack(),
  });
}

/** All parts of a file. */
export function fileParts(shards: readonly ShardBlocks[], takenAtMs = CREATED_AT_MS): Uint8Array[] {
  const all = shards.flat(2);
  return [
    encodeBackupHeader({ clusterId: CLUSTER, shardCount: shards.length, createdAtMs: takenAtMs }),
    ...shards.flatMap((blocks, shard) => sectionParts(shard, blocks, takenAtMs)),
    encodeBackupEnd({
      shards: shards.length,
      entries: all.length,
      bytes: all.reduce((sum, { key, value }) => sum + key.length + value.length, 0),
    }),
  ];
}

export function entry(
  key: string,
  value = `value of ${key}`,
  remainingMs: number | null = null,
): BackupEntry {
  return { key, value, remainingMs };
}

/** Two shards, one of them empty, small enough to damage every bit of. */
export const SMALL_FILE: readonly ShardBlocks[] = [
  [[entry("a"), entry("\0\xff\x80", "\xff\0".repeat(40), 1)], [entry("b", "", 86_400_000)]],
  [],
];
