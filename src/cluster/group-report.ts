/**
 * What a node says about the replicas it holds: for `status`, and for the system group's leader, which must know what
 * configuration each shard really has before it decides what it should have.
 */
import { type GroupId, groupId, type NodeId, nodeId } from "../base/ids.ts";
import type { RaftGroup } from "../host/raft-group.ts";
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
  /** Only from the leader: replicas that lag so far that they could not take part in a majority now. */
  readonly lagging: readonly NodeId[];
}

/** Entries behind the leader from which on a replica counts as lagging. */
const LAGGING_ENTRIES = 1_000;

export function reportOf(group: RaftGroup<unknown>): GroupReport {
  const status = group.raft.status();
  const { configuration } = status;
  const lagging = [...status.progress]
    .filter(([, peer]) => !peer.learner && peer.match + LAGGING_ENTRIES < status.lastIndex)
    .map(([node]) => node);
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
    lagging: group.isLeader ? lagging : [],
  };
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
    report.lagging,
  ];
}

export function decodeReport(value: unknown): GroupReport {
  if (!Array.isArray(value) || value.length !== 10) throw new WireError("a group report has ten fields", 0);
  const [group, leader, isLeader, term, commitIndex, applyIndex, voters, votersOutgoing, learners, lagging] =
    value as [number, string | null, boolean, number, number, number, string[], string[], string[], string[]];
  return {
    group: groupId(group),
    leader: leader === null ? null : nodeId(leader),
    isLeader,
    term,
    commitIndex,
    applyIndex,
    voters: voters.map(nodeId),
    votersOutgoing: votersOutgoing.map(nodeId),
    learners: learners.map(nodeId),
    lagging: lagging.map(nodeId),
  };
}
