/**
 * Whether a node can serve, and why not, in words for people.
 */
import { groupId } from "../base/ids.ts";
import type { ClusterNode } from "./cluster-node.ts";
import { quorumLoss } from "./group-quorum.ts";

/** Shards that a ready node looks at each time: all of a cluster of the default size, a part of a larger one. */
const SHARDS_AT_ONCE = 64;

/** null when `node` is a member of its cluster and knows a leader of every shard. */
export function notReadyReason(node: ClusterNode): string | null {
  const { map } = node.control;
  return map === null ? reasonOfNode(node) : (reasonOfNode(node) ?? reasonOfShards(node, map.shardCount));
}

/** Notices that a node has become ready, or is not any more. It is asked ten times a second on every node, and looks no further than it must. */
export class ReadinessWatch {
  readonly #node: ClusterNode;
  #wasReady = false;
  #nextShard = 0;

  constructor(node: ClusterNode) {
    this.#node = node;
  }

  /** Whether the node is ready, if that has changed since it was last asked; else null. A thousand shards take it 1.6 s. */
  change(): boolean | null {
    const ready = reasonOfNode(this.#node) === null && this.#hasLeaders();
    if (ready === this.#wasReady) return null;
    this.#wasReady = ready;
    return ready;
  }

  /** Of every shard, to become ready; of the next few, to stay so. */
  #hasLeaders(): boolean {
    const shardCount = this.#node.control.map?.shardCount ?? 0;
    const count = this.#wasReady ? Math.min(SHARDS_AT_ONCE, shardCount) : shardCount;
    for (let rest = count; rest > 0; rest--) {
      // Where one is missing it is looked at first the next time.
      if (this.#nextShard >= shardCount) this.#nextShard = 0;
      if (this.#node.leaderOf(groupId(this.#nextShard + 1)) === null) return false;
      this.#nextShard++;
    }
    return true;
  }
}

function reasonOfNode(node: ClusterNode): string | null {
  if (node.closed) return "the node is closed";
  if (node.leaving) return "the node is leaving";
  if (node.removed) return "the cluster has removed this node: restart it to join again under a new id";
  if (node.storeFailure !== null)
    return `the store takes no more (${node.storeFailure.message}): restart the node when it can write again`;
  const { diskFull } = node.standing;
  if (diskFull !== null) return `${diskFull}: read-only until there is space`;
  if (node.control.map === null) return node.waitingFor;
  if (!node.control.isListed) return "the cluster does not list this node as a member yet";
  const failed = [...node.groups.failedGroups];
  if (failed.length > 0) return `groups ${failed.join(", ")} stopped on a broken invariant`;
  return null;
}

function reasonOfShards(node: ClusterNode, shardCount: number): string | null {
  let without = 0;
  let lost = 0;
  for (let shard = 0; shard < shardCount; shard++) {
    const group = groupId(shard + 1);
    if (node.leaderOf(group) !== null) continue;
    without++;
    if (quorumLoss(node, group) !== null) lost++;
  }
  if (without === 0) return null;
  const reason = `no leader known for ${without} of ${shardCount} shards`;
  return lost === 0 ? reason : `${reason}; of ${lost} a majority of the voters does not answer`;
}
