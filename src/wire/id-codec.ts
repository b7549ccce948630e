/**
 * Small ids from the wire. What is out of range is the sender's fault, hence a `WireError`, never an assertion here.
 */
import { type GroupId, groupId, SHARDS_MAX, type ShardId, shardId } from "../base/ids.ts";
import type { ByteReader } from "./byte-reader.ts";
import { WireError } from "./wire-error.ts";

export function readGroupId(reader: ByteReader): GroupId {
  return groupId(atMost(reader, SHARDS_MAX));
}

export function readShardId(reader: ByteReader): ShardId {
  return shardId(atMost(reader, SHARDS_MAX - 1));
}

function atMost(reader: ByteReader, most: number): number {
  const value = reader.varint();
  if (value > most) throw new WireError(`id ${value} above ${most}`, reader.offset);
  return value;
}
