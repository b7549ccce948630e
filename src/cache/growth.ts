/**
 * What a command would add to a shard, for a node that may not grow. Judged on the state as it is now: the leader asks
 * before it proposes, and a refusal never enters the log.
 */
import type { Command } from "./command.ts";
import { ENTRY_OVERHEAD_BYTES, EXPIRY_OVERHEAD_BYTES } from "./memory-cost.ts";
import type { ShardState } from "./shard-state.ts";

/** Accounted bytes and keys; `bytes` may be negative. */
export interface Growth {
  readonly bytes: number;
  readonly entries: number;
}

/** Digits of a 64-bit integer or of a double: what a counter may grow by is not worth more exactness. */
const NUMBER_BYTES = 24;
const NONE: Growth = Object.freeze({ bytes: 0, entries: 0 });

/** By how much `command` would make the shard grow. A condition that may fail is taken to hold. */
export function growthOf(shard: ShardState, command: Command): Growth {
  switch (command.type) {
    case "set": {
      const { bytes, entries } = growthOfValue(shard, command.key, command.value.length);
      return { bytes: bytes + (command.ttlMs > 0 ? EXPIRY_OVERHEAD_BYTES : 0), entries };
    }
    case "set-many": {
      let bytes = 0;
      let entries = 0;
      for (const [key, value] of command.pairs) {
        const growth = growthOfValue(shard, key, value.length);
        bytes += growth.bytes;
        entries += growth.entries;
      }
      return { bytes, entries };
    }
    case "append":
      return growthOfValue(shard, command.key, valueBytes(shard, command.key) + command.value.length);
    case "set-range": {
      const end = command.offset + command.value.length;
      return growthOfValue(shard, command.key, Math.max(valueBytes(shard, command.key), end));
    }
    case "increment":
    case "increment-float":
      return shard.keyspace.entries.has(command.key) ? NONE : growthOfValue(shard, command.key, NUMBER_BYTES);
    default:
      return NONE;
  }
}

function growthOfValue(shard: ShardState, key: string, bytesAfter: number): Growth {
  const entry = shard.keyspace.entries.get(key);
  if (entry !== undefined) return { bytes: bytesAfter - entry.value.length, entries: 0 };
  return { bytes: key.length + bytesAfter + ENTRY_OVERHEAD_BYTES, entries: 1 };
}

function valueBytes(shard: ShardState, key: string): number {
  return shard.keyspace.entries.get(key)?.value.length ?? 0;
}
