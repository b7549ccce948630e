/**
 * What the cluster has agreed on: who belongs to it, how many shards there are, and where each should live.
 * Owned by the system group, changed only through its committed entries, known everywhere by its version.
 * Maps are immutable values; an unchanged part keeps its identity from version to version.
 */
import type { Address } from "../base/address.ts";
import type { BootNonce, ClusterId, NodeId } from "../base/ids.ts";
import type { PlacementMember } from "../placement/placement-member.ts";

/** `dead`: declared by the system leader after gossip and a grace. `draining`: asked to leave. Both hold no new replica. */
export type MapMemberState = "alive" | "dead" | "draining";

/** Who a node is and where it listens: what it says of itself. */
export interface MemberIdentity {
  readonly nodeId: NodeId;
  readonly boot: BootNonce;
  /** The cluster address that others dial. */
  readonly address: Address;
  /** For people. */
  readonly name: string;
  /** Failure domain; empty = none. */
  readonly zone: string;
  /** Share of replicas relative to the others. */
  readonly weight: number;
  /** 0 = closed. */
  readonly respPort: number;
  readonly httpPort: number;
}

export interface MapMember extends MemberIdentity {
  readonly state: MapMemberState;
  /** The map version that first listed it. */
  readonly joinedAtVersion: number;
}

export interface ShardPlacement {
  /** The voters the shard's group began with. Never changes: a node founds its replica from it at most once. */
  readonly founding: readonly NodeId[];
  /** Where the replicas should be; the first is the preferred leader. */
  readonly wanted: readonly NodeId[];
}

export interface ClusterSettings {
  /** No replica is moved for the sake of balance; what died is still replaced. */
  readonly rebalancePaused: boolean;
}

export interface ClusterMap {
  /** 1, 2, 3, ...: every change has its own. */
  readonly version: number;
  /** The version that last changed where replicas should be. */
  readonly placementVersion: number;
  readonly clusterId: ClusterId;
  /** Fixed at founding. */
  readonly shardCount: number;
  /** Voters per shard once there are enough members. Fixed at founding. */
  readonly replicationFactor: number;
  /** Sorted by node id. */
  readonly members: readonly MapMember[];
  /** Ids that were members once, the newest last, bounded: so that one of them can be told so. */
  readonly removed: readonly NodeId[];
  /** Who should vote in the system group; the first is the preferred leader. */
  readonly systemVoters: readonly NodeId[];
  /** By shard id. */
  readonly shards: readonly ShardPlacement[];
  readonly settings: ClusterSettings;
}

/** Members by id, made when somebody is first looked up: of a thousand, each is asked for on every change of the map. */
const indexes = new WeakMap<readonly MapMember[], ReadonlyMap<NodeId, MapMember>>();

export function findMember({ members }: ClusterMap, node: NodeId): MapMember | null {
  let index = indexes.get(members);
  if (index === undefined) {
    index = new Map(members.map((member) => [member.nodeId, member]));
    indexes.set(members, index);
  }
  return index.get(node) ?? null;
}

/** Whether some shard or the system group should have a replica on `node`. */
export function isWantedAnywhere(map: ClusterMap, node: NodeId): boolean {
  return map.systemVoters.includes(node) || map.shards.some(({ wanted }) => wanted.includes(node));
}

/** The same nodes in the same order. */
export function sameNodes(left: readonly NodeId[], right: readonly NodeId[]): boolean {
  return left === right || (left.length === right.length && left.every((node, at) => node === right[at]));
}

/** Members as the planner takes them. */
export function placementMembers(members: readonly MapMember[]): PlacementMember[] {
  return members.map(({ nodeId, zone, weight, state }) => ({ id: nodeId, zone, weight, state }));
}
