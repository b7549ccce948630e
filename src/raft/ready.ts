/**
 * What the core asks of its host after something happened. `ready()` hands each item out exactly once;
 * the host answers with `persisted(receipt)` and `appliedTo(index)`.
 */
import type { LogIndex, NodeId, Term } from "../base/ids.ts";
import type { Configuration } from "./configuration.ts";
import type { Entry } from "./entry.ts";
import type { RaftMessage, SnapshotMetadata } from "./messages.ts";

export type Role = "follower" | "pre-candidate" | "candidate" | "leader";

/** Term, vote and commit index. @see Raft Figure 2 */
export interface HardState {
  readonly term: Term;
  readonly vote: NodeId | null;
  readonly commit: LogIndex;
}

/** To be made durable atomically and in the order of receipts, then confirmed by `persisted(receipt)`. */
export interface PersistRequest {
  /** 1, 2, 3, ... for one core. */
  readonly receipt: number;
  readonly hardState: HardState | null;
  /** Contiguous; replaces whatever is stored at or above the first one's index. */
  readonly entries: readonly Entry[];
  /** Replaces the whole log and the state machine first. */
  readonly snapshot: SnapshotMetadata | null;
}

/** All reads asked with a round <= `round` may be answered once `index` is applied. */
export interface ReadGrant {
  readonly context: number;
  readonly index: LogIndex;
}

export interface Leadership {
  readonly role: Role;
  readonly term: Term;
  readonly leader: NodeId | null;
}

export interface Ready {
  readonly persist: PersistRequest | null;
  /** Safe to send now: what promises durability is held back by the core until it is durable. */
  readonly messages: readonly RaftMessage[];
  /** Committed and locally durable, contiguous, in order, each handed out once. */
  readonly committed: readonly Entry[];
  readonly reads: readonly ReadGrant[];
  /** Contexts of reads that will never be granted: this replica stopped leading. */
  readonly readsLost: readonly number[];
  /** Followers whose next entry is compacted away: the host streams them a snapshot, then reports. */
  readonly snapshotsWanted: readonly NodeId[];
  /** Set when role, term or known leader changed. */
  readonly leadership: Leadership | null;
  /** Set when the configuration in force changed (by append, truncation or snapshot). */
  readonly configuration: Configuration | null;
}
