/**
 * Removes, on the shards that this node leads, keys that nobody has used for the idle time-to-live. It looks through
 * the keys little by little, so a key goes somewhat late; it never goes early as far as this leader knows:
 *
 *  - A leader knows only of its own term. It counts every key as used when it was seen to take over, so it removes
 *    nothing before it has led for a whole idle time-to-live.
 *  - A leader that was deposed without knowing may propose a removal; nothing of its term is committed any more.
 *  - A key that is written while its removal is under way has another version then, and stays. One that is merely read
 *    in these milliseconds goes.
 */
import { type GroupId, SYSTEM_GROUP, shardOfGroup } from "../../base/ids.ts";
import type { RaftGroup } from "../../host/raft-group.ts";
import { ShardMachine } from "../shard-machine.ts";
import { EVICTIONS_PER_ENTRY_MAX, type ShardEvictions } from "./shard-evictions.ts";

/** Every key is looked at so often within one idle time-to-live, while there are not too many. */
const LOOKS_PER_TTL = 8;
/** Keys looked at in one sweep: of a shard at least, of all shards together at most. */
const STEPS_MIN = 64;
const STEPS_MAX = 20_000;

interface Reign {
  readonly term: number;
  readonly sinceMs: number;
}

export class IdleRemoval {
  readonly #idleTtlMs: number;
  readonly #evictions: ShardEvictions;
  readonly #nowMs: () => number;
  readonly #reigns = new Map<GroupId, Reign>();
  #sweptAtMs: number;

  constructor(idleTtlMs: number, evictions: ShardEvictions, nowMs: () => number) {
    this.#idleTtlMs = idleTtlMs;
    this.#evictions = evictions;
    this.#nowMs = nowMs;
    this.#sweptAtMs = nowMs();
  }

  sweep(groups: Iterable<RaftGroup<unknown>>): void {
    const nowMs = this.#nowMs();
    const share = ((nowMs - this.#sweptAtMs) * LOOKS_PER_TTL) / this.#idleTtlMs;
    this.#sweptAtMs = nowMs;
    const ripe = [...groups].filter((group) => this.#hasLedLongEnough(group, nowMs));
    const stepsMax = Math.ceil(STEPS_MAX / Math.max(1, ripe.length));
    for (const { id, machine } of ripe) {
      if (!(machine instanceof ShardMachine)) continue;
      const { cache } = machine;
      const steps = Math.min(stepsMax, Math.max(STEPS_MIN, Math.ceil(cache.entryCount * share)));
      this.#evictions.removeIdle(shardOfGroup(id), () =>
        cache.idle(this.#idleTtlMs, steps, EVICTIONS_PER_ENTRY_MAX),
      );
    }
  }

  #hasLedLongEnough({ id, isReadyLeader, raft }: RaftGroup<unknown>, nowMs: number): boolean {
    if (id === SYSTEM_GROUP) return false;
    if (!isReadyLeader) {
      this.#reigns.delete(id);
      return false;
    }
    const reign = this.#reigns.get(id);
    if (reign?.term === raft.term) return nowMs - reign.sinceMs >= this.#idleTtlMs;
    this.#reigns.set(id, { term: raft.term, sinceMs: nowMs });
    return false;
  }
}
