/**
 * A handful of replicas in one test: a virtual disk each, a network that the test controls message by message, and a state
 * machine that only remembers what it applied. Persisting and delivering happen when the test says so.
 */
import { assert } from "../../src/base/assert.ts";
import { logIndex, type NodeId, nodeId, term } from "../../src/base/ids.ts";
import { Random } from "../../src/base/random.ts";
import { type Configuration, configurationOf, EMPTY_CONFIGURATION } from "../../src/raft/configuration.ts";
import type { Entry } from "../../src/raft/entry.ts";
import type { RaftMessage, SnapshotMetadata } from "../../src/raft/messages.ts";
import { type RaftOptions, resolveRaftOptions } from "../../src/raft/options.ts";
import { Raft, type RaftStart } from "../../src/raft/raft.ts";
import type { HardState, PersistRequest, ReadGrant, Ready } from "../../src/raft/ready.ts";
import type { Tombstone } from "../../src/raft/tombstone.ts";

/** The node that tests call `number`: 1 is 0000000000000001. */
export function nodeOf(number: number): NodeId {
  return nodeId(number.toString(16).padStart(16, "0"));
}

export function numberOf(node: NodeId): number {
  return Number.parseInt(node, 16);
}

export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

export function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** What one applied entry did to the state machine. */
export interface Applied {
  readonly index: number;
  readonly term: number;
  readonly text: string;
}

interface Base {
  index: number;
  term: number;
  configuration: Configuration;
  /** The state machine's checkpoint at the base. */
  state: readonly Applied[];
}

/** What survives a crash. */
export class Disk {
  base: Base;
  hardState: HardState;
  entries: Entry[] = [];

  constructor(configuration: Configuration) {
    this.base = { index: 0, term: 0, configuration, state: [] };
    this.hardState = { term: term(0), vote: null, commit: logIndex(0) };
  }

  write(request: PersistRequest, snapshotState: readonly Applied[] | null): void {
    const { snapshot, entries, hardState } = request;
    if (snapshot !== null) {
      assert(snapshotState !== null, "a snapshot comes with its state");
      this.base = { ...snapshot, state: snapshotState };
      this.entries = [];
    }
    const first = entries[0];
    if (first !== undefined) {
      const keep = first.index - this.base.index - 1;
      // Compaction may have moved the base past entries of a request that is confirmed late.
      if (keep >= 0) {
        assert(keep <= this.entries.length, "entries are written without gaps", { index: first.index });
        this.entries.length = keep;
        this.entries.push(...entries);
      } else {
        this.entries = entries.slice(-keep);
      }
    }
    if (hardState !== null) this.hardState = hardState;
  }

  compact(base: Base): void {
    this.entries = this.entries.filter((entry) => entry.index > base.index);
    this.base = base;
  }
}

export interface Envelope {
  readonly message: RaftMessage;
  /** The state a snapshot message carries. */
  readonly state: readonly Applied[] | null;
}

/** One node: the core, its disk, and what its host would do. */
export class Host {
  readonly number: number;
  readonly options: RaftOptions;
  disk: Disk;
  raft: Raft;
  /** Requests not yet confirmed. */
  readonly writes: { readonly request: PersistRequest; readonly state: readonly Applied[] | null }[] = [];
  applied: Applied[] = [];
  readonly reads: ReadGrant[] = [];
  readonly readsLost: number[] = [];
  /** Confirm writes as soon as they are asked for. */
  persistsAtOnce = true;
  /** Stream snapshots as soon as they are wanted. */
  snapshotsAtOnce = true;
  readonly snapshotsWanted: NodeId[] = [];
  tombstone: Tombstone | null;
  /** States that arrived with snapshots, by index: safety makes any two of one index equal. */
  readonly #incomingStates = new Map<number, readonly Applied[]>();
  #random: Random;

  constructor(number: number, options: RaftOptions, disk: Disk, seed: number, tombstone: Tombstone | null) {
    this.number = number;
    this.options = options;
    this.disk = disk;
    this.tombstone = tombstone;
    this.#random = new Random(seed, number);
    this.raft = this.#start();
  }

  get node(): NodeId {
    return nodeOf(this.number);
  }

  /** Loses whatever was not persisted, and starts from the disk again. */
  restart(): void {
    this.writes.length = 0;
    this.raft = this.#start();
  }

  #start(): Raft {
    const { base, hardState, entries } = this.disk;
    this.applied = [...base.state];
    const start: RaftStart = {
      self: this.node,
      options: this.options,
      random: this.#random.fork(),
      base: { index: logIndex(base.index), term: term(base.term), configuration: base.configuration },
      hardState,
      entries: [...entries],
      tombstone: this.tombstone,
    };
    return new Raft(start);
  }

  receive(envelope: Envelope): void {
    const { message, state } = envelope;
    if (state !== null && message.type === "install-snapshot") {
      this.#incomingStates.set(message.snapshot.index, state);
    }
    this.raft.step(message);
  }

  /** Takes everything the core hands out; returns what it sends. */
  process(onReady: (ready: Ready) => void = () => {}): Envelope[] {
    const sent: Envelope[] = [];
    for (let turn = 0; this.raft.hasReady(); turn++) {
      assert(turn < 10_000, "a core comes to rest");
      const ready = this.raft.ready();
      onReady(ready);
      if (ready.persist !== null) {
        const { snapshot } = ready.persist;
        const state = snapshot === null ? null : (this.#incomingStates.get(snapshot.index) ?? null);
        if (state !== null) this.applied = [...state];
        this.writes.push({ request: ready.persist, state });
      }
      for (const message of ready.messages) sent.push({ message, state: null });
      for (const entry of ready.committed) this.#apply(entry);
      this.reads.push(...ready.reads);
      this.readsLost.push(...ready.readsLost);
      for (const node of ready.snapshotsWanted) {
        if (this.snapshotsAtOnce) sent.push(this.streamSnapshot(node));
        else this.snapshotsWanted.push(node);
      }
      if (this.persistsAtOnce) this.persist();
    }
    return sent;
  }

  /** Confirms the oldest `count` writes with one receipt; all by default. */
  persist(count: number = this.writes.length): void {
    const done = this.writes.splice(0, count);
    for (const { request, state } of done) this.disk.write(request, state);
    const last = done[done.length - 1];
    if (last !== undefined) this.raft.persisted(last.request.receipt);
  }

  /** Makes the oldest write durable and loses the confirmation: what a crash in between looks like. */
  persistUnconfirmed(): void {
    const done = this.writes.shift();
    if (done !== undefined) this.disk.write(done.request, done.state);
  }

  streamSnapshot(to: NodeId): Envelope {
    const snapshot: SnapshotMetadata = this.raft.snapshotMetadata(this.raft.applied);
    this.raft.snapshotStarted(to, snapshot);
    return {
      message: { type: "install-snapshot", from: this.node, to, term: this.raft.term, snapshot },
      state: [...this.applied],
    };
  }

  /** Checkpoints the state machine at `index` and drops the log up to there, in memory and on disk. */
  compact(index: number): void {
    const metadata = this.raft.snapshotMetadata(logIndex(index));
    const state = this.applied.filter((applied) => applied.index <= index);
    this.raft.compact(logIndex(index));
    this.disk.compact({ ...metadata, state });
  }

  #apply(entry: Entry): void {
    const text = entry.kind === "data" ? textOf(entry.data) : entry.kind;
    this.applied.push({ index: entry.index, term: entry.term, text });
    this.raft.appliedTo(entry.index);
  }
}

export interface ClusterOptions {
  readonly seed?: number;
  readonly raft?: Partial<RaftOptions>;
}

/** Hosts by number, and the messages between them. */
export class Cluster {
  readonly hosts = new Map<number, Host>();
  /** In flight, oldest first. */
  network: Envelope[] = [];
  readonly options: RaftOptions;
  readonly #seed: number;
  readonly #cut = new Set<string>();

  constructor(options: ClusterOptions = {}) {
    this.options = resolveRaftOptions({ quiesceAfterHeartbeats: 0, ...options.raft });
    this.#seed = options.seed ?? 1;
  }

  /** A cluster of voters 1 .. `count`. */
  static of(count: number, options: ClusterOptions = {}): Cluster {
    const cluster = new Cluster(options);
    const numbers = Array.from({ length: count }, (_, at) => at + 1);
    for (const number of numbers) cluster.add(number, configurationOf(numbers.map(nodeOf)));
    return cluster;
  }

  /** A fresh replica; with no configuration it waits for a leader to bring it one. */
  add(
    number: number,
    configuration: Configuration = EMPTY_CONFIGURATION,
    tombstone: Tombstone | null = null,
    options: RaftOptions = this.options,
  ): Host {
    const host = new Host(number, options, new Disk(configuration), this.#seed, tombstone);
    this.hosts.set(number, host);
    return host;
  }

  host(number: number): Host {
    const host = this.hosts.get(number);
    assert(host !== undefined, "the node exists", { number });
    return host;
  }

  raft(number: number): Raft {
    return this.host(number).raft;
  }

  get leaders(): number[] {
    return [...this.hosts.values()].filter((host) => host.raft.role === "leader").map((host) => host.number);
  }

  /** The only leader of the highest term. */
  get leader(): Host {
    const leaders = [...this.hosts.values()].filter((host) => host.raft.role === "leader");
    leaders.sort((left, right) => right.raft.term - left.raft.term);
    const leader = leaders[0];
    assert(leader !== undefined, "somebody leads");
    return leader;
  }

  cut(from: number, to: number): void {
    this.#cut.add(`${from}>${to}`);
  }

  /** Nothing passes to or from `number`. */
  isolate(number: number): void {
    for (const other of this.hosts.keys()) {
      if (other === number) continue;
      this.cut(number, other);
      this.cut(other, number);
    }
  }

  heal(): void {
    this.#cut.clear();
  }

  isCut(message: RaftMessage): boolean {
    return this.#cut.has(`${numberOf(message.from)}>${numberOf(message.to)}`);
  }

  /** Lets every host do what its core asks; messages enter the network. */
  process(): void {
    for (const host of this.hosts.values()) this.network.push(...host.process());
  }

  /** Delivers one message and nothing else. A snapshot is reported to its sender. */
  deliver(envelope: Envelope): void {
    const { message } = envelope;
    const host = this.hosts.get(numberOf(message.to));
    const arrives = host !== undefined && !this.isCut(message);
    if (arrives) host.receive(envelope);
    this.#reportSnapshot(message, arrives);
  }

  /** Loses one message. */
  drop(envelope: Envelope): void {
    this.#reportSnapshot(envelope.message, false);
  }

  #reportSnapshot(message: RaftMessage, delivered: boolean): void {
    if (message.type !== "install-snapshot") return;
    const sender = this.hosts.get(numberOf(message.from));
    sender?.raft.snapshotFinished(message.to, delivered, message.snapshot.index);
  }

  /** Delivers until nothing moves any more. `keep` may hold messages back, which stay in the network. */
  settle(keep: (message: RaftMessage) => boolean = () => false): void {
    for (let round = 0; round < 1_000; round++) {
      this.process();
      const batch = this.network;
      this.network = [];
      let moved = false;
      for (const envelope of batch) {
        if (keep(envelope.message)) {
          this.network.push(envelope);
        } else {
          this.deliver(envelope);
          moved = true;
        }
      }
      if (!moved && ![...this.hosts.values()].some((host) => host.raft.hasReady())) return;
    }
    assert(false, "the cluster comes to rest");
  }

  /** `count` ticks everywhere, settling after each. */
  tick(count = 1): void {
    for (let done = 0; done < count; done++) {
      for (const host of this.hosts.values()) host.raft.tick();
      this.settle();
    }
  }

  /** Makes `number` the leader of a healthy cluster. */
  elect(number: number): Host {
    const host = this.host(number);
    host.raft.campaign();
    this.settle();
    assert(host.raft.role === "leader", "the election succeeds", { number });
    return host;
  }

  /** Proposes at the leader and settles. */
  propose(...texts: string[]): void {
    const result = this.leader.raft.propose(texts.map(bytesOf));
    assert(result.type === "proposed", "the proposal is taken", { type: result.type });
    this.settle();
  }
}

/** Texts of the data entries applied by `host`. */
export function dataApplied(host: Host): string[] {
  return host.applied
    .filter((applied) => applied.text !== "noop" && applied.text !== "membership")
    .map((applied) => applied.text);
}
