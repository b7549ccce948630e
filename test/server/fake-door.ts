/**
 * A request door over real state machines in this process, for tests of the servers: no consensus, but the same
 * answers. Commands are decided in the order they are asked, as a node does; answers may be held back, reordered or
 * replaced by failures.
 */
import type { Address } from "../../src/base/address.ts";
import { CremaError, type CremaErrorCode, type CremaErrorOptions } from "../../src/base/errors.ts";
import {
  bootNonce,
  type ClusterId,
  logIndex,
  type NodeId,
  nodeId,
  type ShardId,
  shardId,
} from "../../src/base/ids.ts";
import { Random } from "../../src/base/random.ts";
import { CacheMachine, ExpiredFirst } from "../../src/cache/cache-machine.ts";
import type { Command } from "../../src/cache/command.ts";
import type { Query } from "../../src/cache/query.ts";
import type { Reply } from "../../src/cache/reply.ts";
import type {
  AdminDoor,
  BackupSink,
  ClusterStatus,
  Consistency,
  NodeEvent,
  NodeMetrics,
  RebalanceStatus,
  RecoveryPlan,
  ReplySink,
  RequestDoor,
} from "../../src/node/door.ts";
import type { AbortSignalLike } from "../../src/node/promised-reply.ts";

const SELF = nodeId("00000000000000aa");

class FakeShard {
  readonly machine = new CacheMachine();
  readonly #session: number;
  #index = 0;
  #sequence = 0;

  constructor(nowMs: number) {
    const command = { type: "open-session", node: SELF, boot: bootNonce("00000000000000bb") } as const;
    const [session] = this.#apply(nowMs, { session: 0, sequence: 0, lowWater: 0, command });
    this.#session = session as number;
  }

  write(command: Command, nowMs: number): Reply {
    this.#removeExpired(nowMs);
    const sequence = ++this.#sequence;
    const [reply] = this.#apply(nowMs, { session: this.#session, sequence, lowWater: sequence, command });
    return reply ?? null;
  }

  read(query: Query, nowMs: number): Reply {
    this.#removeExpired(nowMs);
    const reply = this.machine.query(query, nowMs);
    if (reply instanceof ExpiredFirst) throw new Error("expired keys were removed before");
    return reply;
  }

  #removeExpired(nowMs: number): void {
    const items = this.machine.dueExpiries(nowMs, 1_000_000);
    if (items.length === 0) return;
    this.#apply(nowMs, { session: 0, sequence: 0, lowWater: 0, command: { type: "remove-expired", items } });
  }

  #apply(nowMs: number, command: Parameters<CacheMachine["apply"]>[2][number]): Reply[] {
    return this.machine.apply(logIndex(++this.#index), nowMs, [command]);
  }
}

/** What was asked, for tests that look. */
export interface Asked {
  readonly shard: ShardId;
  readonly what: Command | Query;
  readonly consistency: Consistency | "write";
}

export interface FakeDoorOptions {
  readonly shards?: number;
  /**
   * `at-once`: within the call. `later`: in a later turn, in order. `shuffled`: in later turns, in any order.
   * `held`: when the test says {@link FakeDoor.release}.
   */
  readonly answers?: "at-once" | "later" | "shuffled" | "held";
  readonly seed?: number;
}

export class FakeDoor implements RequestDoor {
  readonly shardCount: number;
  readonly asked: Asked[] = [];
  answers: NonNullable<FakeDoorOptions["answers"]>;
  /** Thrown by every call while set: the node is not ready. */
  notReady: CremaError | null = null;
  /** Added to the wall clock. */
  skewMs = 0;
  readonly #shards: FakeShard[];
  readonly #random: Random;
  #failures: ((what: Command | Query, shard: ShardId) => CremaError | null) | null = null;
  #waiting: (() => void)[] = [];

  constructor(options: FakeDoorOptions = {}) {
    this.shardCount = options.shards ?? 4;
    this.answers = options.answers ?? "at-once";
    this.#random = new Random(0, options.seed ?? 1);
    this.#shards = Array.from({ length: this.shardCount }, () => new FakeShard(this.wallMs()));
  }

  /** Answers with the error `choose` names, without doing anything, until it is taken back with null. */
  failWith(choose: ((what: Command | Query, shard: ShardId) => CremaError | null) | null): void {
    this.#failures = choose;
  }

  shardOf(key: string): ShardId {
    if (this.notReady !== null) throw this.notReady;
    const open = key.indexOf("{");
    const close = key.indexOf("}", open + 1);
    const hashed = open >= 0 && close > open + 1 ? key.slice(open + 1, close) : key;
    let hash = 0x811c9dc5;
    for (let at = 0; at < hashed.length; at++)
      hash = Math.imul(hash ^ hashed.charCodeAt(at), 0x01000193) >>> 0;
    return shardId(hash % this.shardCount);
  }

  write(shard: ShardId, command: Command, _timeoutMs: number, sink: ReplySink): void {
    this.asked.push({ shard, what: command, consistency: "write" });
    const failure = this.#failures?.(command, shard);
    if (failure) this.#answer(() => sink.fail(failure));
    else {
      const reply = this.#shard(shard).write(command, this.wallMs());
      this.#answer(() => sink.reply(reply));
    }
  }

  read(shard: ShardId, query: Query, consistency: Consistency, _timeoutMs: number, sink: ReplySink): void {
    this.asked.push({ shard, what: query, consistency });
    const failure = this.#failures?.(query, shard);
    if (failure) this.#answer(() => sink.fail(failure));
    else {
      const reply = this.#shard(shard).read(query, this.wallMs());
      this.#answer(() => sink.reply(reply));
    }
  }

  wallMs(): number {
    return Date.now() + this.skewMs;
  }

  randomU32(): number {
    return this.#random.nextU32();
  }

  /** Answers that are held back. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Gives the answers held back, in the order of `order` (default: as asked). */
  release(order: (waiting: (() => void)[]) => (() => void)[] = (waiting) => waiting): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const answer of order(waiting)) answer();
  }

  #shard(shard: ShardId): FakeShard {
    return this.#shards[shard] as FakeShard;
  }

  #answer(answer: () => void): void {
    if (this.answers === "at-once") {
      answer();
      return;
    }
    this.#waiting.push(answer);
    if (this.answers === "held" || this.#waiting.length > 1) return;
    setImmediate(() => this.#releaseSome());
  }

  #releaseSome(): void {
    if (this.answers !== "shuffled") {
      this.release();
      return;
    }
    const shuffled = this.#random.shuffle(this.#waiting);
    const now = shuffled.splice(0, Math.ceil(shuffled.length / 2));
    for (const answer of now) answer();
    if (this.#waiting.length > 0) setImmediate(() => this.#releaseSome());
  }
}

/** An error of the cluster, as a node reports it. */
export function clusterError(code: CremaErrorCode, options: CremaErrorOptions = {}): CremaError {
  return new CremaError(code, `${code.toLowerCase()} for a test`, options);
}

export class FakeAdmin implements AdminDoor {
  readonly nodeId: NodeId = SELF;
  clusterId: ClusterId | null = null;
  notReady: string | null = null;
  unsafeToStop: string | null = null;
  joined: (readonly Address[])[] = [];
  left: (NodeId | null)[] = [];
  failure: CremaError | null = null;
  counters: Record<string, number> = { "raft entries applied": 0 };
  readonly #listeners = new Set<(event: NodeEvent) => void>();
  readonly #votersPerShard: number;

  constructor(votersPerShard = 3) {
    this.#votersPerShard = votersPerShard;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  emit(event: NodeEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  notReadyReason(): string | null {
    return this.notReady;
  }

  async unsafeToStopReason(): Promise<string | null> {
    if (this.failure !== null) throw this.failure;
    return this.unsafeToStop;
  }

  async clusterStatus(): Promise<ClusterStatus> {
    if (this.failure !== null) throw this.failure;
    const voters = Array.from({ length: this.#votersPerShard }, (_, n) => nodeId(`00000000000000a${n}`));
    const group = {
      leader: SELF,
      term: 1,
      commitIndex: 1,
      applyIndex: 1,
      voters,
      learners: [],
      joint: false,
      wanted: voters,
    };
    return {
      nodeId: SELF,
      clusterId: null,
      mapVersion: 1,
      shardCount: 1,
      replicationFactor: 3,
      members: [],
      system: group,
      shards: [{ shard: shardId(0), ...group }],
    };
  }

  metrics(): NodeMetrics {
    return { counters: this.counters, gauges: { groups: 5 } };
  }

  onEvent(listener: (event: NodeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async join(seeds: readonly Address[]): Promise<void> {
    if (this.failure !== null) throw this.failure;
    this.joined.push(seeds);
  }

  async leave(node: NodeId | null): Promise<void> {
    if (this.failure !== null) throw this.failure;
    this.left.push(node);
  }

  plan: RecoveryPlan = { lost: [], obstacle: null, steps: [] };
  readonly recovered: (readonly NodeId[])[] = [];

  async recoveryPlan(): Promise<RecoveryPlan> {
    if (this.failure !== null) throw this.failure;
    return this.plan;
  }

  async recover(lost: readonly NodeId[]): Promise<RecoveryPlan> {
    if (this.failure !== null) throw this.failure;
    this.recovered.push(lost);
    return this.plan;
  }

  /** What a backup of any shard consists of, chunk by chunk; then it ends, or fails with `failure`. */
  backup: readonly Uint8Array[] = [];
  /** Called before each chunk of a backup. */
  beforeChunk: (signal: AbortSignalLike) => Promise<void> | void = () => {};

  async backupShard(_shard: ShardId, sink: BackupSink, signal: AbortSignalLike): Promise<void> {
    for (const chunk of this.backup) {
      await this.beforeChunk(signal);
      await sink.write(chunk);
    }
    if (this.failure !== null) throw this.failure;
  }

  /** What was ordered last; null: nothing. */
  rebalancePaused: boolean | null = null;

  async setRebalancePaused(paused: boolean): Promise<void> {
    if (this.failure !== null) throw this.failure;
    this.rebalancePaused = paused;
  }

  async rebalanceStatus(): Promise<RebalanceStatus> {
    if (this.failure !== null) throw this.failure;
    return {
      nodeId: SELF,
      movesMax: 16,
      paused: this.rebalancePaused === true,
      shards: { settled: 1, moving: 0, waiting: 0, paused: 0, stuck: 0 },
      moves: [],
      nodes: [{ nodeId: SELF, replicas: 1, replicasPlanned: 1, leaders: 1, leadersPlanned: 1 }],
      replicasToMove: 0,
      leadersToMove: 0,
    };
  }
}
