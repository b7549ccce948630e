/** Members and maps for the tests of this room. */
import { bootNonce, clusterId, type NodeId, nodeId } from "../../src/base/ids.ts";
import type { ClusterMap, MemberIdentity } from "../../src/cluster/cluster-map.ts";
import { foundingMap } from "../../src/cluster/founding-map.ts";

export const CLUSTER = clusterId("c1c1c1c1c1c1c1c1");

/** The node id of member number `number`. */
export function idOf(number: number): NodeId {
  return nodeId(number.toString(16).padStart(16, "0"));
}

/** Member number `number`, at an address of its own. */
export function identityOf(number: number, changes: Partial<MemberIdentity> = {}): MemberIdentity {
  return {
    nodeId: idOf(number),
    boot: bootNonce(`b${number.toString(16).padStart(15, "0")}`),
    address: { host: `10.0.${number >> 8}.${number & 255}`, port: 7946 },
    name: `node-${number}`,
    zone: "",
    weight: 1,
    respPort: 6380,
    httpPort: 7980,
    ...changes,
  };
}

/** The map of a cluster founded by members 1 .. `founders`. */
export function mapOf(founders: number, shardCount = 4, replicationFactor = 3): ClusterMap {
  const identities = Array.from({ length: founders }, (_, at) => identityOf(at + 1));
  return foundingMap({ clusterId: CLUSTER, founders: identities, shardCount, replicationFactor });
}
