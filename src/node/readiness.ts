/**
 * Whether a node can serve, and why not, in words for people.
 */
import { groupId } from "../base/ids.ts";
import type { ClusterNode } from "./cluster-node.ts";
import { quorumLoss } from "./group-quorum.ts";

/** null when `node` is a member of its cluster and knows a leader of every shard. */
export function notReadyReason(node: ClusterNode): string | null {
  if (node.closed) return "the node is closed";
  if (node.leaving) return "the node is leaving";
  if (node.removed) return "the cluster has removed this node: restart it to join again under a new id";
  if (node.storeFailure !== null)
    return `the store takes no more (${node.storeFailure.message}): restart the node when it can write again`;
  const { diskFull } = node.standing;
  if (diskFull !== null) return `${diskFull}: read-only until there is space`;
  const { map } = node.control;
  if (map === null) return node.waitingFor;
  if (!node.control.isListed) return "the cluster does not list this node as a member yet";
  const failed = [...node.groups.failedGroups];
  if (failed.length > 0) return `groups ${failed.join(", ")} stopped on a broken invariant`;
  let without = 0;
  let lost = 0;
  for (let shard = 0; shard < map.shardCount; shard++) {
    const group = groupId(shard + 1);
    if (node.leaderOf(group) !== null) continue;
    without++;
    if (quorumLoss(node, group) !== null) lost++;
  }
  if (without === 0) return null;
  const reason = `no leader known for ${without} of ${map.shardCount} shards`;
  return lost === 0 ? reason : `${reason}; of ${lost} a majority of the voters does not answer`;
}
