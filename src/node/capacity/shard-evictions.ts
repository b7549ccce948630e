/**
 * Brings shards that this node leads down to a target by committed removals, however far that is: one proposal at a
 * time per shard, of a bounded number of keys, and the next one as soon as the last is applied.
 *
 * A target says how much a shard may hold, not how much is to be removed. So asking twice, or three nodes asking at
 * once, removes once; and a removal that was lost on the way is simply proposed again.
 */
import type { ShardId } from "../../base/ids.ts";
import type { EvictCommand, EvictItem } from "../../cache/command.ts";
import type { Reply } from "../../cache/reply.ts";
import type { ProposalSink } from "../../host/state-machine.ts";
import type { ShardService } from "../shard-service.ts";
import type { Holding } from "./capacity-limits.ts";

/** Keys that one entry removes, at most. */
export const EVICTIONS_PER_ENTRY_MAX = 1_000;
/** A target that could not be reached by then is forgotten: what was asked of it has changed. */
const TARGET_KEPT_MS = 5_000;

interface Target extends Holding {
  readonly untilMs: number;
}

export class ShardEvictions {
  readonly #service: ShardService;
  readonly #nowMs: () => number;
  readonly #targets = new Map<ShardId, Target>();
  /** Shards with a removal under way. */
  readonly #proposed = new Set<ShardId>();
  readonly counters = { proposals: 0 };

  constructor(service: ShardService, nowMs: () => number) {
    this.#service = service;
    this.#nowMs = nowMs;
  }

  /** `shard`, which this node leads, is to hold no more than `target`. Of two targets the lower one counts. */
  shrink(shard: ShardId, target: Holding): void {
    const nowMs = this.#nowMs();
    const before = this.#targets.get(shard);
    const known = before !== undefined && before.untilMs > nowMs;
    this.#targets.set(shard, {
      bytes: known ? Math.min(before.bytes, target.bytes) : target.bytes,
      entries: known ? Math.min(before.entries, target.entries) : target.entries,
      untilMs: nowMs + TARGET_KEPT_MS,
    });
    this.#advance(shard);
  }

  /** Removes keys of `shard` that nobody uses, unless a removal is under way there. */
  removeIdle(shard: ShardId, choose: () => EvictItem[]): void {
    if (!this.#proposed.has(shard)) this.#propose(shard, "idle", choose());
  }

  #advance(shard: ShardId): void {
    const target = this.#targets.get(shard);
    if (target === undefined || this.#proposed.has(shard)) return;
    const cache = this.#service.machine(shard)?.cache;
    const leads = this.#service.group(shard)?.isReadyLeader === true;
    const bytes = (cache?.accountedBytes ?? 0) - target.bytes;
    const entries = (cache?.entryCount ?? 0) - target.entries;
    if (cache === undefined || !leads || target.untilMs <= this.#nowMs() || (bytes <= 0 && entries <= 0)) {
      this.#targets.delete(shard);
      return;
    }
    this.#propose(shard, "memory", cache.coldest({ bytes, entries }, EVICTIONS_PER_ENTRY_MAX));
  }

  #propose(shard: ShardId, reason: EvictCommand["reason"], items: readonly EvictItem[]): void {
    if (items.length === 0) return;
    this.#proposed.add(shard);
    this.counters.proposals++;
    const ended = (): void => {
      this.#proposed.delete(shard);
    };
    const sink: ProposalSink<Reply> = {
      applied: () => {
        ended();
        this.#advance(shard);
      },
      // Not at once again: whoever wants the shard smaller asks again, if this node still leads by then.
      dropped: ended,
    };
    this.#service.evict(shard, { type: "evict", reason, items }, sink);
  }
}
