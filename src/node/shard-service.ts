/**
 * What a shard's replica on this node does for requests, wherever they came from: proposes commands, answers reads,
 * and sees to it that an expired key is gone by a committed entry before anybody is told that it is absent.
 */

import { CremaError } from "../base/errors.ts";
import type { ShardId } from "../base/ids.ts";
import { groupOfShard } from "../base/ids.ts";
import { ExpiredFirst } from "../cache/cache-machine.ts";
import type { Command, EvictCommand, ExpiryItem } from "../cache/command.ts";
import type { Query } from "../cache/query.ts";
import type { Reply } from "../cache/reply.ts";
import type { MultiRaft } from "../host/multi-raft.ts";
import type { RaftGroup } from "../host/raft-group.ts";
import type { ProposalFailure, ProposalSink, ReadSink } from "../host/state-machine.ts";
import { ByteWriter } from "../wire/byte-writer.ts";
import { encodeSessionCommand } from "../wire/command-codec.ts";
import type { GrowthGate } from "./capacity/growth-gate.ts";
import type { ReplySink } from "./door.ts";
import { type AttemptSink, diskFullError } from "./pending-request.ts";
import { ShardMachine } from "./shard-machine.ts";

/** Keys removed by one committed removal at most. */
const EXPIRIES_PER_ENTRY_MAX = 500;
/** A read that keeps meeting newly expired keys gives up after this many removals. */
const REMOVALS_PER_READ_MAX = 8;

/** Answered by `ReplySink.fail` when this replica does not lead: the asker goes elsewhere. */
const NOT_LEADER = new CremaError("CREMA_NOT_LEADER", "this node does not lead the shard", {
  retryable: true,
});
const BUSY = new CremaError("CREMA_BUSY", "too many requests wait for this shard", {
  retryable: true,
  retryAfterMs: 50,
});

export class ShardService {
  readonly #groups: MultiRaft;
  readonly #writer = new ByteWriter(4_096);
  /** Shards with a removal of expired keys under way. */
  readonly #sweeping = new Set<ShardId>();
  /** Who says whether a shard may grow. */
  gate: GrowthGate | null = null;
  /** Hears of every query that a replica here answered by itself. */
  onLocalRead: ((shard: ShardId, query: Query) => void) | null = null;

  constructor(groups: MultiRaft) {
    this.#groups = groups;
  }

  group(shard: ShardId): RaftGroup<Reply> | undefined {
    return this.#groups.get(groupOfShard(shard)) as RaftGroup<Reply> | undefined;
  }

  machine(shard: ShardId): ShardMachine | undefined {
    const machine = this.group(shard)?.machine;
    return machine instanceof ShardMachine ? machine : undefined;
  }

  /** Proposes an encoded session command; the sink learns the outcome of this attempt only. */
  propose(shard: ShardId, command: Uint8Array, sink: AttemptSink): void {
    const group = this.group(shard);
    if (group === undefined) {
      sink.dropped("not-leader");
      return;
    }
    const { machine } = group;
    const asks = this.gate !== null && group.isLeader && machine instanceof ShardMachine;
    const admitted = asks ? this.gate?.admit(shard, machine, command, sink) : sink;
    if (admitted == null) sink.dropped("capacity");
    else group.submit(command, admitted);
  }

  /** A linearizable read at the leader: a quorum confirms the leadership first. */
  read(shard: ShardId, query: Query, sink: ReplySink): void {
    const group = this.group(shard);
    if (group === undefined) {
      sink.fail(NOT_LEADER);
      return;
    }
    group.read(new LeaderRead(this, shard, query, sink));
  }

  /** Whether this node's replica has ever been filled: before that its state says nothing. */
  canReadLocally(shard: ShardId): boolean {
    const group = this.group(shard);
    return group !== undefined && wasFilled(group);
  }

  /** What this replica holds, as it is; may be stale, never uncommitted. Only if {@link canReadLocally}. */
  readLocal(shard: ShardId, query: Query): Reply {
    const reply = this.readIfHere(shard, query);
    if (reply === undefined) throw NOT_LEADER;
    return reply;
  }

  /** {@link readLocal} if {@link canReadLocally}, with one look for the replica; else undefined. */
  readIfHere(shard: ShardId, query: Query): Reply | undefined {
    const group = this.group(shard);
    if (group === undefined || !wasFilled(group)) return undefined;
    const { machine } = group;
    if (!(machine instanceof ShardMachine)) return undefined;
    const reply = machine.cache.query(query, null);
    if (reply instanceof ExpiredFirst)
      throw new CremaError("CREMA_INTERNAL", "a local read asked for a removal");
    if (this.onLocalRead !== null) this.onLocalRead(shard, query);
    return reply;
  }

  /** Proposes the removal of what has expired on the shards led here. Called often; cheap when nothing is due. */
  sweepExpired(): void {
    for (const group of this.#groups.groups()) {
      if (!group.isReadyLeader || !(group.machine instanceof ShardMachine)) continue;
      const shard = (group.id - 1) as ShardId;
      const nowMs = group.machineClock.nowMs();
      const next = group.machine.cache.nextExpiryMs();
      if (next === null || next > nowMs || this.#sweeping.has(shard)) continue;
      const items = group.machine.cache.dueExpiries(nowMs, EXPIRIES_PER_ENTRY_MAX);
      if (items.length === 0) continue;
      this.#sweeping.add(shard);
      const done = (): void => {
        this.#sweeping.delete(shard);
      };
      this.removeExpired(group as RaftGroup<Reply>, items, { applied: done, dropped: done });
    }
  }

  removeExpired(group: RaftGroup<Reply>, items: readonly ExpiryItem[], sink: ProposalSink<Reply>): void {
    this.#submit(group, { type: "remove-expired", items }, sink);
  }

  /** Proposes the removal of keys that were chosen, on a shard led here. */
  evict(shard: ShardId, command: EvictCommand, sink: ProposalSink<Reply>): void {
    const group = this.group(shard);
    if (group === undefined) sink.dropped("not-leader");
    else this.#submit(group, command, sink);
  }

  /** Proposes what needs no session. */
  #submit(group: RaftGroup<Reply>, command: Command, sink: ProposalSink<Reply>): void {
    this.#writer.reset();
    encodeSessionCommand(this.#writer, { session: 0, sequence: 0, lowWater: 0, command });
    group.submit(this.#writer.view(), sink);
  }
}

/** Whether the machine holds what a leader, or the founding of the group, has said that this replica holds. */
function wasFilled({ raft, isRestoring }: RaftGroup<Reply>): boolean {
  return raft.applied > 0 && raft.configuration.voters.length > 0 && !isRestoring;
}

/** One read at the leader, from permission to answer. */
class LeaderRead implements ReadSink, ProposalSink<Reply> {
  readonly #service: ShardService;
  readonly #shard: ShardId;
  readonly #query: Query;
  readonly #sink: ReplySink;
  #removals = 0;

  constructor(service: ShardService, shard: ShardId, query: Query, sink: ReplySink) {
    this.#service = service;
    this.#shard = shard;
    this.#query = query;
    this.#sink = sink;
  }

  granted(): void {
    const group = this.#service.group(this.#shard);
    const machine = this.#service.machine(this.#shard);
    if (group === undefined || machine === undefined || !group.isReadyLeader) {
      this.#sink.fail(NOT_LEADER);
      return;
    }
    const reply = machine.cache.query(this.#query, group.machineClock.nowMs());
    if (!(reply instanceof ExpiredFirst)) {
      this.#sink.reply(reply);
    } else if (this.#removals++ >= REMOVALS_PER_READ_MAX) {
      this.#sink.fail(BUSY);
    } else {
      this.#service.removeExpired(group, reply.items, this);
    }
  }

  lost(): void {
    this.#sink.fail(NOT_LEADER);
  }

  /** The removal is committed: a state that is at least as new as when the read was asked. Ask again. */
  applied(): void {
    this.granted();
  }

  dropped(why: ProposalFailure): void {
    if (why === "disk-full") this.#sink.fail(diskFullError(this.#shard));
    else this.#sink.fail(why === "busy" ? BUSY : NOT_LEADER);
  }
}
