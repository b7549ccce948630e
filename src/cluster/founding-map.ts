/**
 * The first cluster map, and with it the first placement of every shard. Made by every founding voter from the decided
 * founding value, so it must depend on nothing else.
 */
import type { ClusterId, NodeId } from "../base/ids.ts";
import { planReplicas } from "../placement/plan.ts";
import { planSystemVoters } from "../placement/system-voters.ts";
import { type ClusterMap, type MapMember, type MemberIdentity, placementMembers } from "./cluster-map.ts";

export interface FoundingMapInput {
  readonly clusterId: ClusterId;
  /** At least one. */
  readonly founders: readonly MemberIdentity[];
  readonly shardCount: number;
  /** What shards shall have once there are enough members. */
  readonly replicationFactor: number;
  /** Default: planned from the founders. */
  readonly systemVoters?: readonly NodeId[];
}

/**
 * Version 1 of the map. All founders are alive members, and the system group begins with exactly its `systemVoters`.
 */
export function foundingMap(input: FoundingMapInput): ClusterMap {
  const { clusterId, shardCount, replicationFactor } = input;
  const members = input.founders
    .map((founder): MapMember => ({ ...founder, state: "alive", joinedAtVersion: 1 }))
    .sort((left, right) => (left.nodeId < right.nodeId ? -1 : 1));
  const placeable = placementMembers(members);
  const current = Array.from({ length: shardCount }, (): NodeId[] => []);
  const replicas = planReplicas({ shards: shardCount, replicationFactor, members: placeable, current });
  return {
    version: 1,
    placementVersion: 1,
    clusterId,
    shardCount,
    replicationFactor,
    members,
    removed: [],
    systemVoters: input.systemVoters ?? planSystemVoters(placeable, []),
    shards: replicas.map((wanted) => ({ founding: wanted, wanted })),
    settings: { rebalancePaused: false },
  };
}
