/**
 * A replica seen from outside: for people, metrics and tests. A copy, never a handle.
 */
import type { LogIndex, NodeId, Term } from "../base/ids.ts";
import type { Configuration } from "./configuration.ts";
import type { ProgressState } from "./progress.ts";
import type { Role } from "./ready.ts";
import type { RaftState } from "./state.ts";

/** What the leader knows of one other member. */
export interface MemberProgress {
  readonly match: LogIndex;
  readonly next: LogIndex;
  readonly state: ProgressState;
  /** Answered within the last election timeout. */
  readonly recentActive: boolean;
  readonly learner: boolean;
}

export interface RaftStatus {
  readonly role: Role;
  readonly term: Term;
  readonly vote: NodeId | null;
  readonly leader: NodeId | null;
  readonly commit: LogIndex;
  readonly applied: LogIndex;
  /** Durable on this node up to here. */
  readonly stable: LogIndex;
  readonly baseIndex: LogIndex;
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /** The configuration in force, and where it was appended: a change is pending while that is above `commit`. */
  readonly configuration: Configuration;
  readonly configurationIndex: LogIndex;
  readonly quiesced: boolean;
  /** The successor while leadership is handed over. */
  readonly transferee: NodeId | null;
  /** Bytes above the commit index; 0 unless this replica leads. */
  readonly uncommittedBytes: number;
  /** Every other member, by node; empty unless this replica leads. */
  readonly progress: ReadonlyMap<NodeId, MemberProgress>;
}

export function statusOf(state: RaftState): RaftStatus {
  const { leading, log } = state;
  const progress = new Map<NodeId, MemberProgress>();
  for (const peer of leading?.peers ?? []) {
    if (peer.departing) continue;
    progress.set(peer.node, {
      match: peer.match,
      next: peer.next,
      state: peer.state,
      recentActive: state.tick - peer.contactTick < state.options.electionTimeoutTicks,
      learner: peer.learner,
    });
  }
  return {
    role: state.role,
    term: state.term,
    vote: state.vote,
    leader: state.leader,
    commit: state.commit,
    applied: state.applied,
    stable: state.persistence.stableIndex,
    baseIndex: log.baseIndex,
    lastIndex: log.lastIndex,
    lastTerm: log.lastTerm,
    configuration: state.configuration,
    configurationIndex: state.configurations.currentIndex,
    quiesced: state.quiesced,
    transferee: leading?.transfer?.to ?? null,
    uncommittedBytes: leading === null ? 0 : log.bytesBetween(state.commit, log.lastIndex),
    progress,
  };
}
