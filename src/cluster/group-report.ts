/**
 * What a node says about the replicas it holds: for `status`, and for the system group's leader, which must know what
 * configuration each shard really has before it decides what it should have.
 */
import { type GroupId, groupId, isHex64, type NodeId, nodeId, SHARDS_MAX } from "../base/ids.ts";
import type { RaftGroup } from "../host/raft-group.ts";
import type { MemberProgress } from "../raft/status.ts";
import { WireError } from "../wire/wire-error.ts";

export interface GroupReport {
  readonly group: GroupId;
  readonly leader: NodeId | null;
  readonly isLeader: boolean;
  readonly term: number;
  readonly commitIndex: number;
  readonly applyIndex: number;
  readonly voters: readonly NodeId[];
  readonly votersOutgoing: readonly NodeId[];
  readonly learners: readonly NodeId[];
  /** Of the cluster map that the node knew when it said this. */
  readonly mapVersion: number;
  /** Only from the leader: voters that are silent, or behind, so that they could not take part in a majority now. */
  readonly lagging: readonly NodeId[];
  /** Only from the leader: how far each learner is. */
  readonly learning: readonly LearnerProgress[];
  /** Of a snapshot of it, roughly. */
  readonly stateBytes: number;
}

export interface LearnerProgress {
  readonly nodeId: NodeId;
  /** Entries of the leader's log that it has not confirmed. */
  readonly entriesBehind: number;
  /** A snapshot is on its way to it, or waits for its turn: the log comes after. */
  readonly snapshot: boolean;
}

/** Members one configuration may name. */
const NODES_MAX = 64;
/** Entries behind the leader from which on a replica counts as lagging. */
const LAGGING_ENTRIES = 1_000;

export function reportOf(group: RaftGroup<unknown>, mapVersion: number): GroupReport {
  const status = group.raft.status();
  const { configuration } = status;
  const lagging = [...status.progress]
    .filter(([, peer]) => !peer.learner && isLagging(peer, status.lastIndex))
    .map(([node]) => node);
  const learning = [...status.progress]
    .filter(([, peer]) => peer.learner)
    .map(([nodeId, { match, state }]) => ({
      nodeId,
      entriesBehind: Math.max(0, status.lastIndex - match),
      snapshot: state === "snapshot",
    }));
  return {
    group: group.id,
    leader: status.leader,
    isLeader: group.isLeader,
    term: status.term,
    commitIndex: status.commit,
    applyIndex: status.applied,
    voters: configuration.voters,
    votersOutgoing: configuration.votersOutgoing,
    learners: configuration.learners,
    mapVersion,
    lagging: group.isLeader ? lagging : [],
    learning: group.isLeader ? learning : [],
    stateBytes: group.machine.sizeBytes,
  };
}

/** A broken link counts at once: it is seen long before gossip knows that its node is dead. */
function isLagging(peer: MemberProgress, lastIndex: number): boolean {
  return peer.state !== "replicate" || !peer.recentActive || peer.match + LAGGING_ENTRIES < lastIndex;
}

export function encodeReport(report: GroupReport): unknown {
  return [
    report.group,
    report.leader,
    report.isLeader,
    report.term,
    report.commitIndex,
    report.applyIndex,
    report.voters,
    report.votersOutgoing,
    report.learners,
    report.mapVersion,
    report.lagging,
    report.learning.map(({ nodeId, entriesBehind, snapshot }) => [nodeId, entriesBehind, snapshot]),
    report.stateBytes,
  ];
}

/** Reads what {@link encodeReport} made. Throws `WireError`: it came from another node. */
export function decodeReport(value: unknown): GroupReport {
  if (!Array.isArray(value) || value.length !== 13)
    throw new WireError("a group report has thirteen fields", 0);
  const [group, leader, isLeader, term, commitIndex, applyIndex, ...lists] = value;
  const [voters, votersOutgoing, learners, mapVersion, lagging, learning, stateBytes] = lists;
  return {
    group: groupId(natural(group, SHARDS_MAX)),
    leader: leader === null ? null : node(leader),
    isLeader: isLeader === true,
    term: natural(term),
    commitIndex: natural(commitIndex),
    applyIndex: natural(applyIndex),
    voters: nodes(voters),
    votersOutgoing: nodes(votersOutgoing),
    learners: nodes(learners),
    mapVersion: natural(mapVersion),
    lagging: nodes(lagging),
    learning: learnerProgress(learning),
    stateBytes: natural(stateBytes),
  };
}

function natural(value: unknown, most = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= most) return value;
  throw new WireError("a group report holds no such number", 0);
}

function node(value: unknown): NodeId {
  if (typeof value === "string" && isHex64(value)) return nodeId(value);
  throw new WireError("a group report holds no such node id", 0);
}

function nodes(value: unknown): NodeId[] {
  if (Array.isArray(value) && value.length <= NODES_MAX) return value.map(node);
  throw new WireError("a group report holds no such list of nodes", 0);
}

function learnerProgress(value: unknown): LearnerProgress[] {
  if (!Array.isArray(value) || value.length > NODES_MAX)
    throw new WireError("a group report holds no such list of learners", 0);
  return value.map((each: unknown) => {
    if (!Array.isArray(each)) throw new WireError("a group report holds no such learner", 0);
    const [of, entriesBehind, snapshot] = each;
    return { nodeId: node(of), entriesBehind: natural(entriesBehind), snapshot: snapshot === true };
  });
}
