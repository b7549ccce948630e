/**
 * Majorities. One rule serves every question that consensus asks: which log index do most voters hold, which read
 * round have most answered, when did most last speak, who won the vote. In a joint configuration the answer must
 * hold in both sets of voters. Nothing here allocates: these run for every acknowledgement.
 */
import type { NodeId } from "../base/ids.ts";
import type { Configuration } from "./configuration.ts";

/** A number that every voter is known to have reached: a log index, a read round, a tick. */
export interface QuorumMeasure {
  /** 0 for a voter nothing is known of. */
  of(node: NodeId): number;
}

export type VoteOutcome = "won" | "lost" | "pending";

/** Reused by every call; the functions here neither nest nor yield while they use it. */
const descending: number[] = [];

/** The largest number that a majority of `voters` has reached; `Infinity` for no voters (the identity of `min`). */
export function majorityIndex(voters: readonly NodeId[], measure: QuorumMeasure): number {
  const count = voters.length;
  if (count === 0) return Number.POSITIVE_INFINITY;
  for (let sorted = 0; sorted < count; sorted++) {
    const value = measure.of(voters[sorted] as NodeId);
    let at = sorted;
    while (at > 0 && (descending[at - 1] as number) < value) {
      descending[at] = descending[at - 1] as number;
      at--;
    }
    descending[at] = value;
  }
  return descending[count >> 1] as number;
}

/** The largest number that a majority of the voters, and of the outgoing voters if any, has reached. @see Raft §6 */
export function jointIndex(configuration: Configuration, measure: QuorumMeasure): number {
  const incoming = majorityIndex(configuration.voters, measure);
  if (configuration.votersOutgoing.length === 0) return incoming;
  return Math.min(incoming, majorityIndex(configuration.votersOutgoing, measure));
}

/**
 * How an election stands among `voters`. No voters: won (so that the empty half of a configuration decides
 * nothing).
 */
export function majorityVote(voters: readonly NodeId[], votes: ReadonlyMap<NodeId, boolean>): VoteOutcome {
  if (voters.length === 0) return "won";
  const needed = (voters.length >> 1) + 1;
  let granted = 0;
  let open = 0;
  for (const voter of voters) {
    const vote = votes.get(voter);
    if (vote === undefined) open++;
    else if (vote) granted++;
  }
  if (granted >= needed) return "won";
  return granted + open >= needed ? "pending" : "lost";
}

/** Won only when both majorities are, lost as soon as one is. @see Raft §6 */
export function jointVote(configuration: Configuration, votes: ReadonlyMap<NodeId, boolean>): VoteOutcome {
  const incoming = majorityVote(configuration.voters, votes);
  const outgoing = majorityVote(configuration.votersOutgoing, votes);
  if (incoming === outgoing) return incoming;
  return incoming === "lost" || outgoing === "lost" ? "lost" : "pending";
}
