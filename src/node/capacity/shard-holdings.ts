/**
 * What each replica on this node holds, and all of them together. Told of every applied entry, so that a limit is
 * noticed in the turn in which it is passed, at the cost of two subtractions.
 */
import type { ShardId } from "../../base/ids.ts";
import type { Holding } from "./capacity-limits.ts";

export class ShardHoldings implements Holding {
  readonly #shards = new Map<ShardId, { bytes: number; entries: number }>();
  bytes = 0;
  entries = 0;

  /** The replica of `shard` now holds this much. */
  update(shard: ShardId, bytes: number, entries: number): void {
    const before = this.#shards.get(shard);
    if (before === undefined) {
      this.#shards.set(shard, { bytes, entries });
      this.bytes += bytes;
      this.entries += entries;
      return;
    }
    this.bytes += bytes - before.bytes;
    this.entries += entries - before.entries;
    before.bytes = bytes;
    before.entries = entries;
  }

  /** Forgets the replicas that are not among `present`: they were closed. */
  keepOnly(present: ReadonlySet<ShardId>): void {
    for (const [shard, { bytes, entries }] of this.#shards) {
      if (present.has(shard)) continue;
      this.#shards.delete(shard);
      this.bytes -= bytes;
      this.entries -= entries;
    }
  }

  of(shard: ShardId): Holding | undefined {
    return this.#shards.get(shard);
  }

  all(): IterableIterator<[ShardId, Holding]> {
    return this.#shards.entries();
  }
}
