/**
 * When a cluster of ours is at rest: what is measured before measures the start as well.
 */
import type { ClusterStatus } from "../../../src/index.ts";

/** What is missing until every shard has its voters and a leader, and leaders are spread evenly; null when nothing is. */
export function missingToSettle(status: ClusterStatus, nodes: number): string | null {
  const alive = status.members.filter((member) => member.state === "alive").length;
  if (alive !== nodes) return `${alive} of ${nodes} members are alive`;
  if (status.shards.length !== status.shardCount) return `${status.shards.length} shards are known`;
  const copies = Math.min(status.replicationFactor, nodes);
  const led = new Map<string, number>(status.members.map(({ nodeId }) => [nodeId, 0]));
  for (const { shard, leader, voters, learners, joint } of status.shards) {
    if (leader === null || voters.length !== copies || learners.length !== 0 || joint)
      return `shard ${shard}: leader ${leader}, voters ${voters}, learners ${learners}, joint ${joint}`;
    led.set(leader, (led.get(leader) ?? 0) + 1);
  }
  const counts = [...led.values()];
  if (Math.max(...counts) - Math.min(...counts) > 1) return `shards led: ${counts.join(", ")}`;
  return null;
}
