/**
 * Many groups on one node, driven by events. A proposal, a message or a confirmation marks its group dirty; at the end
 * of the turn every dirty group is asked once what it needs, and then
 *   - all appends of all groups are ONE write to the log store,
 *   - all messages to one peer are ONE frame,
 *   - committed entries are applied in slices, so that a burst cannot starve elections or gossip.
 * A broken invariant stops the group that met it, loudly, and no other.
 */
import { type GroupId, type LogIndex, logIndex, type NodeId, term } from "../base/ids.ts";
import type { Random } from "../base/random.ts";
import { type Configuration, EMPTY_CONFIGURATION } from "../raft/configuration.ts";
import type { RaftMessage, SnapshotMetadata } from "../raft/messages.ts";
import type { RaftOptions } from "../raft/options.ts";
import { Raft } from "../raft/raft.ts";
import type { Leadership } from "../raft/ready.ts";
import { ByteReader } from "../wire/byte-reader.ts";
import type { ByteWriter } from "../wire/byte-writer.ts";
import { readGroupId } from "../wire/id-codec.ts";
import { encodeRaftMessage, readRaftMessage } from "../wire/raft-codec.ts";
import type { HostOptions } from "./options.ts";
import type { Clock, GroupWrite, LogStore, Timer, Tombstone } from "./ports.ts";
import type { HostProbe } from "./probe.ts";
import { type GroupObserver, RaftGroup } from "./raft-group.ts";
import type { StateMachine } from "./state-machine.ts";

/** How raft frames leave this node. */
export interface RaftTransport {
  /** Starts a raft frame to `node`; null when the link is down or congested (the messages are dropped: raft retries). */
  beginFrame(node: NodeId): ByteWriter | null;
  endFrame(node: NodeId): void;
  /** Sends everything written in this turn, answers to requests included, without waiting for the next one. */
  flush(): void;
}

export interface MultiRaftEvents {
  onLeadership(group: GroupId, leadership: Leadership): void;
  onConfiguration(group: GroupId, configuration: Configuration): void;
  /** `node` needs a snapshot of `group`. */
  onSnapshotWanted(group: GroupId, node: NodeId): void;
  /** A message for a group that is not here. Whoever knows may open the group and return true. */
  onUnknownGroup(group: GroupId, from: NodeId, message: RaftMessage): boolean;
  /** An invariant broke: the group has stopped on this node. */
  onGroupFailed(group: GroupId, error: unknown): void;
}

/** How a replica begins. `voters`: this group has never existed before. Else it waits for a leader to fill it. */
export interface GroupStart {
  readonly voters: readonly NodeId[];
}

/** The log of a new group begins behind this entry, which stands for the founding configuration. */
const FOUNDING_INDEX = logIndex(1);
const FOUNDING_TERM = term(1);
/** A frame beyond this takes no further message. One message holds at most one entry beyond 1 MiB, so none is too large. */
const FRAME_BYTES_AIM = 2 * 1024 * 1024;
/** Groups that became dirty again within one turn are served again at most this often before the event loop goes on. */
const ROUNDS_PER_TURN_MAX = 8;

export class MultiRaft {
  readonly #self: NodeId;
  readonly #clock: Clock;
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
  #dirty = new Set<GroupId>();
  #turnScheduled = false;
  #inTurn = false;
  #outbox = new Map<NodeId, OutgoingMessage[]>();
  #tickTimer: Timer | null = null;
  #closed = false;
  readonly counters = {
    turns: 0,
    writes: 0,
    entriesAppended: 0,
    messagesSent: 0,
    messagesDropped: 0,
    messagesReceived: 0,
  };

  constructor(parts: {
    readonly self: NodeId;
    readonly clock: Clock;
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
    this.#random = parts.random;
    this.#store = parts.store;
    this.#transport = parts.transport;
    this.#raftOptions = parts.raftOptions;
    this.#options = parts.options;
    this.#events = parts.events;
    this.#probe = parts.probe ?? null;
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
    this.#dirty.clear();
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

  open<Result>(id: GroupId, machine: StateMachine<Result>, start: GroupStart): RaftGroup<Result> {
    const tombstone = this.#tombstones.get(id) ?? null;
    const founding = start.voters.length > 0 && tombstone === null;
    const index = founding ? FOUNDING_INDEX : logIndex(0);
    const raft = new Raft({
      self: this.#self,
      options: this.#raftOptions,
      random: this.#random.fork(),
      base: {
        index,
        term: founding ? FOUNDING_TERM : term(0),
        configuration: founding ? foundingConfiguration(start.voters) : EMPTY_CONFIGURATION,
      },
      hardState: { term: founding ? FOUNDING_TERM : term(0), vote: null, commit: index },
      entries: [],
      tombstone,
    });
    const observer: GroupObserver = {
      onDirty: (dirty) => this.markDirty(dirty),
      onLeadership: (changed, leadership) => this.#events.onLeadership(changed, leadership),
      onConfiguration: (changed) => this.#events.onConfiguration(changed, raft.configuration),
      probe: this.#probe,
    };
    const group = new RaftGroup<Result>(id, raft, machine, this.#clock, this.#options, observer);
    this.#groups.set(id, group as RaftGroup<unknown>);
    this.#probe?.opened(group as RaftGroup<unknown>);
    this.markDirty(id);
    return group;
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

  markDirty(group: GroupId): void {
    this.#dirty.add(group);
    if (this.#turnScheduled || this.#inTurn || this.#closed) return;
    this.#turnScheduled = true;
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
      const message = ownEntries(readRaftMessage(reader, from, this.#self));
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
    this.#guarded(group, () => group.raft.step(message));
    this.markDirty(id);
  }

  /** A snapshot for `id` has arrived whole from `from`. */
  installSnapshot(
    id: GroupId,
    from: NodeId,
    leaderTerm: number,
    snapshot: SnapshotMetadata,
    restore: Parameters<RaftGroup<unknown>["restoreFrom"]>[0],
  ): void {
    const group = this.#groups.get(id);
    if (group === undefined) return;
    group.messagesStepped++;
    this.#guarded(group, () =>
      group.restoreFrom(restore, () =>
        group.raft.step({ type: "install-snapshot", from, to: this.#self, term: term(leaderTerm), snapshot }),
      ),
    );
    this.markDirty(id);
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

  #tick(): void {
    for (const group of this.#groups.values()) {
      if (group.raft.quiesced) continue;
      this.#guarded(group, () => group.raft.tick());
      if (group.raft.hasReady() || group.holdsCommands) this.markDirty(group.id);
    }
  }

  #turn(): void {
    if (this.#closed) return;
    this.counters.turns++;
    this.#inTurn = true;
    const deadlineMs = this.#clock.nowMs() + this.#options.applySliceMs;
    for (let round = 0; this.#dirty.size > 0 && round < ROUNDS_PER_TURN_MAX; round++) {
      this.#round(deadlineMs);
      if (this.#clock.nowMs() > deadlineMs) break;
    }
    this.#sendAll();
    this.#transport.flush();
    this.#inTurn = false;
    const next = this.#dirty.values().next();
    if (!next.done) this.markDirty(next.value);
  }

  #round(deadlineMs: number): void {
    const dirty = this.#dirty;
    this.#dirty = new Set();
    const writes: GroupWrite[] = [];
    const receipts: { group: RaftGroup<unknown>; receipt: number }[] = [];
    for (const id of dirty) {
      const group = this.#groups.get(id);
      if (group === undefined) continue;
      this.#guarded(group, () => this.#collect(group, writes, receipts));
    }
    if (writes.length > 0) this.#write(writes, receipts);
    for (const id of dirty) {
      const group = this.#groups.get(id);
      if (group === undefined || !group.hasWorkToApply) continue;
      this.#guarded(group, () => {
        if (!group.applyUntil(deadlineMs)) this.#dirty.add(id);
        else if (group.raft.hasReady()) this.#dirty.add(id);
      });
    }
  }

  #collect(
    group: RaftGroup<unknown>,
    writes: GroupWrite[],
    receipts: { group: RaftGroup<unknown>; receipt: number }[],
  ): void {
    group.beginTurn();
    if (!group.raft.hasReady()) return;
    const ready = group.raft.ready();
    this.#probe?.ready(group, ready);
    group.takeReady(ready);
    for (const message of ready.messages) this.#post(group.id, message);
    for (const node of ready.snapshotsWanted) this.#events.onSnapshotWanted(group.id, node);
    const { persist } = ready;
    if (persist !== null) {
      this.counters.entriesAppended += persist.entries.length;
      writes.push({
        group: group.id,
        base: persist.snapshot,
        entries: persist.entries,
        hardState: persist.hardState,
      });
      receipts.push({ group, receipt: persist.receipt });
    }
    if (group.raft.hasReady()) this.#dirty.add(group.id);
  }

  #write(
    writes: readonly GroupWrite[],
    receipts: readonly { group: RaftGroup<unknown>; receipt: number }[],
  ): void {
    this.counters.writes++;
    this.#store.write(writes, (error) => {
      for (const { group, receipt } of receipts) {
        if (group.closed) continue;
        if (error !== null) {
          this.#fail(group, error);
          continue;
        }
        this.#guarded(group, () => group.raft.persisted(receipt));
        this.markDirty(group.id);
      }
    });
  }

  #post(group: GroupId, message: RaftMessage): void {
    const waiting = this.#outbox.get(message.to);
    if (waiting === undefined) this.#outbox.set(message.to, [{ group, message }]);
    else waiting.push({ group, message });
  }

  #sendAll(): void {
    for (const [node, messages] of this.#outbox) {
      if (messages.length === 0) continue;
      let sent = 0;
      while (sent < messages.length) {
        const count = this.#sendFrame(node, messages, sent);
        if (count === 0) break;
        sent += count;
      }
      this.counters.messagesSent += sent;
      this.counters.messagesDropped += messages.length - sent;
      messages.length = 0;
    }
  }

  /** As many messages from `first` on as one frame should hold; 0 when the link takes none. */
  #sendFrame(node: NodeId, messages: readonly OutgoingMessage[], first: number): number {
    const writer = this.#transport.beginFrame(node);
    if (writer === null) return 0;
    const start = writer.length;
    let next = first;
    while (next < messages.length && writer.length - start < FRAME_BYTES_AIM) {
      const { group, message } = messages[next++] as OutgoingMessage;
      writer.varint(group);
      encodeRaftMessage(writer, message);
    }
    this.#transport.endFrame(node);
    return next - first;
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
    this.#dirty.delete(group.id);
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

interface OutgoingMessage {
  readonly group: GroupId;
  readonly message: RaftMessage;
}

function foundingConfiguration(voters: readonly NodeId[]): Configuration {
  return { ...EMPTY_CONFIGURATION, voters: [...new Set(voters)].sort() };
}

/** Entries outlive the network buffer they were decoded from: copies their bytes, once. */
function ownEntries(message: RaftMessage): RaftMessage {
  if (message.type !== "append-request" || message.entries.length === 0) return message;
  return {
    ...message,
    entries: message.entries.map((entry) =>
      entry.kind === "data" ? { ...entry, data: new Uint8Array(entry.data) } : entry,
    ),
  };
}
