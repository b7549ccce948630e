/**
 * May this node be stopped now, with nothing at risk? Asked before each step of a rolling restart.
 *
 * Safe means: every group is at full tolerance (all voters it should have, all alive, none lagging, no change under way),
 * and every group that this node votes in keeps a live majority without it. So at most one node is ever told to
 * go at a time, as long as it is asked again when the last one is back; and while it is away, nothing is lost that was
 * acknowledged.
 */
import { type GroupId, groupOfShard, type NodeId, SYSTEM_GROUP, shardId } from "../base/ids.ts";
import { type ClusterMap, findMember } from "./cluster-map.ts";
import type { GroupReport } from "./group-report.ts";
import { sameSet } from "./replica-lists.ts";

/** Why `node` must not be stopped now, for people; null when it may. `living`: who gossip says is alive. */
export function unsafeToStop(
  map: ClusterMap,
  reports: ReadonlyMap<GroupId, GroupReport>,
  living: ReadonlySet<NodeId>,
  node: NodeId,
): string | null {
  // A stranger holds nothing. Whether it once did, its former groups would not count on it any more.
  if (findMember(map, node) === null) return null;
  const members = map.members.filter(({ state }) => state !== "dead").length;
  if (members <= 2) {
    return members <= 1
      ? "it is the only node: without it nothing is served"
      : "of two nodes both are needed for a majority";
  }
  const problems: string[] = [];
  for (let shard = -1; shard < map.shardCount; shard++) {
    const group = shard < 0 ? SYSTEM_GROUP : groupOfShard(shardId(shard));
    const wanted = shard < 0 ? map.systemVoters : (map.shards[shard]?.wanted ?? []);
    const problem = problemOf(reports.get(group), wanted, living, node);
    if (problem !== null) problems.push(`${shard < 0 ? "the system group" : `shard ${shard}`} ${problem}`);
  }
  const [first] = problems;
  if (first === undefined) return null;
  return problems.length === 1 ? first : `${first} (and ${problems.length - 1} more groups are not safe)`;
}

function problemOf(
  report: GroupReport | undefined,
  wanted: readonly NodeId[],
  living: ReadonlySet<NodeId>,
  node: NodeId,
): string | null {
  if (report === undefined) return "has not been heard of";
  const { voters, votersOutgoing, lagging } = report;
  if (report.leader === null || !living.has(report.leader)) return "has no leader";
  if (votersOutgoing.length > 0) return "is changing its voters";
  const dead = voters.find((voter) => !living.has(voter));
  if (dead !== undefined) return `has a voter that is not alive: ${dead}`;
  const late = lagging.find((voter) => voters.includes(voter));
  if (late !== undefined) return `has a voter that lags behind: ${late}`;
  if (!sameSet(voters, wanted)) return "is still moving to its wanted replicas";
  if (!voters.includes(node)) return null;
  return (voters.length - 1) * 2 > voters.length
    ? null
    : `would have ${voters.length - 1} of ${voters.length} voters left`;
}
