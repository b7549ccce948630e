/**
 * Who may vote. A joint configuration holds two sets of voters, and every decision needs a majority of each.
 */
import type { NodeId } from "../base/ids.ts";

/** A configuration of one group. Every list is sorted and without duplicates. @see Raft §6 */
export interface Configuration {
  /** The (incoming) voters. */
  readonly voters: readonly NodeId[];
  /** The outgoing voters while the configuration is joint; empty otherwise. */
  readonly votersOutgoing: readonly NodeId[];
  /** Receive the log, count in no quorum. Disjoint from both voter lists. */
  readonly learners: readonly NodeId[];
  /** Outgoing voters that become learners when the joint configuration is left. */
  readonly learnersNext: readonly NodeId[];
  /** The leader leaves the joint configuration by itself as soon as it has committed. */
  readonly autoLeave: boolean;
}

export const EMPTY_CONFIGURATION: Configuration = Object.freeze({
  voters: Object.freeze([]),
  votersOutgoing: Object.freeze([]),
  learners: Object.freeze([]),
  learnersNext: Object.freeze([]),
  autoLeave: false,
});

export function isJoint(configuration: Configuration): boolean {
  return configuration.votersOutgoing.length > 0;
}

/** Whether `node` counts in some quorum of `configuration`. */
export function isVoter(configuration: Configuration, node: NodeId): boolean {
  return configuration.voters.includes(node) || configuration.votersOutgoing.includes(node);
}

/** Whether `node` has any part in `configuration`. */
export function isMember(configuration: Configuration, node: NodeId): boolean {
  return isVoter(configuration, node) || configuration.learners.includes(node);
}

/** The first configuration of a group: these voters, nothing else. */
export function configurationOf(voters: readonly NodeId[]): Configuration {
  return { ...EMPTY_CONFIGURATION, voters: [...new Set(voters)].sort() };
}
