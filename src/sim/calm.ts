/**
 * Whether a fleet is whole: every process is a ready member, all agree on the map, and every group has its full number
 * of living voters that hold the same log. It is what the liveness phase waits for, and what a world without disks
 * waits for before it may lose a machine: another loss before that could take a majority, which nothing brings back.
 */
import { type GroupId, groupId, type NodeId, SYSTEM_GROUP } from "../base/ids.ts";
import type { ClusterMap } from "../cluster/cluster-map.ts";
import type { RaftGroup } from "../host/raft-group.ts";
import { systemVoterTarget } from "../placement/system-voters.ts";
import type { Fleet, FleetLife } from "./fleet.ts";

/** What is still missing, for people; null when nothing is. */
export function whatIsMissing(fleet: Fleet): string | null {
  const { lives } = fleet;
  const first = lives[0];
  if (first === undefined) return "no process runs";
  for (const life of lives) {
    if (life.process.paused) return `${life.name} is paused`;
    if (life.leaving) return `${life.name} is leaving`;
    const reason = life.node.notReadyReason();
    if (reason !== null) return `${life.name} is not ready: ${reason}`;
  }
  const { map } = first.node.control;
  if (map === null) return `${first.name} knows no map`;
  for (const { name, node } of lives) {
    if (node.control.map?.version !== map.version)
      return `${name} holds map ${node.control.map?.version}, ${first.name} ${map.version}`;
  }
  for (const { nodeId, state } of map.members) {
    if (state !== "alive") return `the map still lists node ${nodeId} as ${state}`;
    if (!lives.some(({ node }) => node.nodeId === nodeId))
      return `the map still lists node ${nodeId}, which is gone`;
  }
  for (let group = 0; group <= map.shardCount; group++) {
    const missing = missingOfGroup(lives, map, groupId(group));
    if (missing !== null) return `group ${group}: ${missing}`;
  }
  return null;
}

/** Losing one more machine leaves every group of a whole fleet a majority. */
export function couldLoseOne(fleet: Fleet): boolean {
  if (whatIsMissing(fleet) !== null) return false;
  for (const { node } of fleet.lives) {
    for (const { raft } of node.groups.groups()) {
      if (raft.role === "leader" && raft.configuration.voters.length < 3) return false;
    }
  }
  return true;
}

function missingOfGroup(lives: readonly FleetLife[], map: ClusterMap, group: GroupId): string | null {
  const replicas = new Map<NodeId, RaftGroup<unknown>>();
  let leader: RaftGroup<unknown> | null = null;
  for (const { node } of lives) {
    const replica = node.groups.get(group);
    if (replica === undefined) continue;
    replicas.set(node.nodeId, replica);
    if (!replica.isReadyLeader) continue;
    if (leader !== null) return "two replicas lead";
    leader = replica;
  }
  if (leader === null) return "nobody leads";
  const { configuration, commit } = leader.raft;
  if (configuration.votersOutgoing.length > 0) return "its configuration is joint";
  if (configuration.learners.length > 0) return "it has learners";
  const target =
    group === SYSTEM_GROUP ? systemVoterTarget(lives.length) : Math.min(map.replicationFactor, lives.length);
  if (configuration.voters.length !== target)
    return `it has ${configuration.voters.length} voters instead of ${target}`;
  for (const voter of configuration.voters) {
    const replica = replicas.get(voter);
    if (replica === undefined) return `voter ${voter} holds no replica`;
    if (replica.raft.configuration.votersOutgoing.length > 0)
      return `voter ${voter} is still in a joint configuration`;
    if (replica.raft.commit < commit) return `voter ${voter} lags behind`;
  }
  return null;
}
