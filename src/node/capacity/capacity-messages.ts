/**
 * What nodes ask of a shard's leader about room, as plain values for `host/links/calls`. What arrives comes from
 * another node and is looked through before it is used.
 */
import { CremaError } from "../../base/errors.ts";
import { type ShardId, shardId } from "../../base/ids.ts";
import { KEY_BYTES_MAX } from "../../base/limits.ts";
import type { Holding } from "./capacity-limits.ts";
import { HINT_KEYS_MAX } from "./use-hints.ts";

/** "Of the shards that you lead, these are too much for me." Answer: null. */
export const MAKE_ROOM = "make-room";
/** "These keys were read here." Answer: null. */
export const KEYS_USED = "keys-used";

/** Shards in one message: more than a cluster has. */
const SHARDS_MAX = 4_096;

export interface RoomRequest {
  /** What each shard may hold at most; Infinity where it does not matter. */
  readonly shrink: readonly (readonly [shard: ShardId, target: Holding])[];
  /** Shards that must not grow for now. */
  readonly hold: readonly ShardId[];
}

export type UsedKeys = readonly (readonly [shard: ShardId, keys: readonly string[]])[];

export function roomRequestOf(params: unknown): RoomRequest {
  const { shrink, hold } = record(params);
  return {
    shrink: list(shrink, SHARDS_MAX).map((each) => {
      const [shard, bytes, entries] = list(each, 3);
      return [shardOf(shard), { bytes: amount(bytes), entries: amount(entries) }] as const;
    }),
    hold: list(hold, SHARDS_MAX).map(shardOf),
  };
}

export function roomParams({ shrink, hold }: RoomRequest): unknown {
  return { shrink: shrink.map(([shard, { bytes, entries }]) => [shard, bytes, entries]), hold };
}

export function usedKeysOf(params: unknown): UsedKeys {
  return list(params, SHARDS_MAX).map((each) => {
    const [shard, keys] = list(each, 2);
    return [shardOf(shard), list(keys, HINT_KEYS_MAX).map(keyOf)] as const;
  });
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) throw malformed();
  return value as Readonly<Record<string, unknown>>;
}

function list(value: unknown, itemsMax: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > itemsMax) throw malformed();
  return value;
}

function shardOf(value: unknown): ShardId {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value >= SHARDS_MAX)
    throw malformed();
  return shardId(value);
}

function amount(value: unknown): number {
  if (typeof value !== "number" || !(value >= 0)) throw malformed();
  return value;
}

function keyOf(value: unknown): string {
  if (typeof value !== "string" || value.length > KEY_BYTES_MAX) throw malformed();
  return value;
}

function malformed(): CremaError {
  return new CremaError("CREMA_PROTOCOL", "a message about room is malformed");
}
