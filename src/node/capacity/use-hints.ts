/**
 * Keys that were read from replicas here while another node leads their shard: it chooses what to evict and cannot see
 * these reads. Gathered, each key once, and sent about once a second in a batch of bounded size. Hints only: what does
 * not fit or gets lost makes a key look colder than it is, and nothing else.
 */
import type { ShardId } from "../../base/ids.ts";
import type { Query } from "../../cache/query.ts";

/** Keys of one shard in one batch, and their bytes. */
export const HINT_KEYS_MAX = 1_024;
const HINT_BYTES_MAX = 64 * 1024;
/** Bytes of keys that wait on this node, over all shards. */
const WAITING_BYTES_MAX = 1024 * 1024;

interface Gathered {
  readonly keys: Set<string>;
  bytes: number;
}

export class UseHints {
  readonly #shards = new Map<ShardId, Gathered>();
  #waitingBytes = 0;
  readonly counters = { gathered: 0, dropped: 0 };

  /** `query` was answered by the replica of `shard` on this node. */
  note(shard: ShardId, query: Query): void {
    switch (query.type) {
      case "get":
      case "get-versioned":
      case "length":
      case "get-range":
        this.#add(shard, query.key);
        return;
      case "get-many":
      case "exists":
        for (const key of query.keys) this.#add(shard, key);
        return;
      default:
        return;
    }
  }

  /** Hands out everything gathered since the last time, by shard. */
  take(): readonly (readonly [shard: ShardId, keys: readonly string[]])[] {
    const batch = [...this.#shards].map(([shard, { keys }]) => [shard, [...keys]] as const);
    this.#shards.clear();
    this.#waitingBytes = 0;
    return batch;
  }

  #add(shard: ShardId, key: string): void {
    let gathered = this.#shards.get(shard);
    if (gathered === undefined) {
      gathered = { keys: new Set(), bytes: 0 };
      this.#shards.set(shard, gathered);
    }
    if (gathered.keys.has(key)) return;
    const full = gathered.keys.size >= HINT_KEYS_MAX || gathered.bytes + key.length > HINT_BYTES_MAX;
    if (full || this.#waitingBytes + key.length > WAITING_BYTES_MAX) {
      this.counters.dropped++;
      return;
    }
    gathered.keys.add(key);
    gathered.bytes += key.length;
    this.#waitingBytes += key.length;
    this.counters.gathered++;
  }
}
