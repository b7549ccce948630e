/**
 * Commands about keys rather than values: removing, renaming, and when they expire.
 */
import { unreachable } from "../base/assert.ts";
import type {
  DeleteCommand,
  DeleteIfVersionCommand,
  EvictCommand,
  ExpireCommand,
  PersistCommand,
  RemoveExpiredCommand,
  RenameCommand,
} from "./command.ts";
import { NEVER_MS } from "./keyspace.ts";
import { FAULTS, type Reply } from "./reply.ts";
import type { ShardState } from "./shard-state.ts";

export function applyDelete(shard: ShardState, command: DeleteCommand): Reply {
  let removed = 0;
  for (const key of command.keys) {
    const entry = shard.live(key);
    if (entry === undefined) continue;
    shard.remove(key, entry);
    removed++;
  }
  return removed;
}

export function applyDeleteIfVersion(shard: ShardState, command: DeleteIfVersionCommand): Reply {
  const entry = shard.live(command.key);
  if (entry === undefined || entry.version !== command.expectedVersion) return 0;
  shard.remove(command.key, entry);
  return 1;
}

export function applyExpire(shard: ShardState, command: ExpireCommand): Reply {
  const entry = shard.live(command.key);
  if (entry === undefined) return 0;
  const expiresAtMs = shard.machineTimeMs + command.ttlMs;
  if (!expiryConditionHolds(command.condition, shard.keyspace.expiryOf(entry), expiresAtMs)) return 0;
  if (command.ttlMs <= 0) shard.remove(command.key, entry);
  else shard.setExpiry(command.key, entry, expiresAtMs);
  return 1;
}

export function applyPersist(shard: ShardState, command: PersistCommand): Reply {
  const entry = shard.live(command.key);
  if (entry === undefined || shard.keyspace.expiryOf(entry) === NEVER_MS) return 0;
  shard.setExpiry(command.key, entry, NEVER_MS);
  return 1;
}

export function applyRename(shard: ShardState, command: RenameCommand): Reply {
  const { from, to } = command;
  const source = shard.live(from);
  if (source === undefined) return FAULTS["no-such-key"];
  if (from === to) return command.onlyIfAbsent ? 0 : 1;
  const target = shard.live(to);
  if (target !== undefined && command.onlyIfAbsent) return 0;
  const { value } = source;
  const expiresAtMs = shard.keyspace.expiryOf(source);
  shard.remove(from, source);
  let moved = target;
  if (moved === undefined) moved = shard.insert(to, value);
  else shard.replace(to, moved, value);
  shard.setExpiry(to, moved, expiresAtMs);
  return 1;
}

export function applyClear(shard: ShardState): Reply {
  // Keys whose time is over are gone already: they expire first, in an order that is the same on every replica.
  const due = shard.keyspace.expiries.due(shard.machineTimeMs, shard.keyspace.size);
  due.sort((left, right) =>
    left.expiresAtMs !== right.expiresAtMs
      ? left.expiresAtMs - right.expiresAtMs
      : left.key < right.key
        ? -1
        : 1,
  );
  for (const { key } of due) shard.live(key);
  const count = shard.keyspace.size;
  if (count > 0) shard.clear();
  return count;
}

export function applyRemoveExpired(shard: ShardState, command: RemoveExpiredCommand): Reply {
  let removed = 0;
  for (const { key, expiresAtMs } of command.items) {
    const entry = shard.keyspace.entries.get(key);
    if (entry === undefined || expiresAtMs > shard.machineTimeMs) continue;
    if (shard.keyspace.expiryOf(entry) !== expiresAtMs) continue;
    shard.expire(key, entry);
    removed++;
  }
  return removed;
}

/**
 * A key that was written since it was chosen has another version and stays. One whose time is over at this entry is
 * absent already, as for every command.
 */
export function applyEvict(shard: ShardState, command: EvictCommand): Reply {
  let removed = 0;
  for (const { key, version } of command.items) {
    const entry = shard.live(key);
    if (entry === undefined || entry.version !== version) continue;
    shard.evict(key, entry, command.reason);
    removed++;
  }
  return removed;
}

/** Redis: a key without expiry expires infinitely late. */
function expiryConditionHolds(
  condition: ExpireCommand["condition"],
  nowAtMs: number,
  nextAtMs: number,
): boolean {
  switch (condition) {
    case "always":
      return true;
    case "if-none":
      return nowAtMs === NEVER_MS;
    case "if-some":
      return nowAtMs !== NEVER_MS;
    case "if-later":
      return nextAtMs > nowAtMs;
    case "if-earlier":
      return nextAtMs < nowAtMs;
    default:
      return unreachable(condition);
  }
}
