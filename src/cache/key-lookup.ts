/**
 * How a query sees a key: present, absent, or present only until its expiry is committed.
 */
import { type CacheEntry, NO_EXPIRY_SLOT } from "./cache-entry.ts";
import { ExpiredFirst } from "./expired-first.ts";
import type { ShardState } from "./shard-state.ts";

/**
 * Whether the time of `entry` is over for somebody who asks at `nowMs`; null asks at machine time. An asker whose
 * clock is behind the machine's is served at machine time: what committed entries have passed never comes back.
 */
export function isExpired(shard: ShardState, entry: CacheEntry, nowMs: number | null): boolean {
  if (entry.expirySlot === NO_EXPIRY_SLOT) return false;
  return shard.keyspace.expiryOf(entry) <= askedAtMs(shard, nowMs);
}

/** The time a query is answered for. */
export function askedAtMs(shard: ShardState, nowMs: number | null): number {
  return nowMs !== null && nowMs > shard.machineTimeMs ? nowMs : shard.machineTimeMs;
}

/** Looks `key` up without counting. With `nowMs` null an expired key is absent, else its removal comes first. */
export function peek(
  shard: ShardState,
  key: string,
  nowMs: number | null,
): CacheEntry | undefined | ExpiredFirst {
  const entry = shard.keyspace.entries.get(key);
  if (entry === undefined || !isExpired(shard, entry, nowMs)) return entry;
  if (nowMs === null) return undefined;
  return new ExpiredFirst([{ key, expiresAtMs: shard.keyspace.expiryOf(entry) }]);
}

/** Looks `key` up and counts a hit or a miss. */
export function lookUp(
  shard: ShardState,
  key: string,
  nowMs: number | null,
): CacheEntry | undefined | ExpiredFirst {
  const found = peek(shard, key, nowMs);
  if (found === undefined) shard.misses++;
  else if (!(found instanceof ExpiredFirst)) used(shard, found);
  return found;
}

/** Looks several keys up and counts; all removals that must come first are asked for at once. */
export function lookUpMany(
  shard: ShardState,
  keys: readonly string[],
  nowMs: number | null,
): (CacheEntry | undefined)[] | ExpiredFirst {
  const found: (CacheEntry | undefined)[] = [];
  const expired = new Map<string, number>();
  for (const key of keys) {
    const entry = peek(shard, key, nowMs);
    if (entry instanceof ExpiredFirst)
      for (const item of entry.items) expired.set(item.key, item.expiresAtMs);
    else found.push(entry);
  }
  if (expired.size > 0)
    return new ExpiredFirst([...expired].map(([key, expiresAtMs]) => ({ key, expiresAtMs })));
  for (const entry of found) {
    if (entry === undefined) shard.misses++;
    else used(shard, entry);
  }
  return found;
}

function used(shard: ShardState, entry: CacheEntry): void {
  shard.hits++;
  shard.touch(entry);
}
