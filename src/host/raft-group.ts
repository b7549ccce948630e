/**
 * One replica of one group as its node sees it: the pure core, the state machine, and those who wait for either.
 *
 * A command enters by `submit`, shares one entry with all others of its turn, and leaves through its sink when that very
 * entry (same index AND same term) is applied. A waiter is never answered by another leader's entry.
 */
import type { GroupId, LogIndex, NodeId } from "../base/ids.ts";
import { logIndex } from "../base/ids.ts";
import type { DataEntry, Entry } from "../raft/entry.ts";
import type { Raft } from "../raft/raft.ts";
import type { Leadership, Ready } from "../raft/ready.ts";
import { BatchBuilder } from "../wire/batch-builder.ts";
import { ByteSlab } from "../wire/byte-slab.ts";
import type { GroupCheckpoints } from "./group-checkpoints.ts";
import { cutOfLog } from "./log-tail.ts";
import { MachineClock } from "./machine-clock.ts";
import type { HostOptions } from "./options.ts";
import type { Clock, KeptCheckpoint } from "./ports.ts";
import type { HostProbe } from "./probe.ts";
import type { ProposalSink, ReadSink, SnapshotSink, StateMachine } from "./state-machine.ts";

/** The sinks of one proposed entry, in the order of its commands. */
interface Waiter<Result> {
  readonly index: LogIndex;
  readonly term: number;
  readonly sinks: readonly ProposalSink<Result>[];
}

/**
 * Reads that wait for an index: what was committed when they were asked AND what this leader had appended by then, so
 * that a read sees the writes that reached the leader before it on the same connection, acknowledged or not.
 */
interface WaitingReads {
  readonly index: LogIndex;
  readonly sinks: readonly ReadSink[];
}

/** What a group tells its host. Called during the host's turn. */
export interface GroupObserver {
  /** Something is to be done for this group in this turn. */
  onDirty(): void;
  onLeadership(group: GroupId, leadership: Leadership): void;
  onConfiguration(group: GroupId): void;
  /** The disk of this node is full: what is appended here waits for space. */
  isReadOnly(): boolean;
  readonly probe: HostProbe | null;
}

export class RaftGroup<Result> {
  readonly id: GroupId;
  readonly raft: Raft;
  readonly machine: StateMachine<Result>;
  readonly machineClock: MachineClock;
  readonly #clock: Clock;
  readonly #options: HostOptions;
  readonly #observer: GroupObserver;
  /** null in memory mode, where the machine itself is the checkpoint. */
  readonly #checkpoints: GroupCheckpoints | null;

  /** The bytes of this log's entries. */
  readonly entryBytes = new ByteSlab();
  readonly #batch = new BatchBuilder(this.entryBytes);
  #batchSinks: ProposalSink<Result>[] = [];
  /** Oldest first; indexes ascend. */
  #waiters: Waiter<Result>[] = [];
  #readsNext: ReadSink[] = [];
  readonly #readsInFlight = new Map<number, WaitingReads>();
  #readsGranted: WaitingReads[] = [];
  #readContext = 0;
  #applyQueue: Entry[] = [];
  #applyHead = 0;
  #appliedTerm = 0;
  #ledTerm = 0;
  #pendingRestore: ArrivedSnapshot | null = null;
  #handOvers = 0;
  /** Waits to be served by its host; the host's own mark. */
  isDirty = false;
  /** Messages that other replicas have sent to this one. */
  messagesStepped = 0;
  /** Indexes of snapshots being sent: the log behind the oldest is kept for their receivers. */
  readonly snapshotsInFlight = new Map<NodeId, LogIndex>();
  #closed = false;

  constructor(
    id: GroupId,
    raft: Raft,
    machine: StateMachine<Result>,
    clock: Clock,
    options: HostOptions,
    observer: GroupObserver,
    checkpoints: GroupCheckpoints | null = null,
  ) {
    this.id = id;
    this.raft = raft;
    this.machine = machine;
    this.machineClock = new MachineClock(clock);
    this.#clock = clock;
    this.#options = options;
    this.#observer = observer;
    this.#checkpoints = checkpoints;
    // A machine that comes out of a checkpoint goes on from its newest stamp: time not run is time not passed.
    if (machine.timeMs > 0) this.machineClock.applied(machine.timeMs);
  }

  get closed(): boolean {
    return this.#closed;
  }

  get isLeader(): boolean {
    return this.raft.role === "leader" && !this.#closed;
  }

  /**
   * Leads and has applied an entry of its own term: everything committed before is in the machine, so commands may be
   * stamped and expiry judged. @see machine-clock.ts
   */
  get isReadyLeader(): boolean {
    return this.isLeader && this.#appliedTerm === this.raft.term;
  }

  /** A snapshot was accepted and is about to be installed: until then the machine is behind what the core calls applied. */
  get isRestoring(): boolean {
    return this.#pendingRestore !== null;
  }

  /** Commands wait for this leader to be ready, or for a transfer of its leadership to end. */
  get holdsCommands(): boolean {
    return this.#batchSinks.length > 0;
  }

  /** Commands and reads that wait here for an outcome. */
  get waiting(): number {
    let waiting = this.#batchSinks.length + this.#readsNext.length;
    for (const waiter of this.#waiters) waiting += waiter.sinks.length;
    for (const reads of this.#readsInFlight.values()) waiting += reads.sinks.length;
    for (const granted of this.#readsGranted) waiting += granted.sinks.length;
    return waiting;
  }

  /** Proposes one encoded command, copied before anybody else is told anything. Batched with everything else of this turn. */
  submit(command: Uint8Array, sink: ProposalSink<Result>): void {
    if (!this.isLeader) {
      sink.dropped("not-leader");
      return;
    }
    // Held while somebody else is about to lead; else nothing that would have to wait for space is begun.
    if (this.#observer.isReadOnly() && !this.raft.transferring) {
      sink.dropped("disk-full");
      return;
    }
    let taken = command;
    if (this.#batch.bytes > 0 && this.#batch.bytes + command.length > this.#options.heldBytesMax) {
      // Whoever is refused by this may ask again at once, and write where `command` lies.
      taken = new Uint8Array(command);
      if (this.#mayPropose) this.#proposeBatch();
      if (this.#batch.bytes > 0) {
        sink.dropped("busy");
        return;
      }
    }
    this.#batch.append(taken);
    this.#batchSinks.push(sink);
    this.#observer.onDirty();
  }

  /** Asks for a linearizable read. Shares one quorum round with everything else of this turn. */
  read(sink: ReadSink): void {
    if (!this.isLeader) {
      sink.lost();
      return;
    }
    this.#readsNext.push(sink);
    this.#observer.onDirty();
  }

  /** Hands this turn's commands and reads to the core. */
  beginTurn(): void {
    if (this.#batchSinks.length > 0 && (this.#mayPropose || !this.isLeader)) this.#proposeBatch();
    // A read sees what was asked before it: while commands are held, those that came after them are held, too.
    if (this.#readsNext.length > 0 && this.#batchSinks.length === 0) this.#askReads();
  }

  /**
   * Takes in what the core answered, except what the host does for it (persist, send, snapshots). Answers what the store
   * keeps of the snapshot that has replaced the machine, if one has: it becomes the group's together with its base.
   */
  takeReady(ready: Ready): KeptCheckpoint | null {
    if (ready.leadership !== null) this.#leadershipChanged(ready.leadership);
    const checkpoint = ready.persist?.snapshot ? this.#installSnapshot(ready.persist.snapshot.index) : null;
    for (const entry of ready.committed) this.#applyQueue.push(entry);
    for (const grant of ready.reads) {
      const reads = this.#readsInFlight.get(grant.context);
      if (reads === undefined) continue;
      this.#readsInFlight.delete(grant.context);
      this.#readsGranted.push({ index: logIndex(Math.max(grant.index, reads.index)), sinks: reads.sinks });
    }
    for (const context of ready.readsLost) {
      const reads = this.#readsInFlight.get(context);
      this.#readsInFlight.delete(context);
      for (const sink of reads?.sinks ?? []) sink.lost();
    }
    if (ready.configuration !== null) this.#observer.onConfiguration(this.id);
    return checkpoint;
  }

  get hasWorkToApply(): boolean {
    return this.#applyHead < this.#applyQueue.length || this.#readsGranted.length > 0;
  }

  /** Applies in order until done or `deadlineMs` passed; true when nothing is left. */
  applyUntil(deadlineMs: number): boolean {
    let last: LogIndex | null = null;
    while (this.#applyHead < this.#applyQueue.length) {
      const entry = this.#applyQueue[this.#applyHead++] as Entry;
      last = entry.index;
      this.#applyEntry(entry);
      if (this.#closed) return true;
      if (this.#clock.nowMs() > deadlineMs) break;
    }
    const finished = this.#applyHead === this.#applyQueue.length;
    if (finished) {
      this.#applyQueue.length = 0;
      this.#applyHead = 0;
    }
    if (last !== null) {
      this.raft.appliedTo(last);
      this.#becomeReadyLeader();
      this.#compact();
      this.lookAtCheckpoint();
    }
    this.#serveReads();
    return finished;
  }

  /** A whole snapshot has arrived: the core decides whether it is news. `kept`: its bytes, in durable mode. */
  restoreFrom(sink: SnapshotSink, kept: KeptCheckpoint | null, step: () => void): void {
    const { applied } = this.raft;
    step();
    // One that came too late must not take the place of one that was accepted in the same turn.
    if (this.raft.applied !== applied) {
      this.#pendingRestore?.kept?.discard();
      this.#pendingRestore = { sink, kept };
    } else {
      kept?.discard();
    }
    this.#observer.onDirty();
  }

  /**
   * Gives the leadership to the voter that is furthest among those that answer. Tried again with
   * every call, with another one if there is one; without any it stays, and takes no commands.
   */
  handOver(): void {
    if (!this.isLeader || this.raft.transferring) return;
    const { progress } = this.raft.status();
    const able = [...progress].filter(([, { recentActive, learner }]) => recentActive && !learner);
    able.sort(([, one], [, other]) => other.match - one.match);
    const [to] = able[this.#handOvers++ % Math.max(1, able.length)] ?? [];
    if (to === undefined) return;
    this.raft.transferLeader(to);
    this.#observer.onDirty();
  }

  /** Time has passed: a checkpoint may be due. */
  lookAtCheckpoint(): void {
    this.#checkpoints?.look(this.raft.applied);
  }

  /** Entries of so many bytes were given to the store. */
  appended(bytes: number): void {
    this.#checkpoints?.appended(bytes);
  }

  /** Ends this replica: everybody who waits learns that the outcome is unknown here. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#checkpoints?.close();
    this.#pendingRestore?.kept?.discard();
    this.#pendingRestore = null;
    this.#failWaiters(null);
    this.#applyQueue = [];
    this.#applyHead = 0;
  }

  /** While leadership is handed over commands are held: the new leader gets them, or this one when it stays. */
  get #mayPropose(): boolean {
    return this.isReadyLeader && !this.raft.transferring;
  }

  #proposeBatch(): void {
    const sinks = this.#batchSinks;
    this.#batchSinks = [];
    const data = this.#batch.finish(this.machineClock.nowMs());
    const result = this.raft.propose([data]);
    if (result.type === "proposed") {
      this.#waiters.push({ index: result.firstIndex, term: result.term, sinks });
      return;
    }
    const why = result.type === "not-leader" ? "not-leader" : "busy";
    for (const sink of sinks) sink.dropped(why);
  }

  #askReads(): void {
    const context = this.#readContext + 1;
    const answer = this.raft.readIndex(context);
    if (answer === "not-ready") return; // asked again once an entry of this term has been applied
    const sinks = this.#readsNext;
    this.#readsNext = [];
    if (answer === "not-leader") {
      for (const sink of sinks) sink.lost();
      return;
    }
    this.#readContext = context;
    this.#observer.probe?.readAsked(this, context);
    this.#readsInFlight.set(context, { index: this.raft.lastIndex, sinks });
  }

  #leadershipChanged(leadership: Leadership): void {
    if (leadership.role !== "leader" || leadership.term !== this.#ledTerm) {
      this.machineClock.stopLeading();
      this.#failWaiters(leadership.role === "leader" ? leadership.term : null);
    }
    if (leadership.role === "leader") this.#ledTerm = leadership.term;
    this.#observer.onLeadership(this.id, leadership);
  }

  /** Fails all who wait, except those whose entry was proposed in `keptTerm`. */
  #failWaiters(keptTerm: number | null): void {
    const waiters = this.#waiters.filter((waiter) => waiter.term !== keptTerm);
    const kept = this.#waiters.filter((waiter) => waiter.term === keptTerm);
    const batchSinks = this.#batchSinks;
    const reads = [...this.#readsNext];
    for (const asked of this.#readsInFlight.values()) reads.push(...asked.sinks);
    for (const granted of this.#readsGranted) reads.push(...granted.sinks);
    this.#waiters = kept;
    this.#batchSinks = [];
    this.#batch.clear();
    this.#readsNext = [];
    this.#readsInFlight.clear();
    this.#readsGranted = [];
    for (const waiter of waiters) for (const sink of waiter.sinks) sink.dropped("unknown");
    for (const sink of batchSinks) sink.dropped("not-leader");
    for (const sink of reads) sink.lost();
  }

  #installSnapshot(index: LogIndex): KeptCheckpoint | null {
    const arrived = this.#pendingRestore;
    this.#pendingRestore = null;
    if (arrived === null) throw new Error(`group ${this.id}: a snapshot was accepted that never arrived`);
    this.#applyQueue.length = 0;
    this.#applyHead = 0;
    this.#checkpoints?.replaced(index);
    arrived.sink.install();
    this.machineClock.applied(this.machine.timeMs);
    this.#observer.probe?.installed(this);
    return arrived.kept;
  }

  #applyEntry(entry: Entry): void {
    this.#appliedTerm = entry.term;
    const results = entry.kind === "data" ? this.#applyData(entry) : null;
    this.#observer.probe?.applied(this, entry);
    const waiter = this.#waiters[0];
    if (waiter === undefined || waiter.index > entry.index) return;
    this.#waiters.shift();
    const mine = waiter.index === entry.index && waiter.term === entry.term;
    for (let at = 0; at < waiter.sinks.length; at++) {
      const sink = waiter.sinks[at] as ProposalSink<Result>;
      if (mine && results !== null) sink.applied(results[at] as Result);
      else sink.dropped("unknown");
    }
  }

  #applyData(entry: DataEntry): readonly Result[] {
    const results = this.machine.apply(entry.index, entry.data);
    this.machineClock.applied(this.machine.timeMs);
    return results;
  }

  #becomeReadyLeader(): void {
    if (!this.isReadyLeader) return;
    this.machineClock.startLeading();
    if (this.#batchSinks.length > 0 || this.#readsNext.length > 0) this.#observer.onDirty();
  }

  #serveReads(): void {
    if (this.#readsGranted.length === 0) return;
    const applied = this.raft.applied;
    const waiting: WaitingReads[] = [];
    const granted = this.#readsGranted;
    this.#readsGranted = waiting;
    for (const reads of granted) {
      if (reads.index <= applied) for (const sink of reads.sinks) sink.granted();
      else waiting.push(reads);
    }
  }

  #compact(): void {
    const to = cutOfLog(this.raft, this.machine.sizeBytes, this.snapshotsInFlight, this.#options);
    if (to !== null) this.raft.compact(logIndex(to));
  }
}

interface ArrivedSnapshot {
  readonly sink: SnapshotSink;
  readonly kept: KeptCheckpoint | null;
}
