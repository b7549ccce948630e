/**
 * The requests of this node to one shard, in order. The lane sends each to the shard's leader as it comes; when an attempt
 * fails it stalls, finds the leader, and sends everything unanswered again, oldest first.
 *
 * Two promises are kept here:
 *  - Order: what was asked first is decided first, also across a change of leaders, so a pipeline of SET and GET on one
 *    connection behaves as on a single server.
 *  - Once: a write keeps its session and sequence over all attempts, and the shard applies a sequence once. It goes on
 *    under another session only when no earlier attempt can have been applied.
 */
import { CremaError } from "../base/errors.ts";
import { type BootNonce, type GroupId, groupOfShard, type NodeId, type ShardId } from "../base/ids.ts";
import { Fault, type Reply } from "../cache/reply.ts";
import type { Channel } from "../host/links/channel.ts";
import { ByteWriter } from "../wire/byte-writer.ts";
import { encodeSessionCommand } from "../wire/command-codec.ts";
import { encodeQuery } from "../wire/query-codec.ts";
import type { Forwarding, RequestEncoder } from "./forwarding.ts";
import type { QuorumLoss } from "./group-quorum.ts";
import type { LeaderTable } from "./leader-table.ts";
import {
  type AttemptFailure,
  busyError,
  capacityError,
  deadlineError,
  diskFullError,
  noQuorumError,
  PendingRequest,
  type RequestOwner,
} from "./pending-request.ts";
import { replySizeError } from "./request-limits.ts";
import { RequestList } from "./request-list.ts";
import { Session } from "./session.ts";
import type { ShardService } from "./shard-service.ts";

/** Routes tried at once one after the other; then the lane waits for news or the next sweep. */
const HOPS_AT_ONCE_MAX = 3;

/** Sweeps without any answer, while requests are in flight, until the leader is doubted. */
const SILENT_SWEEPS_MAX = 12;

/** What a lane needs of its node. */
export interface LaneSurroundings {
  readonly self: NodeId;
  readonly boot: BootNonce;
  readonly shards: ShardService;
  readonly leaders: LeaderTable;
  readonly forwarding: Forwarding;
  /** The replicas the map wants for `shard`: whom to ask when no leader is known. */
  replicas(shard: ShardId): readonly NodeId[];
  /** The link to `node` when it is up; asking for it makes the node dial. */
  channel(node: NodeId): Channel | null;
  /** `node` took requests of `shard` and answers none: somebody should find out whether it still leads. */
  leaderSilent(shard: ShardId, node: NodeId): void;
  /** What is missing for `shard` to decide anything, as gossip sees its voters; null while a majority may answer. */
  quorumLoss(shard: ShardId): QuorumLoss | null;
  /** `request` leaves the lane: with a reply, or with an error. */
  finish(request: PendingRequest, reply: Reply, error: CremaError | null): void;
  readonly counters: { retries: number; busy: number; sessionsOpened: number };
}

const writer = new ByteWriter(4_096);

export class ShardLane implements RequestOwner, RequestEncoder {
  readonly shard: ShardId;
  readonly #group: GroupId;
  readonly #node: LaneSurroundings;
  readonly #session = new Session();
  #opening: PendingRequest | null = null;
  /** Unanswered requests, oldest first. */
  readonly #pending = new RequestList();
  #stalled = false;
  #hopsAtOnce = 0;
  #silentSweeps = 0;
  #probes = 0;
  /** Where the requests in flight went. */
  #target: NodeId | null = null;

  constructor(shard: ShardId, node: LaneSurroundings) {
    this.shard = shard;
    this.#group = groupOfShard(shard);
    this.#node = node;
  }

  add(request: PendingRequest): void {
    if (request.kind === "write" && this.#session.isFull) {
      this.#node.counters.busy++;
      this.#node.finish(request, null, busyError(this.shard));
      return;
    }
    this.#pending.append(request);
    if (request.kind === "write" && !this.#session.isOpen) {
      this.#openSession();
      return;
    }
    if (this.#stalled || this.#opening !== null) return;
    const target = this.#route();
    if (target === null || (this.#target !== null && target !== this.#target && this.#pending.size > 1)) {
      this.#resume();
    } else if (!this.#send(request, target)) {
      this.#stall();
    }
  }

  /** Somebody new may lead. Everything unanswered goes there: what the old leader already applied is not applied again. */
  routeChanged(): void {
    if (this.#pending.size === 0) return;
    const target = this.#route();
    if (target === null || (target === this.#target && !this.#stalled)) return;
    if (this.#hopsAtOnce++ < HOPS_AT_ONCE_MAX) this.#resume();
    else this.#stall();
  }

  /** Called every few milliseconds while requests are outstanding: those whose deadline has passed are given up. */
  sweep(nowMs: number): void {
    for (const request of this.#pending.select(({ deadlineMs }) => deadlineMs <= nowMs))
      if (!request.finished) this.#finish(request, null, deadlineError(request));
    this.#hopsAtOnce = 0;
    if (this.#stalled) this.#tryAgain();
    else if (this.#pending.size > 0 && this.#target !== null && ++this.#silentSweeps >= SILENT_SWEEPS_MAX) {
      this.#silentSweeps = 0;
      this.#node.leaderSilent(this.shard, this.#target);
    }
  }

  onReply(request: PendingRequest, reply: Reply): void {
    if (request.finished) return;
    this.#hopsAtOnce = 0;
    this.#silentSweeps = 0;
    if (request === this.#opening) {
      this.#opened(reply);
    } else if (reply instanceof Fault && reply.code === "session-expired") {
      this.#sessionForgotten(request);
    } else if (reply instanceof Fault && reply.code === "already-acknowledged") {
      this.#finish(
        request,
        null,
        new CremaError("CREMA_INTERNAL", "a command was sent again after its answer"),
      );
    } else {
      this.#finish(request, reply, null);
    }
  }

  onAttemptFailed(request: PendingRequest, why: AttemptFailure): void {
    if (request.finished) return;
    if (why === "too-large") {
      this.#finish(request, null, replySizeError());
      return;
    }
    if (request.inFlight > 0) return;
    if (why === "busy" && request.uncertain === 0 && request !== this.#opening) {
      this.#node.counters.busy++;
      this.#finish(request, null, busyError(this.shard));
      return;
    }
    if (why === "disk-full" && request.uncertain === 0) {
      this.#refused(request);
      return;
    }
    // An attempt before this one may have been applied: that must be found out, room or not.
    if (why === "capacity" && request.uncertain === 0 && request !== this.#opening) {
      this.#finish(request, null, capacityError(this.shard));
      return;
    }
    this.#node.counters.retries++;
    this.#stall();
  }

  /** The leader takes no writes. Without a session all those that wait for one are refused. */
  #refused(request: PendingRequest): void {
    const error = diskFullError(this.shard);
    if (request !== this.#opening) {
      this.#finish(request, null, error);
      return;
    }
    request.finished = true;
    this.#opening = null;
    for (const waiting of this.#pending.select(() => true))
      if (waiting.kind === "write" && waiting.session === 0) this.#finish(waiting, null, error);
    this.#resume();
  }

  /** Nobody to send to, and nobody can be elected: whoever asked is better told now than at the deadline. */
  #tryAgain(): void {
    const loss = this.#route() === null ? this.#node.quorumLoss(this.shard) : null;
    if (loss === null) this.#resume();
    else this.#refuseWithoutQuorum(noQuorumError(this.shard, loss));
  }

  /**
   * Refuses all that certainly changed nothing. A write that may have been appended somewhere keeps waiting: it may yet be
   * answered, and is ambiguous if it is not. A local read needs one replica only, and goes on looking for it.
   */
  #refuseWithoutQuorum(error: CremaError): void {
    if (this.#opening !== null) this.#opening.finished = true;
    this.#opening = null;
    // Each is judged when its turn comes: what those before it are told may make somebody send it.
    for (const request of this.#pending.select(() => true)) {
      const changedNothing = request.kind === "read" || (request.kind === "write" && request.uncertain === 0);
      if (changedNothing) this.#finish(request, null, error);
    }
    if (this.#pending.size > 0) this.#resume();
  }

  /** Fails everything with what `errorFor` says. */
  close(errorFor: (request: PendingRequest) => CremaError): void {
    for (const request of this.#pending.select(() => true)) this.#finish(request, null, errorFor(request));
  }

  #stall(): void {
    this.#stalled = true;
  }

  /** Whom to send to: this node when it leads, else the leader it has heard of when the link is up. */
  #route(): NodeId | null {
    if (this.#node.shards.group(this.shard)?.isLeader === true) return this.#node.self;
    const { leader } = this.#node.leaders.get(this.#group);
    if (leader === null || leader === this.#node.self) return null;
    return this.#node.channel(leader) === null ? null : leader;
  }

  /** Sends everything unanswered again, in order, to the leader; or asks one replica after the other who leads. */
  #resume(): void {
    const target = this.#route();
    if (target === null) {
      this.#stall();
      this.#probe();
      return;
    }
    this.#stalled = false;
    this.#target = target;
    if (this.#opening !== null) {
      if (!this.#send(this.#opening, target)) this.#stall();
      return;
    }
    for (const request of this.#pending.select(() => true)) {
      if (this.#stalled) return;
      if (!request.finished && !this.#send(request, target)) this.#stall();
    }
  }

  /**
   * No leader is known: the oldest request goes to some replica, whose refusal tells who leads. Without a majority nobody
   * does, and a write sent to a replica that does not answer would be uncertain for nothing.
   */
  #probe(): void {
    const isLost = this.#node.quorumLoss(this.shard) !== null;
    const request = isLost ? this.#localRead() : (this.#opening ?? this.#pending.first);
    if (request === null || request.inFlight > 0) return;
    const others = this.#node.replicas(this.shard).filter((node) => node !== this.#node.self);
    const target = others[this.#probes++ % Math.max(1, others.length)];
    if (target !== undefined) this.#send(request, target);
  }

  /** The oldest request that any replica can answer. */
  #localRead(): PendingRequest | null {
    const [oldest] = this.#pending.select(({ kind, inFlight }) => kind === "local-read" && inFlight === 0);
    return oldest ?? null;
  }

  /** One attempt. False when the way is closed now. */
  #send(request: PendingRequest, target: NodeId): boolean {
    if (request.kind === "write" && request !== this.#opening && request.session === 0) this.#number(request);
    const { self, shards } = this.#node;
    if (target === self && request.query !== null) {
      this.#begin(request, target);
      shards.read(this.shard, request.query, request);
      return true;
    }
    if (target === self) {
      this.#begin(request, target);
      writer.reset();
      this.encode(request, writer);
      // A copy: whoever is told something before the shard has taken this one may ask again, and that writes here.
      shards.propose(this.shard, writer.copy(), request);
      return true;
    }
    const channel = this.#node.channel(target);
    if (channel === null || !this.#node.forwarding.send(channel, request, this)) return false;
    this.#begin(request, target);
    return true;
  }

  #begin(request: PendingRequest, target: NodeId): void {
    this.#target = target;
    request.inFlight++;
    request.uncertain++;
  }

  #number(request: PendingRequest): void {
    request.session = this.#session.id;
    request.sequence = this.#session.take();
  }

  /**
   * The session command or query, written straight to where it leaves: most requests are sent once, and bytes kept for the
   * others cost more than all else about a request. Session and sequence stay; the low-water mark may be a newer one.
   */
  encode(request: PendingRequest, to: ByteWriter): void {
    if (request.query !== null) {
      encodeQuery(to, request.query);
    } else if (request.command !== null) {
      const { session, sequence, command } = request;
      const lowWater = session === 0 ? 0 : this.#session.lowWater;
      encodeSessionCommand(to, { session, sequence, lowWater, command });
    }
  }

  /** Opening twice by a retry leaves an idle session behind, which does no harm. */
  #openSession(): void {
    if (this.#opening !== null) return;
    const { self, boot } = this.#node;
    const command = { type: "open-session", node: self, boot } as const;
    this.#opening = new PendingRequest(this, "write", this.shard, command, null, Number.POSITIVE_INFINITY, {
      reply: () => {},
      fail: () => {},
    });
    this.#resume();
  }

  #opened(reply: Reply): void {
    if (typeof reply !== "number")
      throw new CremaError("CREMA_INTERNAL", "the answer to open-session is no session id");
    if (this.#opening !== null) this.#opening.finished = true;
    this.#opening = null;
    this.#node.counters.sessionsOpened++;
    this.#session.open(reply);
    this.#resume();
  }

  #sessionForgotten(request: PendingRequest): void {
    if (request.session === this.#session.id) this.#session.close();
    if (request.uncertain > 1) {
      this.#finish(request, null, deadlineError(request));
      return;
    }
    request.uncertain = 0;
    request.session = 0;
    request.sequence = 0;
    if (!this.#session.isOpen) this.#openSession();
    else this.#resume();
  }

  #finish(request: PendingRequest, reply: Reply, error: CremaError | null): void {
    this.#pending.remove(request);
    if (request.session !== 0) this.#session.answered(request.session, request.sequence);
    if (this.#pending.size === 0) {
      this.#stalled = false;
      this.#target = null;
      if (this.#opening !== null) this.#opening.finished = true;
      this.#opening = null;
    }
    this.#node.finish(request, reply, error);
  }
}
