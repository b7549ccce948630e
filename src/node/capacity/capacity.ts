/**
 * Keeps this node within its limits, with every replica it holds, whoever leads them. Nothing is ever dropped here: what
 * has to go is chosen by the leader of its shard and removed by a committed entry, so that replicas stay equal.
 *
 * A node that holds too much works out how much each of its shards may keep. Those it leads it brings there itself, in
 * the turn in which the limit was passed; the leaders of the others are asked, if they have not done so by themselves
 * within a sweep (they mostly have: they hold the same data). Where nothing may be removed, growth is refused instead.
 */
import { type NodeId, type ShardId, SYSTEM_GROUP, shardOfGroup } from "../../base/ids.ts";
import type { CacheMachine } from "../../cache/cache-machine.ts";
import { HeatMeter, USES_MAX } from "../../cache/heat.ts";
import type { Query } from "../../cache/query.ts";
import type { Calls } from "../../host/links/calls.ts";
import type { Clock } from "../../host/ports.ts";
import type { RaftGroup } from "../../host/raft-group.ts";
import type { NodeEvent } from "../door.ts";
import type { NodeOptions } from "../options.ts";
import { ShardMachine } from "../shard-machine.ts";
import type { ShardService } from "../shard-service.ts";
import { CapacityLimits, type Holding } from "./capacity-limits.ts";
import {
  KEYS_USED,
  MAKE_ROOM,
  type RoomRequest,
  roomParams,
  roomRequestOf,
  type UsedKeys,
  usedKeysOf,
} from "./capacity-messages.ts";
import { GrowthGate } from "./growth-gate.ts";
import { IdleRemoval } from "./idle-removal.ts";
import { ShardEvictions } from "./shard-evictions.ts";
import { ShardHoldings } from "./shard-holdings.ts";
import { UseHints } from "./use-hints.ts";
import { waterLevel } from "./water-level.ts";

/** Other leaders are asked at most so often. */
const ASK_EVERY_MS = 200;
/** A shard that was asked not to grow may grow again so long after the last time it was asked. */
const HOLD_MS = 2_000;
const HINTS_EVERY_MS = 1_000;
const CALL_TIMEOUT_MS = 1_000;

/** What it needs of the node. */
export interface CapacitySurroundings {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly options: NodeOptions;
  readonly shards: ShardService;
  readonly calls: Calls;
  groups(): Iterable<RaftGroup<unknown>>;
  leaderOf(shard: ShardId): NodeId | null;
  emit(event: NodeEvent): void;
}

export class Capacity {
  readonly limits: CapacityLimits;
  readonly held = new ShardHoldings();
  readonly gate: GrowthGate;
  /** For the machines of this node; null when it does not matter which keys are in use. */
  readonly meter: HeatMeter | null;
  readonly #node: CapacitySurroundings;
  readonly #evictions: ShardEvictions;
  readonly #idle: IdleRemoval;
  readonly #hints = new UseHints();
  /** Leaders that have not answered yet. */
  readonly #asked = new Set<NodeId>();
  readonly #counters = { asks: 0, callsFailed: 0, hintsSent: 0, hintsReceived: 0 };
  #checkScheduled = false;
  /** The limit was passed, and has not been left by far since. */
  #reached = false;
  /** It was over its limit at the last sweep, too. */
  #wasOver = false;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #hintsSentAtMs = Number.NEGATIVE_INFINITY;

  constructor(node: CapacitySurroundings) {
    const { clock, options, shards, calls } = node;
    this.#node = node;
    this.limits = new CapacityLimits(options);
    const { policy, idleTtlMs, needsUse } = this.limits;
    const nowMs = (): number => clock.nowMs();
    this.meter = needsUse ? new HeatMeter(USES_MAX[policy], idleTtlMs > 0 ? nowMs : null) : null;
    this.gate = new GrowthGate(this.limits, this.held, nowMs);
    this.#evictions = new ShardEvictions(shards, nowMs);
    this.#idle = new IdleRemoval(idleTtlMs, this.#evictions, nowMs);
    calls.handle(MAKE_ROOM, (params) => this.#makeRoomFor(roomRequestOf(params)));
    calls.handle(KEYS_USED, (params) => this.#noteUsed(usedKeysOf(params)));
  }

  /** The replica of `shard` on this node has changed. Called for every applied entry. */
  changed(shard: ShardId, cache: CacheMachine): void {
    if (!this.limits.isLimited) return;
    this.held.update(shard, cache.accountedBytes, cache.entryCount);
    if (this.#checkScheduled || !this.limits.isOver(this.held)) return;
    this.#checkScheduled = true;
    this.#node.clock.defer(() => {
      this.#checkScheduled = false;
      if (!this.limits.isOver(this.held)) return;
      this.#tellCrossing(true);
      this.#shrinkOwn();
    });
  }

  /** A query was answered by a replica here that may not be the leader's. */
  readHere(shard: ShardId, query: Query): void {
    if (this.meter !== null && this.#node.shards.group(shard)?.isLeader !== true)
      this.#hints.note(shard, query);
  }

  /** What is done now and then. Costs nothing without limits. */
  sweep(): void {
    if (this.limits.isLimited) {
      this.#recount();
      this.#keepLimit();
    }
    if (this.limits.idleTtlMs > 0) this.#idle.sweep(this.#node.groups());
    if (this.meter !== null) this.#sendHints();
  }

  counters(): Record<string, number> {
    return {
      capacity_removals_proposed_total: this.#evictions.counters.proposals,
      capacity_writes_refused_total: this.gate.counters.refusals,
      capacity_asks_total: this.#counters.asks,
      capacity_calls_failed_total: this.#counters.callsFailed,
      use_hints_sent_total: this.#counters.hintsSent,
      use_hints_received_total: this.#counters.hintsReceived,
      use_hints_dropped_total: this.#hints.counters.dropped,
    };
  }

  #keepLimit(): void {
    const over = this.limits.isOver(this.held);
    this.#tellCrossing(over);
    if (over) this.#shrinkOwn();
    this.#askOthers(over && this.#wasOver);
    this.#wasOver = over;
  }

  /** Replicas come and go without a word: count them all. */
  #recount(): void {
    const present = new Set<ShardId>();
    for (const { id, machine } of this.#node.groups()) {
      if (id === SYSTEM_GROUP || !(machine instanceof ShardMachine)) continue;
      const shard = shardOfGroup(id);
      present.add(shard);
      this.held.update(shard, machine.cache.accountedBytes, machine.cache.entryCount);
    }
    this.held.keepOnly(present);
  }

  /** Said once, not with every removal of a node that lives at its limit. */
  #tellCrossing(over: boolean): void {
    const { bytes, entries } = this.held;
    if (over && !this.#reached) {
      this.#reached = true;
      this.#node.emit({ type: "capacity-reached", bytes, entries });
    } else if (this.#reached && this.limits.hasLeft(this.held)) {
      this.#reached = false;
      this.#node.emit({ type: "capacity-left", bytes, entries });
    }
  }

  /** Brings the shards that this node leads down to what they may hold. */
  #shrinkOwn(): void {
    if (this.limits.policy === "none") return;
    for (const [shard, target] of this.#tooLarge())
      if (this.#node.shards.group(shard)?.isReadyLeader === true) this.#evictions.shrink(shard, target);
  }

  /** Asks whoever leads the others to make them smaller, or at least not to let them grow. */
  #askOthers(tooMuch: boolean): void {
    const evicts = this.limits.policy !== "none";
    const full = this.limits.isBeyondCeiling(this.held, { bytes: 1, entries: 1 });
    const nowMs = this.#node.clock.nowMs();
    if (!(tooMuch && evicts) && !full) return;
    if (nowMs - this.#askedAtMs < ASK_EVERY_MS) return;
    this.#askedAtMs = nowMs;
    const requests = new Map<NodeId, { shrink: [ShardId, Holding][]; hold: ShardId[] }>();
    const requestTo = (leader: NodeId) => {
      const request = requests.get(leader) ?? { shrink: [], hold: [] };
      requests.set(leader, request);
      return request;
    };
    if (evicts)
      for (const [shard, target] of this.#tooLarge()) {
        const leader = this.#otherLeader(shard);
        if (leader !== null) requestTo(leader).shrink.push([shard, target]);
      }
    if (full)
      for (const [shard] of this.held.all()) {
        const leader = this.#otherLeader(shard);
        if (leader !== null) requestTo(leader).hold.push(shard);
      }
    for (const [leader, request] of requests) this.#ask(leader, request);
  }

  #ask(leader: NodeId, request: RoomRequest): void {
    if (this.#asked.has(leader)) return;
    this.#asked.add(leader);
    this.#counters.asks++;
    void this.#call(leader, MAKE_ROOM, roomParams(request)).then(() => this.#asked.delete(leader));
  }

  /** Shards of this node that hold more than they may, and how much that is. */
  *#tooLarge(): Generator<readonly [ShardId, Holding]> {
    const { held } = this;
    const { limit, target } = this.limits;
    const all = [...held.all()];
    const level = (amounts: readonly number[], isOver: boolean, total: number): number =>
      isOver ? waterLevel(amounts, total) : Number.POSITIVE_INFINITY;
    const allowed: Holding = {
      bytes: level(
        all.map(([, { bytes }]) => bytes),
        held.bytes > limit.bytes,
        target.bytes,
      ),
      entries: Math.floor(
        level(
          all.map(([, { entries }]) => entries),
          held.entries > limit.entries,
          target.entries,
        ),
      ),
    };
    for (const [shard, { bytes, entries }] of all)
      if (bytes > allowed.bytes || entries > allowed.entries) yield [shard, allowed];
  }

  /** Another node is short of room. A leader that removes nothing at least stops growing. */
  #makeRoomFor({ shrink, hold }: RoomRequest): null {
    for (const [shard, target] of shrink) {
      if (this.#node.shards.group(shard)?.isReadyLeader !== true) continue;
      if (this.limits.policy === "none") this.gate.hold(shard, HOLD_MS);
      else this.#evictions.shrink(shard, target);
    }
    for (const shard of hold) this.gate.hold(shard, HOLD_MS);
    return null;
  }

  #noteUsed(used: UsedKeys): null {
    for (const [shard, keys] of used) {
      const cache = this.#node.shards.machine(shard)?.cache;
      if (cache === undefined) continue;
      this.#counters.hintsReceived += keys.length;
      for (const key of keys) cache.noteUse(key);
    }
    return null;
  }

  #sendHints(): void {
    const nowMs = this.#node.clock.nowMs();
    if (nowMs - this.#hintsSentAtMs < HINTS_EVERY_MS) return;
    this.#hintsSentAtMs = nowMs;
    const batches = new Map<NodeId, (readonly [ShardId, readonly string[]])[]>();
    for (const [shard, keys] of this.#hints.take()) {
      const leader = this.#otherLeader(shard);
      if (leader === null) continue;
      const batch = batches.get(leader);
      if (batch === undefined) batches.set(leader, [[shard, keys]]);
      else batch.push([shard, keys]);
      this.#counters.hintsSent += keys.length;
    }
    for (const [leader, batch] of batches) void this.#call(leader, KEYS_USED, batch);
  }

  /** Resolves when it has ended, however: the next sweep sees for itself what is still to be done. */
  async #call(leader: NodeId, method: string, params: unknown): Promise<void> {
    try {
      await this.#node.calls.call(leader, method, params, { timeoutMs: CALL_TIMEOUT_MS });
    } catch {
      this.#counters.callsFailed++;
    }
  }

  #otherLeader(shard: ShardId): NodeId | null {
    const leader = this.#node.leaderOf(shard);
    return leader === this.#node.self ? null : leader;
  }
}
