/**
 * Whether a majority of a group's voters can answer, as far as gossip and the links say. Only for what is told to people and clients:
 * who leads is decided by the voters themselves.
 */
import { type GroupId, type NodeId, SYSTEM_GROUP, shardOfGroup } from "../base/ids.ts";
import { isVoter } from "../raft/configuration.ts";
import type { ClusterNode } from "./cluster-node.ts";

/**
 * A suspicion counts when it has lasted so long: most that are wrong are refuted sooner, and a node that was cut off itself suspects
 * everybody for a moment when it is back.
 */
const SUSPECTED_FOR_MS = 1_000;

/** A group that can decide nothing: fewer than a majority of `voters` answer. */
export interface QuorumLoss {
  readonly voters: readonly NodeId[];
  readonly answering: readonly NodeId[];
}

/**
 * null while a majority of the voters of `group` is alive, or may be: of whom nobody has heard yet is not given up. A replica
 * here that follows a leader knows better than gossip: it would have missed one that has no majority.
 */
export function quorumLoss(node: ClusterNode, group: GroupId): QuorumLoss | null {
  if (node.groups.get(group)?.raft.leader != null) return null;
  for (const voters of votersOf(node, group)) {
    const answering = voters.filter((voter) => mayAnswer(node, voter));
    if (answering.length * 2 <= voters.length) return { voters, answering };
  }
  return null;
}

/** A member was suspected or died: forgets whom it would be in vain to ask, now or when the suspicion has lasted. */
export function memberSilent(node: ClusterNode): void {
  doubtLeadersWithoutQuorum(node);
  node.clock.setTimer(SUSPECTED_FOR_MS, () => {
    if (!node.closed) doubtLeadersWithoutQuorum(node);
  });
}

/**
 * Forgets leaders that gossip does not hear where no majority is heard either: what is sent to them would be uncertain for
 * nothing, and nobody can follow them.
 */
function doubtLeadersWithoutQuorum(node: ClusterNode): void {
  for (const [group, { leader }] of node.leaders.entries()) {
    if (leader === null || mayAnswer(node, leader) || quorumLoss(node, group) === null) continue;
    node.leaders.doubt(group, leader);
  }
}

/** As its own replica has them, both sets while they change; without one, as the cluster map wants them. */
function votersOf(node: ClusterNode, group: GroupId): readonly (readonly NodeId[])[] {
  const configuration = node.groups.get(group)?.raft.configuration;
  if (configuration !== undefined && isVoter(configuration, node.nodeId)) {
    const { voters, votersOutgoing } = configuration;
    return votersOutgoing.length === 0 ? [voters] : [voters, votersOutgoing];
  }
  const { map } = node.control;
  const wanted = group === SYSTEM_GROUP ? map?.systemVoters : map?.shards[shardOfGroup(group)]?.wanted;
  return wanted === undefined || wanted.length === 0 ? [] : [wanted];
}

function mayAnswer(node: ClusterNode, voter: NodeId): boolean {
  if (voter === node.nodeId) return true;
  const member = node.gossip.member(voter);
  if (member === undefined || member.state === "alive") return true;
  if (member.state === "left") return false;
  // Who has spoken over a link since is there, though gossip has not heard it refute the suspicion yet.
  if ((node.links.lastHeardMs(voter) ?? Number.NEGATIVE_INFINITY) > member.stateChangedAtMs) return true;
  // Whom this node missed while it heard nobody, or was no member yet and nobody heard it, has a moment to be heard again.
  const believableSinceMs = Math.max(node.gossip.heardAgainAtMs, node.enteredAtMs);
  const sinceMs =
    member.state === "suspect" ? Math.max(member.stateChangedAtMs, believableSinceMs) : believableSinceMs;
  return node.clock.nowMs() - sinceMs < SUSPECTED_FOR_MS;
}
