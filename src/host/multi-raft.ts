/**
 * Many groups on one node, driven by events. A proposal, a message or a confirmation marks its group dirty; at the end
 * of the turn every dirty group is asked once what it needs, and then
 *   - all appends of all groups are ONE write to the log store,
 *   - all messages to one peer are ONE frame,
 *   - committed entries are applied in slices, so that a burst cannot starve elections or gossip.
 * A broken invariant stops the group that met it, loudly, and no other.
 */
import { type GroupId, type LogIndex, type NodeId, term } from "../base/ids.ts";
import type { Random } from "../base/random.ts";
import type { Configuration } from "../raft/configuration.ts";
import type { Entry } from "../raft/entry.ts";
import { entryBytes } from "../raft/log.ts";
import type { RaftMessage, SnapshotMetadata } from "../raft/messages.ts";
import type { RaftOptions } from "../raft/options.ts";
import { Raft } from "../raft/raft.ts";
import type { Leadership } from "../raft/ready.ts";
import { ByteReader } from "../wire/byte-reader.ts";
import { ByteSlab } from "../wire/byte-slab.ts";
import { readGroupId } from "../wire/id-codec.ts";
import { readRaftMessage } from "../wire/raft-codec.ts";
import type { Background } from "./background.ts";
import { CheckpointLine } from "./checkpoint-line.ts";
import {
  type Beginning,
  beginningOf,
  checkpointNow,
  type GroupStart,
  restoreCheckpoint,
} from "./group-beginning.ts";
import { GroupCheckpoints, type TakenCheckpoint } from "./group-checkpoints.ts";
import type { HostOptions } from "./options.ts";
import { type PeerEar, PeerWatch } from "./peer-watch.ts";
import type {
  CheckpointWriter,
  Clock,
  DamagedGroup,
  GroupWrite,
  KeptCheckpoint,
  LogStore,
  StoredGroup,
  StoredTombstone,
  Timer,
  Tombstone,
} from "./ports.ts";
import type { HostProbe } from "./probe.ts";
import { type GroupObserver, RaftGroup } from "./raft-group.ts";
import { type RaftFrames, RaftOutbox } from "./raft-outbox.ts";
import type { SnapshotSink, StateMachine } from "./state-machine.ts";
import { WriteWatch } from "./write-watch.ts";

/** How raft frames leave this node, and what the links know of who is there. */
export interface RaftTransport extends RaftFrames, PeerEar {
  /** A {@link flush} will follow at the end of this turn: what others write until then can leave with it. */
  awaitFlush(): void;
  /** Sends everything written in this turn, answers to requests included, without waiting for the next one. */
  flush(): void;
}

/**
 * `leads` as it comes; `hands-over` because it is about to stop, or its disk confirms nothing; or is `read-only` because its disk is full: what it persists
 * waits, so it could neither lead well nor be elected, and it takes no commands where nobody else can lead.
 */
export type Standing = "leads" | "hands-over" | "read-only";

export interface MultiRaftEvents {
  onLeadership(group: GroupId, leadership: Leadership): void;
  onConfiguration(group: GroupId, configuration: Configuration): void;
  /** `node` needs a snapshot of `group`. */
  onSnapshotWanted(group: GroupId, node: NodeId): void;
  /** A message for a group that is not here. Whoever knows may open the group and return true. */
  onUnknownGroup(group: GroupId, from: NodeId, message: RaftMessage): boolean;
  /** Nothing came from `node`, asked or unasked, for longer than an election timeout. The groups know already. */
  onSilent(node: NodeId): void;
  /** An invariant broke: the group has stopped on this node. */
  onGroupFailed(group: GroupId, error: unknown): void;
  onCheckpoint(taken: TakenCheckpoint): void;
  /** It will be tried again. */
  onCheckpointFailed(group: GroupId, error: Error): void;
  /** Writes wait for the store for an election timeout; or again none did for several. */
  onStoreStalled(stalled: boolean): void;
}

/** Groups that became dirty again within one turn are served again at most this often before the event loop goes on. */
const ROUNDS_PER_TURN_MAX = 8;
/** Election timeouts without a late write before a store that stalled is believed again. */
const CALM_ELECTION_TIMEOUTS = 5;

export class MultiRaft {
  readonly #self: NodeId;
  readonly #clock: Clock;
  readonly #background: Background;
  readonly #random: Random;
  readonly #store: LogStore;
  readonly #transport: RaftTransport;
  readonly #raftOptions: RaftOptions;
  readonly #options: HostOptions;
  readonly #events: MultiRaftEvents;
  readonly #probe: HostProbe | null;
  readonly #groups = new Map<GroupId, RaftGroup<unknown>>();
  readonly #tombstones = new Map<GroupId, Tombstone>();
  /** Groups whose invariant broke here. They stay silent: an emptied replica must not vote. */
  readonly #failed = new Set<GroupId>();
  /** Where groups began, which the store has not been told yet. Always empty in memory mode. */
  readonly #beginnings = new Map<GroupId, GroupWrite>();
  /** Groups to be served, in the order in which they were marked, each once: {@link RaftGroup.isDirty} says which are here. */
  #dirty: RaftGroup<unknown>[] = [];
  /** The list of the round before, empty: lists that are used again allocate nothing. */
  #served: RaftGroup<unknown>[] = [];
  #turnScheduled = false;
  #inTurn = false;
  readonly #outbox: RaftOutbox;
  #tickTimer: Timer | null = null;
  #closed = false;
  #standing: Standing = "leads";
  readonly #checkpointLine = new CheckpointLine();
  readonly #writeWatch: WriteWatch;
  readonly #peerWatch: PeerWatch;
  readonly counters = {
    turns: 0,
    writes: 0,
    checkpoints: 0,
    checkpointsFailed: 0,
    checkpointBytes: 0,
    entriesAppended: 0,
    messagesSent: 0,
    messagesDropped: 0,
    messagesReceived: 0,
  };

  constructor(parts: {
    readonly self: NodeId;
    readonly clock: Clock;
    readonly background: Background;
    readonly random: Random;
    readonly store: LogStore;
    readonly transport: RaftTransport;
    readonly raftOptions: RaftOptions;
    readonly options: HostOptions;
    readonly events: MultiRaftEvents;
    readonly probe?: HostProbe | undefined;
  }) {
    this.#self = parts.self;
    this.#clock = parts.clock;
    this.#background = parts.background;
    this.#random = parts.random;
    this.#store = parts.store;
    this.#transport = parts.transport;
    this.#outbox = new RaftOutbox(parts.transport, this.counters);
    this.#raftOptions = parts.raftOptions;
    this.#options = parts.options;
    this.#events = parts.events;
    this.#probe = parts.probe ?? null;
    // A leader that confirms nothing for as long as followers wait for one that says nothing is no better.
    const { electionTimeoutTicks } = parts.raftOptions;
    this.#writeWatch = new WriteWatch(
      electionTimeoutTicks,
      electionTimeoutTicks * CALM_ELECTION_TIMEOUTS,
      (stalled) => parts.events.onStoreStalled(stalled),
    );
    this.#peerWatch = new PeerWatch(electionTimeoutTicks, parts.transport, (node) => this.#peerSilent(node));
  }

  /** Unless it `leads`, this node hands over what it leads, again and again, and declines what is handed to it. */
  setStanding(standing: Standing): void {
    this.#standing = standing;
    if (standing !== "leads") for (const group of this.#groups.values()) group.handOver();
  }

  /** Begins to tick. */
  start(): void {
    if (this.#tickTimer !== null || this.#closed) return;
    const tick = (): void => {
      this.#tickTimer = this.#clock.setTimer(this.#options.tickMs, tick);
      this.#tick();
    };
    this.#tickTimer = this.#clock.setTimer(this.#options.tickMs, tick);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#tickTimer?.cancel();
    for (const group of this.#groups.values()) group.close();
    this.#groups.clear();
    this.#dirty = [];
  }

  /** What is written here outlives the process. */
  get durable(): boolean {
    return this.#store.durable;
  }

  get(group: GroupId): RaftGroup<unknown> | undefined {
    return this.#groups.get(group);
  }

  groups(): IterableIterator<RaftGroup<unknown>> {
    return this.#groups.values();
  }

  /** Groups that stopped on this node because an invariant broke. */
  get failedGroups(): ReadonlySet<GroupId> {
    return this.#failed;
  }

  /** Whether this node once held a replica of `group` and destroyed it: it must never found the group again. */
  hasTombstone(group: GroupId): boolean {
    return this.#tombstones.has(group);
  }

  /** What a former life of this node destroyed. Before any group is opened. */
  recall(tombstones: readonly StoredTombstone[]): void {
    for (const { group, tombstone } of tombstones) this.#tombstones.set(group, tombstone);
  }

  /**
   * The store lost what it held of a group, not what the replica had promised: as if it had been destroyed. A leader will
   * fill it again; until then it votes by its tombstone. Before any group is opened.
   */
  bury({ group, tombstone }: DamagedGroup): void {
    this.#tombstones.set(group, tombstone);
    this.#store.remove(group, tombstone);
    this.#probe?.buried(group, tombstone);
  }

  /** Where the snapshot of `group` that arrives is kept; null in memory mode. */
  keepSnapshot(group: GroupId): CheckpointWriter | null {
    return this.#store.durable ? this.#store.beginCheckpoint(group) : null;
  }

  open<Result>(id: GroupId, machine: StateMachine<Result>, start: GroupStart): RaftGroup<Result> {
    const beginning = beginningOf(start, this.#tombstones.has(id) && start.again !== true);
    if (this.#store.durable) {
      const checkpoint = beginning.base.index === 0 ? null : checkpointNow(machine);
      this.#beginnings.set(id, { group: id, checkpoint, entries: [], ...beginning });
    }
    return this.#begin(id, machine, beginning, []);
  }

  /**
   * Opens a replica where a former life of this node left it: the machine at its checkpoint, the log behind it. What
   * was known to be committed is applied again, in order, in the turns that follow.
   */
  reopen<Result>(stored: StoredGroup, machine: StateMachine<Result>): RaftGroup<Result> | null {
    try {
      restoreCheckpoint(machine, stored.checkpoint);
      return this.#begin(stored.group, machine, stored, stored.entries);
    } catch (error) {
      this.#failed.add(stored.group);
      this.#events.onGroupFailed(stored.group, error);
      return null;
    }
  }

  #begin<Result>(
    id: GroupId,
    machine: StateMachine<Result>,
    { base, hardState }: Beginning,
    entries: readonly Entry[],
  ): RaftGroup<Result> {
    const raft = new Raft({
      self: this.#self,
      options: this.#raftOptions,
      random: this.#random.fork(),
      base,
      hardState,
      entries,
      tombstone: this.#tombstones.get(id) ?? null,
    });
    const logBytes = entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
    const observer: GroupObserver = {
      onDirty: () => this.#mark(group as RaftGroup<unknown>),
      onLeadership: (changed, leadership) => {
        this.#peerWatch.countOn(changed, this.#countedOn(raft));
        this.#events.onLeadership(changed, leadership);
      },
      onConfiguration: (changed) => {
        this.#peerWatch.countOn(changed, this.#countedOn(raft));
        this.#events.onConfiguration(changed, raft.configuration);
      },
      isReadOnly: () => this.#standing === "read-only",
      probe: this.#probe,
    };
    const checkpoints = this.#store.durable
      ? new GroupCheckpoints({
          group: id,
          store: this.#store,
          clock: this.#clock,
          background: this.#background,
          line: this.#checkpointLine,
          options: this.#options,
          index: base.index,
          logBytes,
          now: () => ({ machine, base: raft.snapshotMetadata(raft.applied) }),
          onTaken: (taken) => this.#checkpointTaken(taken),
          onFailed: (error) => this.#checkpointFailed(id, error),
        })
      : null;
    const group = new RaftGroup<Result>(id, raft, machine, this.#clock, this.#options, observer, checkpoints);
    this.#groups.set(id, group as RaftGroup<unknown>);
    this.#probe?.opened(group as RaftGroup<unknown>);
    this.markDirty(id);
    return group;
  }

  /**
   * Makes this node's replica the only voter of its group, on an operator's word. One that is not here, or was never filled, begins
   * anew with `machine`. False when it leads, or stopped on a broken invariant. @see raft/forced.ts
   */
  force(id: GroupId, machine: () => StateMachine<unknown>): boolean {
    if (this.#failed.has(id)) return false;
    const held = this.#groups.get(id);
    if (held?.isLeader === true) return false;
    const isFilled = held !== undefined && held.raft.configuration.voters.length > 0;
    if (held !== undefined && !isFilled) this.#drop(held);
    const group = isFilled ? held : this.open(id, machine(), { voters: [this.#self], again: true });
    this.#probe?.forced(group);
    this.#guarded(group, () => void group.raft.forceAlone());
    this.markDirty(id);
    return this.#groups.has(id);
  }

  /** Destroys this node's replica for good, keeping what a voter must remember. @see Tombstone */
  remove(id: GroupId): void {
    const group = this.#groups.get(id);
    if (group === undefined) return;
    const status = group.raft.status();
    const before = this.#tombstones.get(id);
    const further = before !== undefined && isFurther(before, status) ? before : status;
    const tombstone: Tombstone = {
      term: status.term,
      vote: status.vote,
      lastIndex: further.lastIndex,
      lastTerm: further.lastTerm,
    };
    this.#tombstones.set(id, tombstone);
    this.#drop(group);
    this.#store.remove(id, tombstone);
    this.#probe?.removed(group, tombstone);
  }

  markDirty(id: GroupId): void {
    const group = this.#groups.get(id);
    if (group !== undefined) this.#mark(group);
  }

  #mark(group: RaftGroup<unknown>): void {
    if (!group.isDirty) {
      group.isDirty = true;
      this.#dirty.push(group);
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#turnScheduled || this.#inTurn || this.#closed) return;
    this.#turnScheduled = true;
    this.#transport.awaitFlush();
    this.#clock.defer(() => {
      this.#turnScheduled = false;
      this.#turn();
    });
  }

  /** One raft frame from a peer: any number of messages of any groups. Throws `WireError` on damage. */
  receiveFrame(from: NodeId, body: Uint8Array): void {
    const reader = new ByteReader(body);
    while (reader.remaining > 0) {
      const id = readGroupId(reader);
      const keeper = this.#groups.get(id)?.entryBytes ?? new ByteSlab();
      const message = readRaftMessage(reader, from, this.#self, keeper);
      this.counters.messagesReceived++;
      this.#step(id, from, message);
    }
  }

  /** Steps a message that did not come in a frame. */
  #step(id: GroupId, from: NodeId, message: RaftMessage): void {
    let group = this.#groups.get(id);
    if (group === undefined) {
      if (this.#failed.has(id)) return;
      if (!this.#events.onUnknownGroup(id, from, message)) return;
      group = this.#groups.get(id);
      if (group === undefined) return;
    }
    group.messagesStepped++;
    if (this.#standing !== "leads" && message.type === "timeout-now") return;
    try {
      group.raft.step(message);
    } catch (error) {
      this.#fail(group, error);
    }
    this.markDirty(id);
  }

  /**
   * A snapshot has arrived whole from `from`; `kept` are its bytes, where they must outlive the process. Answers whether `replica`
   * is still the one here: `restore` belongs to its machine, and to no other that may have come in its place meanwhile.
   */
  installSnapshot(
    replica: RaftGroup<unknown>,
    from: NodeId,
    leaderTerm: number,
    snapshot: SnapshotMetadata,
    restore: SnapshotSink,
    kept: KeptCheckpoint | null,
  ): boolean {
    if (this.#groups.get(replica.id) !== replica) {
      kept?.discard();
      return false;
    }
    replica.messagesStepped++;
    this.#guarded(replica, () =>
      replica.restoreFrom(restore, kept, () =>
        replica.raft.step({
          type: "install-snapshot",
          from,
          to: this.#self,
          term: term(leaderTerm),
          snapshot,
        }),
      ),
    );
    this.markDirty(replica.id);
    return true;
  }

  snapshotStarted(id: GroupId, node: NodeId, snapshot: SnapshotMetadata): void {
    const group = this.#groups.get(id);
    if (group === undefined) return;
    group.snapshotsInFlight.set(node, snapshot.index);
    group.raft.snapshotStarted(node, snapshot);
  }

  snapshotFinished(id: GroupId, node: NodeId, delivered: boolean, index: LogIndex): void {
    const group = this.#groups.get(id);
    if (group === undefined) return;
    group.snapshotsInFlight.delete(node);
    group.raft.snapshotFinished(node, delivered, index);
    this.markDirty(id);
  }

  /** The link to `node` broke or gossip suspects it: wake every group that counts on it. */
  peerSuspected(node: NodeId): void {
    for (const group of this.#groups.values()) {
      const { raft } = group;
      if (raft.role === "leader") raft.reportUnreachable(node);
      else if (raft.leader === node) raft.forgetLeader();
      else continue;
      raft.wake();
      this.markDirty(group.id);
    }
  }

  /**
   * Nothing came from `node` for longer than an election timeout. Its followers forget it; who leads with its help counts it
   * out unless it answers at once. A group that was awake all the while knows by its own count.
   */
  #peerSilent(node: NodeId): void {
    for (const group of this.#groups.values()) {
      const { raft } = group;
      if (raft.role === "leader") raft.reportSilent(node);
      else if (raft.leader === node) raft.forgetLeader();
      else continue;
      this.markDirty(group.id);
    }
    this.#events.onSilent(node);
  }

  /** Whose silence would leave a replica without a leader, or without followers. */
  #countedOn({ role, leader, configuration }: Raft): readonly NodeId[] {
    if (leader === null) return [];
    if (role !== "leader") return [leader];
    const voters = new Set<NodeId>([...configuration.voters, ...configuration.votersOutgoing]);
    voters.delete(this.#self);
    return [...voters];
  }

  #tick(): void {
    this.#writeWatch.tick();
    for (const group of this.#groups.values()) {
      if (this.#store.durable) group.lookAtCheckpoint();
      if (this.#standing !== "leads") group.handOver();
      if (group.raft.quiesced) continue;
      this.#guarded(group, () => group.raft.tick());
      if (group.raft.hasReady() || group.holdsCommands) this.markDirty(group.id);
    }
    this.#peerWatch.tick();
  }

  #turn(): void {
    if (this.#closed) {
      // Others may have written, and wait for it.
      this.#transport.flush();
      return;
    }
    this.counters.turns++;
    this.#inTurn = true;
    const deadlineMs = this.#clock.nowMs() + this.#options.applySliceMs;
    for (let round = 0; this.#dirty.length > 0 && round < ROUNDS_PER_TURN_MAX; round++) {
      this.#round(deadlineMs);
      if (this.#clock.nowMs() > deadlineMs) break;
    }
    this.#outbox.sendAll();
    this.#transport.flush();
    this.#inTurn = false;
    if (this.#dirty.length > 0) this.#schedule();
  }

  #round(deadlineMs: number): void {
    const dirty = this.#dirty;
    this.#dirty = this.#served;
    for (const group of dirty) group.isDirty = false;
    const writes: GroupWrite[] = [];
    const receipts: Receipt[] = [];
    for (const group of dirty) {
      if (group.closed) continue;
      try {
        this.#collect(group, writes, receipts);
      } catch (error) {
        this.#fail(group, error);
      }
    }
    if (writes.length > 0) this.#write(writes, receipts);
    for (const group of dirty) {
      if (group.closed || !group.hasWorkToApply) continue;
      try {
        if (!group.applyUntil(deadlineMs) || group.raft.hasReady()) this.#mark(group);
      } catch (error) {
        this.#fail(group, error);
      }
    }
    dirty.length = 0;
    this.#served = dirty;
  }

  #collect(group: RaftGroup<unknown>, writes: GroupWrite[], receipts: Receipt[]): void {
    group.beginTurn();
    const beginning = this.#takeBeginning(group.id);
    if (!group.raft.hasReady()) {
      if (beginning !== null) {
        writes.push(beginning);
        receipts.push({ group, receipt: 0 });
      }
      return;
    }
    const ready = group.raft.ready();
    this.#probe?.ready(group, ready);
    const checkpoint = group.takeReady(ready);
    for (const message of ready.messages) this.#outbox.post(group.id, message);
    for (const node of ready.snapshotsWanted) this.#events.onSnapshotWanted(group.id, node);
    const { persist } = ready;
    if (persist !== null) this.#countEntries(group, persist.entries);
    if (persist !== null || beginning !== null) {
      const installed = persist?.snapshot ?? null;
      writes.push({
        group: group.id,
        base: installed ?? beginning?.base ?? null,
        checkpoint: installed === null ? (beginning?.checkpoint ?? null) : checkpoint,
        entries: persist?.entries ?? [],
        hardState: persist?.hardState ?? beginning?.hardState ?? null,
      });
      receipts.push({ group, receipt: persist?.receipt ?? 0 });
    }
    if (group.raft.hasReady()) this.#mark(group);
  }

  #countEntries(group: RaftGroup<unknown>, entries: readonly Entry[]): void {
    this.counters.entriesAppended += entries.length;
    if (!this.#store.durable) return;
    let bytes = 0;
    for (const entry of entries) bytes += entryBytes(entry);
    group.appended(bytes);
  }

  #takeBeginning(id: GroupId): GroupWrite | null {
    if (this.#beginnings.size === 0) return null;
    const beginning = this.#beginnings.get(id) ?? null;
    this.#beginnings.delete(id);
    return beginning;
  }

  #write(writes: readonly GroupWrite[], receipts: readonly Receipt[]): void {
    this.counters.writes++;
    this.#writeWatch.given();
    this.#store.write(writes, (error) => {
      this.#writeWatch.confirmed();
      for (const { group, receipt } of receipts) {
        if (group.closed) continue;
        if (error !== null) {
          this.#fail(group, error);
          continue;
        }
        if (receipt === 0) continue;
        this.#guarded(group, () => group.raft.persisted(receipt));
        this.markDirty(group.id);
      }
    });
  }

  #checkpointTaken(taken: TakenCheckpoint): void {
    this.counters.checkpoints++;
    this.counters.checkpointBytes += taken.bytes;
    this.#events.onCheckpoint(taken);
  }

  #checkpointFailed(id: GroupId, error: Error): void {
    this.counters.checkpointsFailed++;
    this.#events.onCheckpointFailed(id, error);
  }

  #guarded(group: RaftGroup<unknown>, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#fail(group, error);
    }
  }

  #fail(group: RaftGroup<unknown>, error: unknown): void {
    this.#failed.add(group.id);
    this.#drop(group);
    this.#probe?.failed(group, error);
    this.#events.onGroupFailed(group.id, error);
  }

  #drop(group: RaftGroup<unknown>): void {
    this.#groups.delete(group.id);
    this.#beginnings.delete(group.id);
    this.#peerWatch.forget(group.id);
    group.close();
  }
}

/** Whether one log ends later than another, as voters compare them. @see Raft §5.4.1 */
function isFurther(
  one: Pick<Tombstone, "lastIndex" | "lastTerm">,
  other: Pick<Tombstone, "lastIndex" | "lastTerm">,
): boolean {
  return (
    one.lastTerm > other.lastTerm || (one.lastTerm === other.lastTerm && one.lastIndex > other.lastIndex)
  );
}

/** What a write of the store confirms; 0: only where the group began. */
interface Receipt {
  readonly group: RaftGroup<unknown>;
  readonly receipt: number;
}
