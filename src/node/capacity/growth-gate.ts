/**
 * Refuses writes that would make a shard grow when some node that holds it has no room and removes nothing: by its
 * policy, or because it cannot keep up. The leader refuses before it proposes, so a refused write is in no log. Reads,
 * removals, and writes that add nothing go on.
 *
 * With the policy `none` what is proposed and not applied yet counts as held, so that the leader itself never goes
 * beyond its limit. Other nodes are heard of by holds, a little later.
 */
import type { ShardId } from "../../base/ids.ts";
import type { Growth } from "../../cache/growth.ts";
import type { Reply } from "../../cache/reply.ts";
import { ByteReader } from "../../wire/byte-reader.ts";
import { decodeSessionCommand } from "../../wire/command-codec.ts";
import type { AttemptSink } from "../pending-request.ts";
import type { ShardMachine } from "../shard-machine.ts";
import type { CapacityLimits, Holding } from "./capacity-limits.ts";

export class GrowthGate {
  readonly #limits: CapacityLimits;
  readonly #held: Holding;
  readonly #nowMs: () => number;
  /** Shards that another node asked not to let grow, and until when. */
  readonly #holds = new Map<ShardId, number>();
  /** Growth that was admitted and is not decided yet. */
  #pendingBytes = 0;
  #pendingEntries = 0;
  readonly counters = { refusals: 0 };

  constructor(limits: CapacityLimits, held: Holding, nowMs: () => number) {
    this.#limits = limits;
    this.#held = held;
    this.#nowMs = nowMs;
  }

  /** Some node that holds `shard` is full. */
  hold(shard: ShardId, forMs: number): void {
    this.#holds.set(shard, this.#nowMs() + forMs);
  }

  /** The sink to propose `command` with, or null when it is refused. */
  admit(shard: ShardId, machine: ShardMachine, command: Uint8Array, sink: AttemptSink): AttemptSink | null {
    const counts = this.#limits.policy === "none" && this.#limits.isLimited;
    const onHold = this.#isOnHold(shard);
    if (!counts && !onHold && !this.#limits.isBeyondCeiling(this.#held, ANYTHING)) return sink;
    const growth = machine.cache.growthOf(decodeSessionCommand(new ByteReader(command)).command);
    if (growth.bytes <= 0 && growth.entries <= 0) return sink;
    if (onHold || this.#limits.isBeyondCeiling(this.#withPending(), growth)) {
      this.counters.refusals++;
      return null;
    }
    return counts ? this.#counted(growth, sink) : sink;
  }

  #isOnHold(shard: ShardId): boolean {
    if (this.#holds.size === 0) return false;
    const untilMs = this.#holds.get(shard);
    if (untilMs === undefined) return false;
    if (untilMs > this.#nowMs()) return true;
    this.#holds.delete(shard);
    return false;
  }

  #withPending(): Holding {
    return {
      bytes: this.#held.bytes + this.#pendingBytes,
      entries: this.#held.entries + this.#pendingEntries,
    };
  }

  #counted({ bytes, entries }: Growth, sink: AttemptSink): AttemptSink {
    this.#pendingBytes += bytes;
    this.#pendingEntries += entries;
    const decided = (): void => {
      this.#pendingBytes -= bytes;
      this.#pendingEntries -= entries;
    };
    return {
      applied: (reply: Reply) => {
        decided();
        sink.applied(reply);
      },
      dropped: (why) => {
        decided();
        sink.dropped(why);
      },
    };
  }
}

const ANYTHING: Growth = Object.freeze({ bytes: 1, entries: 1 });
