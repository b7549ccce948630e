/**
 * Commands that store and change whole values. Each is a function of the shard and the command and answers its reply;
 * a refused command changes nothing.
 */

import { unreachable } from "../base/assert.ts";
import { VALUE_BYTES_MAX } from "../base/limits.ts";
import type { CacheEntry } from "./cache-entry.ts";
import {
  type AppendCommand,
  type GetDeleteCommand,
  type GetExpireCommand,
  KEEP_TTL,
  NO_TTL,
  type SetCommand,
  type SetManyCommand,
  type SetRangeCommand,
} from "./command.ts";
import { flatConcat } from "./flat-string.ts";
import { NEVER_MS } from "./keyspace.ts";
import { FAULTS, type Reply } from "./reply.ts";
import type { ShardState } from "./shard-state.ts";

export function applySet(shard: ShardState, command: SetCommand): Reply {
  const { key, value } = command;
  if (value.length > VALUE_BYTES_MAX) return FAULTS["value-too-large"];
  const entry = shard.live(key);
  const old = command.returnOld && entry !== undefined ? entry.value : null;
  if (!conditionHolds(command, entry)) return command.returnOld ? [null, old] : null;
  if (entry === undefined && shard.full) return FAULTS["shard-full"];
  const stored = store(shard, key, entry, value);
  if (command.ttlMs > NO_TTL) shard.setExpiry(key, stored, shard.machineTimeMs + command.ttlMs);
  else if (command.ttlMs === NO_TTL && entry !== undefined) shard.setExpiry(key, stored, NEVER_MS);
  return command.returnOld ? [stored.version, old] : stored.version;
}

export function applySetMany(shard: ShardState, command: SetManyCommand): Reply {
  let added = 0;
  for (const [key, value] of command.pairs) {
    if (value.length > VALUE_BYTES_MAX) return FAULTS["value-too-large"];
    if (shard.live(key) === undefined) added++;
    else if (command.onlyIfAllAbsent) return 0;
  }
  // A key named twice is counted twice here: close to the limit that refuses a little early, the same on every replica.
  if (added > 0 && shard.keyspace.size + added > shard.options.keysMax) return FAULTS["shard-full"];
  for (const [key, value] of command.pairs) {
    const stored = store(shard, key, shard.live(key), value);
    shard.setExpiry(key, stored, NEVER_MS);
  }
  return 1;
}

export function applyGetDelete(shard: ShardState, command: GetDeleteCommand): Reply {
  const entry = shard.live(command.key);
  if (entry === undefined) return null;
  shard.remove(command.key, entry);
  return entry.value;
}

export function applyGetExpire(shard: ShardState, command: GetExpireCommand): Reply {
  const entry = shard.live(command.key);
  if (entry === undefined) return null;
  if (command.ttlMs > NO_TTL) shard.setExpiry(command.key, entry, shard.machineTimeMs + command.ttlMs);
  else if (command.ttlMs !== KEEP_TTL) shard.setExpiry(command.key, entry, NEVER_MS);
  return entry.value;
}

export function applyAppend(shard: ShardState, command: AppendCommand): Reply {
  const entry = shard.live(command.key);
  const old = entry === undefined ? "" : entry.value;
  const length = old.length + command.value.length;
  if (length > VALUE_BYTES_MAX) return FAULTS["value-too-large"];
  if (entry === undefined && shard.full) return FAULTS["shard-full"];
  store(shard, command.key, entry, flatConcat(old, command.value));
  return length;
}

export function applySetRange(shard: ShardState, command: SetRangeCommand): Reply {
  const { key, offset, value } = command;
  const entry = shard.live(key);
  const old = entry === undefined ? "" : entry.value;
  if (value.length === 0) return old.length;
  if (offset + value.length > VALUE_BYTES_MAX) return FAULTS["value-too-large"];
  if (entry === undefined && shard.full) return FAULTS["shard-full"];
  const before = old.length >= offset ? old.slice(0, offset) : old.padEnd(offset, "\0");
  const changed = flatConcat(before + value, old.slice(offset + value.length));
  store(shard, key, entry, changed);
  return changed.length;
}

function store(shard: ShardState, key: string, entry: CacheEntry | undefined, value: string): CacheEntry {
  if (entry === undefined) return shard.insert(key, value);
  shard.replace(key, entry, value);
  return entry;
}

function conditionHolds(command: SetCommand, entry: CacheEntry | undefined): boolean {
  switch (command.condition) {
    case "always":
      return true;
    case "if-absent":
      return entry === undefined;
    case "if-present":
      return entry !== undefined;
    case "if-version":
      return command.expectedVersion === (entry === undefined ? 0 : entry.version);
    default:
      return unreachable(command.condition);
  }
}
