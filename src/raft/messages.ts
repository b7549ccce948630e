/**
 * What replicas of one group say to each other. `term` is the sender's, except in a granted pre-vote,
 * where it is the term the candidate would campaign in.
 */
import type { LogIndex, NodeId, Term } from "../base/ids.ts";
import type { Configuration } from "./configuration.ts";
import type { Entry } from "./entry.ts";

interface Envelope {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly term: Term;
}

/** Would you vote for me? Changes nobody's term. @see Raft dissertation §9.6 */
export interface PreVoteRequest extends Envelope {
  readonly type: "pre-vote-request";
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
}

export interface PreVoteResponse extends Envelope {
  readonly type: "pre-vote-response";
  readonly granted: boolean;
}

export interface VoteRequest extends Envelope {
  readonly type: "vote-request";
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /** The leader itself asked for this election: the lease of CheckQuorum does not refuse it. */
  readonly transfer: boolean;
}

export interface VoteResponse extends Envelope {
  readonly type: "vote-response";
  readonly granted: boolean;
}

export interface AppendRequest extends Envelope {
  readonly type: "append-request";
  /** Numbers the leader's acquaintances with a member within its term; see {@link AppendResponse.session}. */
  readonly session: number;
  readonly previousIndex: LogIndex;
  readonly previousTerm: Term;
  readonly entries: readonly Entry[];
  readonly commit: LogIndex;
}

export interface AppendResponse extends Envelope {
  readonly type: "append-response";
  /**
   * That of the request, 0 when it was a snapshot, or a heartbeat that counts on more than is there. A node that was removed, wiped and added again is a new
   * acquaintance: what its former life acknowledged, delayed on the way, must not count for the empty log it has
   * now.
   */
  readonly session: number;
  readonly rejected: boolean;
  /** Accepted: the last index known to match. Rejected: the `previousIndex`, or a heartbeat's commit, that did not. */
  readonly index: LogIndex;
  /** Rejected: the follower's last index with a term <= the leader's at `index`, and its term. Else 0 and 0. */
  readonly hintIndex: LogIndex;
  readonly hintTerm: Term;
}

export interface Heartbeat extends Envelope {
  readonly type: "heartbeat";
  /** Never above what the follower is known to hold. */
  readonly commit: LogIndex;
  /** A read round to be confirmed; 0 when none. Rounds of one leader's term only grow. */
  readonly readRound: number;
  /** The group is idle: stop ticking until something happens. Only obeyed by a follower that holds all of `commit`. */
  readonly quiesce: boolean;
}

export interface HeartbeatResponse extends Envelope {
  readonly type: "heartbeat-response";
  readonly readRound: number;
}

/** Where a snapshot stands: state up to and including `index`. */
export interface SnapshotMetadata {
  readonly index: LogIndex;
  readonly term: Term;
  readonly configuration: Configuration;
}

/** Stepped into the receiving replica by its host once the whole snapshot has arrived on its own stream. */
export interface InstallSnapshot extends Envelope {
  readonly type: "install-snapshot";
  readonly snapshot: SnapshotMetadata;
}

/** The leader hands over: campaign at once. @see Raft dissertation §3.10 */
export interface TimeoutNow extends Envelope {
  readonly type: "timeout-now";
}

export type RaftMessage =
  | PreVoteRequest
  | PreVoteResponse
  | VoteRequest
  | VoteResponse
  | AppendRequest
  | AppendResponse
  | Heartbeat
  | HeartbeatResponse
  | InstallSnapshot
  | TimeoutNow;
