/**
 * From a query to its answer. Nothing here changes the shard, only its counters and what this
 * replica knows of the use of keys.
 */
import { unreachable } from "../base/assert.ts";
import { ExpiredFirst } from "./expired-first.ts";
import { askedAtMs, lookUp, lookUpMany, peek } from "./key-lookup.ts";
import { NEVER_MS } from "./keyspace.ts";
import { answerCount, answerKeys, answerRandomKey, answerScan } from "./listing-queries.ts";
import type { Query } from "./query.ts";
import type { Reply } from "./reply.ts";
import type { ScanCursors } from "./scan-cursors.ts";
import type { ShardState } from "./shard-state.ts";

/** `nowMs` as in `CacheMachine.query`. */
export function answerQuery(
  shard: ShardState,
  cursors: ScanCursors,
  query: Query,
  nowMs: number | null,
): Reply | ExpiredFirst {
  switch (query.type) {
    case "get": {
      const entry = lookUp(shard, query.key, nowMs);
      if (entry === undefined) return null;
      return entry instanceof ExpiredFirst ? entry : entry.value;
    }
    case "get-versioned": {
      const entry = lookUp(shard, query.key, nowMs);
      if (entry === undefined) return null;
      if (entry instanceof ExpiredFirst) return entry;
      const expiresAtMs = shard.keyspace.expiryOf(entry);
      return [entry.value, entry.version, remainingMs(shard, expiresAtMs, nowMs)];
    }
    case "get-many": {
      const entries = lookUpMany(shard, query.keys, nowMs);
      if (entries instanceof ExpiredFirst) return entries;
      return entries.map((entry) => (entry === undefined ? null : entry.value));
    }
    case "exists": {
      const entries = lookUpMany(shard, query.keys, nowMs);
      if (entries instanceof ExpiredFirst) return entries;
      return entries.reduce((count, entry) => (entry === undefined ? count : count + 1), 0);
    }
    case "length": {
      const entry = lookUp(shard, query.key, nowMs);
      if (entry === undefined) return 0;
      return entry instanceof ExpiredFirst ? entry : entry.value.length;
    }
    case "get-range": {
      const entry = lookUp(shard, query.key, nowMs);
      if (entry === undefined) return "";
      return entry instanceof ExpiredFirst ? entry : byteRange(entry.value, query.first, query.last);
    }
    case "ttl": {
      const entry = peek(shard, query.key, nowMs);
      if (entry === undefined) return -2;
      if (entry instanceof ExpiredFirst) return entry;
      return remainingMs(shard, shard.keyspace.expiryOf(entry), nowMs);
    }
    case "type-of": {
      const entry = peek(shard, query.key, nowMs);
      if (entry === undefined) return "none";
      return entry instanceof ExpiredFirst ? entry : "string";
    }
    case "count":
      return answerCount(shard, nowMs);
    case "keys":
      return answerKeys(shard, query, nowMs);
    case "scan":
      return answerScan(shard, cursors, query, nowMs);
    case "random-key":
      return answerRandomKey(shard, cursors, query.pick, nowMs);
    case "stats":
      return [
        shard.keyspace.size,
        shard.keyspace.keyBytes + shard.keyspace.valueBytes,
        shard.revision,
        shard.sessions.size,
        shard.keyspace.accountedBytes,
      ];
    default:
      return unreachable(query);
  }
}

function remainingMs(shard: ShardState, expiresAtMs: number, nowMs: number | null): number {
  return expiresAtMs === NEVER_MS ? -1 : expiresAtMs - askedAtMs(shard, nowMs);
}

/** Redis GETRANGE: both ends included, negative ones count from the end. */
function byteRange(value: string, first: number, last: number): string {
  if (first < 0 && last < 0 && first > last) return "";
  const start = first < 0 ? Math.max(0, value.length + first) : first;
  const end = last < 0 ? Math.max(0, value.length + last) : Math.min(last, value.length - 1);
  return start > end ? "" : value.slice(start, end + 1);
}
