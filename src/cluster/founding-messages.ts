/**
 * What nodes without a cluster say to each other at the seed addresses: questions, answers, and the value they agree on.
 * A question goes to an address; which process answers there is told by the answer.
 */
import type { Address } from "../base/address.ts";
import type { BootNonce, ClusterId, NodeId } from "../base/ids.ts";
import type { MemberIdentity } from "./cluster-map.ts";

/** The number of one attempt. Ordered by round, then by node: no two proposers share one. @see Paxos Made Simple §2.2 */
export interface Ballot {
  /** 1, 2, 3, ... */
  readonly round: number;
  readonly nodeId: NodeId;
}

/** What a founding decides, once for a seed list. */
export interface FoundingValue {
  readonly clusterId: ClusterId;
  readonly founder: NodeId;
  /** Everybody who promised, the founder first; at least a majority of the seed list. They start the system group. */
  readonly voters: readonly MemberIdentity[];
  readonly shardCount: number;
  readonly replicationFactor: number;
}

export interface AcceptedValue {
  readonly ballot: Ballot;
  readonly value: FoundingValue;
}

/** Who asks. */
export interface FoundingSender {
  readonly nodeId: NodeId;
  readonly boot: BootNonce;
  /** Its seed list, normalised. */
  readonly seeds: readonly string[];
}

/**
 * `probe`: does anybody there have a cluster? `prepare` and `accept`: the two phases of a ballot. `decided`: the
 * outcome, told once by the proposer; who misses it learns it by probing.
 */
export type FoundingMessage =
  | { readonly type: "probe"; readonly from: FoundingSender }
  | { readonly type: "prepare"; readonly from: FoundingSender; readonly ballot: Ballot }
  | {
      readonly type: "accept";
      readonly from: FoundingSender;
      readonly ballot: Ballot;
      readonly value: FoundingValue;
    }
  | { readonly type: "decided"; readonly from: FoundingSender; readonly value: FoundingValue };

/** Who answers. */
export interface FoundingResponder {
  readonly identity: MemberIdentity;
  /** Its seed list, normalised. */
  readonly seeds: readonly string[];
  /** It takes part in foundings: its `bootstrap` is `auto`. */
  readonly mayFound: boolean;
}

/** `ballot`: promised to a higher one. `seeds`: the lists differ. `never`: it only joins. `heard`: it knows of a cluster. */
export type RefusalReason = "ballot" | "seeds" | "never" | "heard";

/**
 * `none`: belongs to nothing and knows of nothing decided. `cluster`: it is a `member`, or a voter of the decided
 * `value` that is about to be one. A non-voter never passes on what it only heard: a dead cluster would live on in talk. `refused` tells the ballot it is bound to.
 */
export type FoundingAnswer =
  | { readonly type: "none"; readonly from: FoundingResponder }
  | {
      readonly type: "cluster";
      readonly from: FoundingResponder;
      readonly clusterId: ClusterId;
      readonly member: boolean;
      readonly value: FoundingValue | null;
    }
  | {
      readonly type: "promised";
      readonly from: FoundingResponder;
      readonly ballot: Ballot;
      readonly accepted: AcceptedValue | null;
    }
  | { readonly type: "accepted"; readonly from: FoundingResponder; readonly ballot: Ballot }
  | {
      readonly type: "refused";
      readonly from: FoundingResponder;
      readonly reason: RefusalReason;
      readonly promised: Ballot | null;
    };

/**
 * What the driver is to do. `call`: ask and report `onAnswer` or `onFailure` with the id. `found`: start the system
 * group with exactly these voters; this node is one of them. `join`: have this node admitted. `report`: for people.
 */
export type FoundingAction =
  | { readonly type: "call"; readonly id: number; readonly to: Address; readonly message: FoundingMessage }
  | { readonly type: "found"; readonly value: FoundingValue }
  | { readonly type: "join"; readonly address: Address; readonly clusterId: ClusterId }
  | {
      readonly type: "report";
      readonly level: "info" | "warn";
      readonly code?: "seed-unreachable" | "seed-reachable" | "seed-mismatch" | "waiting";
      readonly seed?: Address;
      readonly message: string;
    };

export interface FoundingOptions {
  readonly bootstrap: "auto" | "never" | "force";
  /** Found only once this many seeds answer; 0 = a majority of the seed list. */
  readonly bootstrapExpect: number;
  /** How long a seed must be silent before it is left out, in milliseconds. */
  readonly foundingDelayMs: number;
  readonly shardCount: number;
  readonly replicationFactor: number;
}

/** Below, equal to or above zero, as `left` is below, equal to or above `right`. */
export function compareBallots(left: Ballot, right: Ballot): number {
  if (left.round !== right.round) return left.round - right.round;
  return left.nodeId === right.nodeId ? 0 : left.nodeId < right.nodeId ? -1 : 1;
}

/** Whether `value` names this node: the id alone counts, for whoever kept it over a restart kept its promises too. */
export function isVoterOf(value: FoundingValue, self: MemberIdentity): boolean {
  return value.voters.some(({ nodeId }) => nodeId === self.nodeId);
}
