/**
 * Takes every request of this node to whoever can decide it. Each shard has its lane, which keeps order and retries;
 * the router owns what the lanes share: limits, deadlines, and the clock that checks them.
 */
import { CremaError } from "../base/errors.ts";
import { type GroupId, type ShardId, SYSTEM_GROUP, shardOfGroup } from "../base/ids.ts";
import type { Random } from "../base/random.ts";
import type { Command } from "../cache/command.ts";
import type { Query } from "../cache/query.ts";
import type { Reply } from "../cache/reply.ts";
import type { Clock, Timer } from "../host/ports.ts";
import type { Consistency, EmbeddedDoor, ReplySink } from "./door.ts";
import { closedError, PendingRequest } from "./pending-request.ts";
import { limitError, queryLimitError } from "./request-limits.ts";
import { type LaneSurroundings, ShardLane } from "./shard-lane.ts";

/** How often deadlines are checked and stalled lanes tried again. */
const SWEEP_MS = 25;
/** Requests of this node without an answer, at most; more answer busy. */
export const OUTSTANDING_MAX = 100_000;

/** What the router asks of the rest of the node. */
export interface RouterSurroundings extends Omit<LaneSurroundings, "finish" | "counters"> {
  /** null until the cluster map is known. */
  shardCount(): number | null;
  /** xxhash64 of the key or its hash tag, modulo `shards`. */
  hash(key: string, shards: number): ShardId;
}

export class Router implements EmbeddedDoor {
  readonly #node: RouterSurroundings;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #laneSurroundings: LaneSurroundings;
  readonly #lanes = new Map<ShardId, ShardLane>();
  /** Requests in all lanes. */
  #outstanding = 0;
  #sweepTimer: Timer | null = null;
  #closed = false;
  readonly counters = {
    writes: 0,
    reads: 0,
    localReads: 0,
    failures: 0,
    retries: 0,
    busy: 0,
    sessionsOpened: 0,
  };

  constructor(node: RouterSurroundings, clock: Clock, random: Random) {
    this.#node = node;
    this.#clock = clock;
    this.#random = random;
    this.#laneSurroundings = {
      self: node.self,
      boot: node.boot,
      shards: node.shards,
      leaders: node.leaders,
      forwarding: node.forwarding,
      replicas: (shard) => node.replicas(shard),
      channel: (peer) => node.channel(peer),
      leaderSilent: (shard, leader) => node.leaderSilent(shard, leader),
      quorumLoss: (shard) => node.quorumLoss(shard),
      finish: (request, reply, error) => this.#finish(request, reply, error),
      counters: this.counters,
    };
  }

  get shardCount(): number {
    const count = this.#node.shardCount();
    if (count === null) throw notReady();
    return count;
  }

  /** Requests without an answer. */
  get outstanding(): number {
    return this.#outstanding;
  }

  shardOf(key: string): ShardId {
    return this.#node.hash(key, this.shardCount);
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  randomU32(): number {
    return this.#random.nextU32();
  }

  write(shard: ShardId, command: Command, timeoutMs: number, sink: ReplySink): void {
    this.counters.writes++;
    const refused = this.#refusal() ?? limitError(command);
    if (refused !== null) {
      this.counters.failures++;
      sink.fail(refused);
      return;
    }
    const lane = this.#lane(shard);
    const deadlineMs = this.#clock.nowMs() + timeoutMs;
    const request = new PendingRequest(lane, "write", shard, command, null, deadlineMs, sink);
    this.#outstanding++;
    this.#armSweep();
    lane.add(request);
  }

  read(shard: ShardId, query: Query, consistency: Consistency, timeoutMs: number, sink: ReplySink): void {
    this.counters.reads++;
    const refused = this.#refusal() ?? queryLimitError(query);
    if (refused !== null) {
      this.counters.failures++;
      sink.fail(refused);
      return;
    }
    if (consistency === "local") {
      const reply = this.#node.shards.readIfHere(shard, query);
      if (reply !== undefined) {
        this.counters.localReads++;
        sink.reply(reply);
        return;
      }
    }
    const lane = this.#lane(shard);
    const kind = consistency === "local" ? "local-read" : "read";
    const request = new PendingRequest(lane, kind, shard, null, query, this.#clock.nowMs() + timeoutMs, sink);
    this.#outstanding++;
    this.#armSweep();
    lane.add(request);
  }

  readHere(shard: ShardId, query: Query): Reply | undefined {
    const refused = this.#refusal() ?? queryLimitError(query);
    if (refused !== null) {
      this.counters.reads++;
      this.counters.failures++;
      throw refused;
    }
    const reply = this.#node.shards.readIfHere(shard, query);
    if (reply === undefined) return undefined;
    this.counters.reads++;
    this.counters.localReads++;
    return reply;
  }

  /** Something changed that may let requests to `group` go on. */
  routeChanged(group: GroupId): void {
    if (group !== SYSTEM_GROUP) this.#lanes.get(shardOfGroup(group))?.routeChanged();
  }

  /** Fails everything that waits: the node closes. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#sweepTimer?.cancel();
    for (const lane of this.#lanes.values()) lane.close(closedError);
  }

  #lane(shard: ShardId): ShardLane {
    let lane = this.#lanes.get(shard);
    if (lane === undefined) {
      lane = new ShardLane(shard, this.#laneSurroundings);
      this.#lanes.set(shard, lane);
    }
    return lane;
  }

  #finish(request: PendingRequest, reply: Reply, error: CremaError | null): void {
    if (request.finished) return;
    this.#outstanding--;
    if (error === null) {
      request.complete(reply);
    } else {
      this.counters.failures++;
      request.abandon(error);
    }
  }

  #armSweep(): void {
    if (this.#sweepTimer !== null || this.#closed) return;
    this.#sweepTimer = this.#clock.setTimer(SWEEP_MS, () => {
      this.#sweepTimer = null;
      this.#sweep();
      if (this.#outstanding > 0) this.#armSweep();
    });
  }

  #sweep(): void {
    const nowMs = this.#clock.nowMs();
    for (const lane of this.#lanes.values()) lane.sweep(nowMs);
  }

  #refusal(): CremaError | null {
    if (this.#closed) return new CremaError("CREMA_CLOSED", "the node is closed");
    if (this.#node.shardCount() === null) return notReady();
    if (this.#outstanding < OUTSTANDING_MAX) return null;
    this.counters.busy++;
    return new CremaError("CREMA_BUSY", `${OUTSTANDING_MAX} requests of this node wait for an answer`, {
      retryable: true,
      retryAfterMs: 100,
    });
  }
}

function notReady(): CremaError {
  return new CremaError("CREMA_NOT_READY", "this node has not joined a cluster yet", { retryable: true });
}
