/**
 * What a leader knows of one other member's log, and how fast it may send to it.
 *
 * - `probe`: where the logs agree is not known. One append request at a time, then wait for its answer (or for a
 *   sign of life).
 * - `replicate`: the logs agree up to `match`. Requests are pipelined optimistically, within the inflight window.
 * - `snapshot`: the host streams a snapshot. No append requests until it reports.
 *
 * Invariant in every state: `match < next`. `match` only rises; a member that lost its log gets another one of these.
 */
import { unreachable } from "../base/assert.ts";
import { type LogIndex, logIndex, type NodeId } from "../base/ids.ts";
import { Inflights } from "./inflights.ts";
import type { RaftOptions } from "./options.ts";

export type ProgressState = "probe" | "replicate" | "snapshot";

const NONE = logIndex(0);

/** @see Raft Figure 2, nextIndex and matchIndex */
export class Progress {
  readonly node: NodeId;
  /** Which acquaintance with the node this is; answers to another one are not about this log. */
  readonly session: number;
  /** Counts in no quorum. */
  learner = false;
  state: ProgressState = "probe";
  /** The last index known to be durable at the member and equal to ours. */
  match: LogIndex = NONE;
  /** The first index of the next append request. */
  next: LogIndex;
  /** Tick at which the member last answered. */
  contactTick: number;
  /** The latest read round the member has answered. */
  readRound = 0;
  /** The commit index of the last append request: whether an empty one would tell anything new. */
  sentCommit: LogIndex = NONE;
  /** In state `probe`: the one request is out. */
  probeSent = false;
  /** The host has been asked for a snapshot and has not begun. */
  snapshotAsked = false;
  /** In state `snapshot`: where the snapshot stands. */
  snapshotIndex: LogIndex = NONE;
  /** No member any more, but not yet told that its removal is committed. */
  departing = false;
  /** Departing, and what it lacks is compacted away or its replica destroyed: nothing can tell it any more, or need. */
  beyondHelp = false;
  /** Something should be sent at the next `ready()`. */
  due = true;
  /** In state `replicate`: send an empty request if need be, so that a lost pipeline is noticed. */
  checkDue = false;
  readonly inflights: Inflights;

  constructor(node: NodeId, session: number, next: LogIndex, nowTick: number, options: RaftOptions) {
    this.node = node;
    this.session = session;
    this.next = next;
    this.contactTick = nowTick;
    this.inflights = new Inflights(options.inflightMessagesMax, options.inflightBytesMax);
  }

  /** `next` goes back to just after what is certain, or after `from` where that is further. */
  becomeProbe(from: LogIndex = NONE): void {
    this.#enter("probe");
    this.next = logIndex(Math.max(this.match, from) + 1);
  }

  becomeReplicate(): void {
    this.#enter("replicate");
    this.next = logIndex(this.match + 1);
  }

  becomeSnapshot(index: LogIndex): void {
    this.#enter("snapshot");
    this.snapshotIndex = index;
  }

  /** The member holds everything up to `index`. False when that was known already. */
  acknowledge(index: LogIndex): boolean {
    if (this.next <= index) this.next = logIndex(index + 1);
    if (index <= this.match) return false;
    this.match = index;
    return true;
  }

  /**
   * The member refused the request that followed `rejected`; the logs may agree at `hint`.
   * False when the answer is stale: it speaks of a request that was overtaken since.
   */
  backtrack(rejected: LogIndex, hint: LogIndex): boolean {
    switch (this.state) {
      case "snapshot":
        return false;
      case "replicate":
        if (rejected <= this.match) return false;
        this.becomeProbe();
        return true;
      case "probe":
        if (rejected !== this.next - 1 || rejected <= this.match) return false;
        this.next = logIndex(Math.max(Math.min(rejected, hint + 1), this.match + 1));
        this.probeSent = false;
        return true;
      default:
        return unreachable(this.state);
    }
  }

  #enter(state: ProgressState): void {
    this.state = state;
    this.probeSent = false;
    this.snapshotAsked = false;
    this.snapshotIndex = NONE;
    this.inflights.clear();
  }
}
