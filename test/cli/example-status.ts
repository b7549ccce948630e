/**
 * A made-up cluster status for tests of what people are shown.
 */
import { clusterId, nodeId, shardId } from "../../src/base/ids.ts";
import type { ClusterStatus, GroupStatus, MemberStatus, RebalanceStatus } from "../../src/index.ts";

export const NODE_A = nodeId("aaaa000000000001");
export const NODE_B = nodeId("bbbb000000000002");
export const NODE_C = nodeId("cccc000000000003");
const ALL = [NODE_A, NODE_B, NODE_C];

export function exampleGroup(changes: Partial<GroupStatus> = {}): GroupStatus {
  return {
    leader: NODE_A,
    term: 2,
    commitIndex: 117,
    applyIndex: 117,
    voters: ALL,
    learners: [],
    joint: false,
    wanted: ALL,
    ...changes,
  };
}

export function exampleMember(index: number, changes: Partial<MemberStatus> = {}): MemberStatus {
  return {
    nodeId: ALL[index] ?? NODE_A,
    name: `node-${index + 1}`,
    state: "alive",
    zone: index === 0 ? "east" : "",
    weight: 1,
    address: `127.0.0.1:${7946 + index}`,
    respPort: 6380 + index,
    httpPort: index === 2 ? 0 : 7980 + index,
    self: index === 0,
    ...changes,
  };
}

export function exampleStatus(changes: Partial<ClusterStatus> = {}): ClusterStatus {
  return {
    nodeId: NODE_A,
    clusterId: clusterId("5f0c000000000000"),
    mapVersion: 9,
    shardCount: 4,
    replicationFactor: 3,
    members: [exampleMember(0), exampleMember(1), exampleMember(2)],
    system: exampleGroup(),
    shards: [
      { shard: shardId(0), ...exampleGroup() },
      { shard: shardId(1), ...exampleGroup({ leader: NODE_B, term: 3 }) },
      { shard: shardId(2), ...exampleGroup({ leader: NODE_C }) },
      { shard: shardId(3), ...exampleGroup() },
    ],
    ...changes,
  };
}

export function exampleRebalance(changes: Partial<RebalanceStatus> = {}): RebalanceStatus {
  return {
    nodeId: NODE_A,
    movesMax: 16,
    paused: false,
    shards: { settled: 4, moving: 0, waiting: 0, paused: 0, stuck: 0 },
    moves: [],
    nodes: ALL.map((nodeId, at) => ({
      nodeId,
      replicas: 4,
      replicasPlanned: 4,
      leaders: at === 0 ? 2 : 1,
      leadersPlanned: at === 0 ? 2 : 1,
    })),
    replicasToMove: 0,
    leadersToMove: 0,
    ...changes,
  };
}
