/**
 * What the core answers to those who ask something of it. A refusal is a value, not an error: nobody did wrong.
 */
import type { LogIndex, NodeId, Term } from "../base/ids.ts";

/** This replica does not lead; `leader` does, as far as it knows. */
export interface NotLeader {
  readonly type: "not-leader";
  readonly leader: NodeId | null;
}

/** The reason is for people: one sentence, no full stop. */
export interface Refused {
  readonly type: "refused";
  readonly reason: string;
}

/** Appended to the leader's log, which says nothing yet about commitment: the entry may still be overwritten. */
export type ProposeResult =
  | {
      readonly type: "proposed";
      readonly term: Term;
      /** The first of the proposed items; the others follow without gaps. */
      readonly firstIndex: LogIndex;
    }
  | NotLeader
  /** `uncommittedBytesMax` is used up. */
  | { readonly type: "busy" }
  /** Leadership is being handed over; ask again shortly. */
  | { readonly type: "transferring" };

export type MembershipResult =
  | { readonly type: "proposed"; readonly term: Term; readonly index: LogIndex }
  | NotLeader
  | Refused;

export type TransferResult = { readonly type: "started" } | NotLeader | Refused;

/** `queued`: the outcome comes in `Ready.reads` or `Ready.readsLost`. `not-ready`: no commit in this term yet. */
export type ReadResult = "queued" | "not-leader" | "not-ready";
