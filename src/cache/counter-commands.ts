/**
 * Commands that add to a number kept in a string. The expiry of the key stays; a refused sum changes nothing.
 */
import type { CacheEntry } from "./cache-entry.ts";
import type { IncrementCommand, IncrementFloatCommand } from "./command.ts";
import { addDecimals, parseDecimal } from "./float-text.ts";
import { addInt64, parseInt64 } from "./integer-text.ts";
import { FAULTS, type Reply } from "./reply.ts";
import type { ShardState } from "./shard-state.ts";

export function applyIncrement(shard: ShardState, command: IncrementCommand): Reply {
  const entry = shard.live(command.key);
  const old = entry === undefined ? 0 : parseInt64(entry.value);
  if (old === null) return FAULTS["not-an-integer"];
  const sum = addInt64(old, command.by);
  if (sum === null) return FAULTS["increment-overflow"];
  return store(shard, command.key, entry, sum.toString()) ? sum : FAULTS["shard-full"];
}

export function applyIncrementFloat(shard: ShardState, command: IncrementFloatCommand): Reply {
  const entry = shard.live(command.key);
  const old = entry === undefined ? 0n : parseDecimal(entry.value);
  if (old === null) return FAULTS["not-a-float"];
  const by = parseDecimal(String(command.by));
  if (old === "infinite" || by === "infinite" || by === null) return FAULTS["increment-nan"];
  const sum = addDecimals(old, by);
  if (sum === null) return FAULTS["increment-nan"];
  return store(shard, command.key, entry, sum) ? sum : FAULTS["shard-full"];
}

/** False when the key would be one too many. */
function store(shard: ShardState, key: string, entry: CacheEntry | undefined, value: string): boolean {
  if (entry !== undefined) shard.replace(key, entry, value);
  else if (shard.full) return false;
  else shard.insert(key, value);
  return true;
}
