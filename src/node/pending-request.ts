/**
 * One request on its way: from the door that took it to the shard that decides it, across hops and leader changes.
 * A plain object that plays every waiting part itself, so that the way of a request needs no closure and no promise.
 */
import { CremaError } from "../base/errors.ts";
import type { ShardId } from "../base/ids.ts";
import type { Command } from "../cache/command.ts";
import type { Query } from "../cache/query.ts";
import type { Reply } from "../cache/reply.ts";
import type { ProposalSink } from "../host/state-machine.ts";
import type { ReplySink } from "./door.ts";
import type { QuorumLoss } from "./group-quorum.ts";
import type { RequestList } from "./request-list.ts";

export type RequestKind = "write" | "read" | "local-read";

/** How one attempt ended without an answer. */
export type AttemptFailure =
  /** Certainly not applied by this attempt. */
  | "not-leader"
  | "busy"
  | "disk-full"
  /** Likewise: the shard may not grow now. */
  | "capacity"
  /** Decided, but the answer cannot travel. */
  | "too-large"
  /** May have been applied, may still be. */
  | "unknown";

/** Where the outcome of one attempt to write goes. Exactly one of the two is called, once. */
export interface AttemptSink {
  applied(reply: Reply): void;
  dropped(why: AttemptFailure): void;
}

export interface RequestOwner {
  onReply(request: PendingRequest, reply: Reply): void;
  onAttemptFailed(request: PendingRequest, why: AttemptFailure): void;
}

export class PendingRequest implements ProposalSink<Reply>, ReplySink {
  readonly kind: RequestKind;
  readonly shard: ShardId;
  /** Set for a write. */
  readonly command: Command | null;
  /** Set for a read. */
  readonly query: Query | null;
  /** On the monotonic clock. */
  readonly deadlineMs: number;
  readonly #owner: RequestOwner;
  readonly #sink: ReplySink;
  session = 0;
  sequence = 0;
  /** Attempts handed out whose end is not known yet. */
  inFlight = 0;
  /** Attempts after which the command may have been appended somewhere: those in flight and those that ended `unknown`. */
  uncertain = 0;
  finished = false;
  /** The list that holds it, and its neighbours there. Only {@link RequestList} sets them. */
  list: RequestList | null = null;
  before: PendingRequest | null = null;
  after: PendingRequest | null = null;

  constructor(
    owner: RequestOwner,
    kind: RequestKind,
    shard: ShardId,
    command: Command | null,
    query: Query | null,
    deadlineMs: number,
    sink: ReplySink,
  ) {
    this.#owner = owner;
    this.kind = kind;
    this.shard = shard;
    this.command = command;
    this.query = query;
    this.deadlineMs = deadlineMs;
    this.#sink = sink;
  }

  /** Answers the caller. Only the first of `complete` and `abandon` has an effect. */
  complete(reply: Reply): void {
    if (this.finished) return;
    this.finished = true;
    this.#sink.reply(reply);
  }

  abandon(error: CremaError): void {
    if (this.finished) return;
    this.finished = true;
    this.#sink.fail(error);
  }

  applied(reply: Reply): void {
    this.inFlight--;
    this.#owner.onReply(this, reply);
  }

  dropped(why: AttemptFailure): void {
    this.inFlight--;
    if (why !== "unknown") this.uncertain--;
    this.#owner.onAttemptFailed(this, why);
  }

  reply(value: Reply): void {
    this.applied(value);
  }

  fail(error: CremaError): void {
    this.dropped(attemptFailureOf(error));
  }
}

/** What became of a read that the leader could not answer. */
export function attemptFailureOf({ code }: CremaError): AttemptFailure {
  if (code === "CREMA_BUSY") return "busy";
  return code === "CREMA_DISK_FULL" ? "disk-full" : "not-leader";
}

/** What a caller is told when its deadline passed. */
export function deadlineError(request: PendingRequest): CremaError {
  const what = `${request.kind} on shard ${request.shard}`;
  if (request.kind === "write" && request.uncertain > 0) {
    return new CremaError(
      "CREMA_TIMEOUT",
      `${what}: no answer within the deadline; the write may or may not have been applied`,
      { ambiguous: true },
    );
  }
  if (request.uncertain > 0) {
    return new CremaError("CREMA_TIMEOUT", `${what}: no answer within the deadline`, { retryable: true });
  }
  return new CremaError(
    "CREMA_NO_LEADER",
    `${what}: no leader could be reached within the deadline; nothing was changed`,
    { retryable: true },
  );
}

export function busyError(shard: ShardId): CremaError {
  return new CremaError("CREMA_BUSY", `shard ${shard} has too many requests waiting; try again`, {
    retryable: true,
    retryAfterMs: 50,
  });
}

/** Whoever would have to decide does not answer. */
export function noQuorumError(shard: ShardId, { voters, answering }: QuorumLoss): CremaError {
  const who = answering.length === 0 ? "none answers" : `only ${answering.join(" ")} answers`;
  return new CremaError(
    "CREMA_NO_QUORUM",
    `shard ${shard} has no majority: of its voters ${voters.join(" ")} ${who}; nothing was changed, and it goes on ` +
      "when a majority is back",
    { retryable: true, retryAfterMs: 1_000 },
  );
}

/** Nobody else could lead the shard, and its leader has no space to write to. */
export function diskFullError(shard: ShardId): CremaError {
  return new CremaError(
    "CREMA_DISK_FULL",
    `the disk of the node that leads shard ${shard} is full, and no other node can take over; nothing was changed`,
    { retryable: true, retryAfterMs: 1_000 },
  );
}

export function capacityError(shard: ShardId): CremaError {
  return new CremaError(
    "CREMA_CAPACITY",
    `command not allowed: a node that holds shard ${shard} has no room left, and nothing is removed to make some`,
    { retryable: true, retryAfterMs: 1_000 },
  );
}

export function closedError(request: PendingRequest): CremaError {
  return new CremaError("CREMA_CLOSED", `the node closed while a ${request.kind} was under way`, {
    ambiguous: request.kind === "write" && request.uncertain > 0,
  });
}
