/**
 * Queries about many keys that were not named: counting, listing, scanning, drawing one.
 */
import type { ExpiryItem } from "./command.ts";
import { ExpiredFirst } from "./expired-first.ts";
import { Glob } from "./glob.ts";
import { askedAtMs, isExpired } from "./key-lookup.ts";
import type { Query } from "./query.ts";
import type { Reply } from "./reply.ts";
import { ScanCursor, type ScanCursors } from "./scan-cursors.ts";
import type { ShardState } from "./shard-state.ts";

/** Removals asked for at once; the asker comes back for the rest. */
const EXPIRED_FIRST_MAX = 1_024;
/** Up to here a random key is drawn exactly; beyond, a wandering cursor is moved on a little. */
const EXACT_PICK_MAX = 4_096;
const WANDER_STEPS_MAX = 64;
const WANDER_START_MAX = 65_536;
/** Where the wandering cursor is parked: no scan has a negative position. */
const WANDERER = -1;

export function answerCount(shard: ShardState, nowMs: number | null): Reply | ExpiredFirst {
  if (nowMs !== null) return allDueFirst(shard, nowMs) ?? shard.keyspace.size;
  let count = shard.keyspace.size;
  const nextMs = shard.keyspace.expiries.nextMs();
  if (nextMs !== null && nextMs <= shard.machineTimeMs) {
    count -= shard.keyspace.expiries.due(shard.machineTimeMs, count).length;
  }
  return count;
}

export function answerKeys(
  shard: ShardState,
  query: Extract<Query, { type: "keys" }>,
  nowMs: number | null,
): Reply | ExpiredFirst {
  const due = nowMs === null ? null : allDueFirst(shard, nowMs);
  if (due !== null) return due;
  const glob = query.pattern === "*" ? null : new Glob(query.pattern);
  const keys: string[] = [];
  if (query.limit <= 0) return keys;
  for (const [key, entry] of shard.keyspace.entries) {
    if (glob !== null && !glob.matches(key)) continue;
    if (isExpired(shard, entry, null)) continue;
    keys.push(key);
    if (keys.length >= query.limit) break;
  }
  return keys;
}

export function answerScan(
  shard: ShardState,
  cursors: ScanCursors,
  query: Extract<Query, { type: "scan" }>,
  nowMs: number | null,
): Reply | ExpiredFirst {
  const { keyspace } = shard;
  const cursor = cursors.take(keyspace, query.position);
  const glob = query.pattern === null || query.pattern === "*" ? null : new Glob(query.pattern);
  const looked: string[] = [];
  const keys: string[] = [];
  const expired: ExpiryItem[] = [];
  const count = Math.max(1, query.count);
  let position = 0;
  while (looked.length < count) {
    position = 0;
    if (!cursor.next() || cursor.entry === undefined) break;
    const { key, entry } = cursor;
    position = entry.createdRevision;
    looked.push(key);
    if (isExpired(shard, entry, nowMs)) {
      if (nowMs !== null) expired.push({ key, expiresAtMs: keyspace.expiryOf(entry) });
    } else if (glob === null || glob.matches(key)) {
      keys.push(key);
    }
  }
  if (expired.length > 0) {
    cursor.goBackTo(looked);
    cursors.park(query.position, cursor, shard.revision);
    return new ExpiredFirst(expired);
  }
  if (position !== 0) cursors.park(position, cursor, shard.revision);
  return [position, keys];
}

/** Exactly `pick % keys` in a small shard. In a large one only roughly fair: a cursor wanders on by a drawn step. */
export function answerRandomKey(
  shard: ShardState,
  cursors: ScanCursors,
  pick: number,
  nowMs: number | null,
): Reply | ExpiredFirst {
  const due = nowMs === null ? null : allDueFirst(shard, nowMs);
  if (due !== null) return due;
  const { keyspace } = shard;
  const exact = keyspace.size <= EXACT_PICK_MAX;
  let cursor = exact ? new ScanCursor(keyspace, 0) : cursors.take(keyspace, WANDERER);
  let steps = exact
    ? pick % keyspace.size
    : pick % (cursor.entry === undefined ? WANDER_START_MAX : WANDER_STEPS_MAX);
  // Two turns: behind an expired key or the end there is always another to be met, unless all are expired.
  for (let looked = 0; looked <= 2 * keyspace.size; looked++) {
    if (!cursor.next()) cursor = new ScanCursor(keyspace, 0);
    else if (steps > 0) steps--;
    else if (cursor.entry !== undefined && !isExpired(shard, cursor.entry, null)) {
      if (!exact) cursors.park(WANDERER, cursor, shard.revision);
      return cursor.key;
    }
  }
  return null;
}

function allDueFirst(shard: ShardState, nowMs: number): ExpiredFirst | null {
  const due = shard.keyspace.expiries.due(askedAtMs(shard, nowMs), EXPIRED_FIRST_MAX);
  return due.length === 0 ? null : new ExpiredFirst(due);
}
