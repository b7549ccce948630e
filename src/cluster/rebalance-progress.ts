/**
 * How far the replicas are from where they should be: which groups are at rest, which are on their way and in which step,
 * which wait and for what. Judged as the system group's leader judges it, so that any node that has heard from the
 * groups' leaders can answer.
 */
import { type GroupId, groupOfShard, type NodeId, type ShardId, SYSTEM_GROUP, shardId } from "../base/ids.ts";
import type { ClusterMap } from "./cluster-map.ts";
import type { ControlSituation } from "./controller.ts";
import { groupMovement } from "./group-movement.ts";
import type { GroupReport, LearnerProgress } from "./group-report.ts";
import { MemberFacts } from "./member-facts.ts";
import { intended, placementPlan } from "./placement-moves.ts";
import { sameSet } from "./replica-lists.ts";

/**
 * `moving`: on its way. `waiting`: as many shards move as may at once, or its nodes are busy with other copies. `paused`: only the balance asks for it, and
 * rebalancing is paused. `stuck`: a majority of its voters is gone, so nothing can be decided.
 */
export type MoveState = "moving" | "waiting" | "paused" | "stuck";

/**
 * What a moving group is about: `unheard`: its leader has not been heard of; `starting`: a wanted replica is not begun;
 * `catching-up`: learners copy; `joint`: a joint configuration is in force; `removing`: replicas that nobody wants go;
 * `leader-transfer`: all voters are in place, and the leadership goes to the preferred one.
 */
export type MovePhase = "unheard" | "starting" | "catching-up" | "joint" | "removing" | "leader-transfer";

/** A group that is not where it should be. */
export interface GroupMove {
  /** null: the system group. */
  readonly shard: ShardId | null;
  readonly state: MoveState;
  /** null unless it is moving. */
  readonly phase: MovePhase | null;
  readonly leader: NodeId | null;
  /** The voters it has; in a joint configuration those that go out. */
  readonly from: readonly NodeId[];
  /** The voters it should have, the preferred leader first. */
  readonly to: readonly NodeId[];
  readonly learning: readonly LearnerProgress[];
}

/** What one node carries, and what it will when everything is where the plan has it. */
export interface NodeShare {
  readonly nodeId: NodeId;
  readonly replicas: number;
  readonly replicasPlanned: number;
  readonly leaders: number;
  readonly leadersPlanned: number;
}

export interface RebalanceProgress {
  readonly paused: boolean;
  /** Shards by how they stand; together all there are. */
  readonly shards: Readonly<Record<MoveState | "settled", number>>;
  /** The system group first, then by shard. Empty when all is where it should be. */
  readonly moves: readonly GroupMove[];
  /** Every member, and whoever else votes. */
  readonly nodes: readonly NodeShare[];
  /** Replicas that the plan has where no voter is yet, over all shards. While paused: what resuming will move. */
  readonly replicasToMove: number;
  /** Shards that another node leads than the plan has it. */
  readonly leadersToMove: number;
}

export type RebalanceSituation = Pick<ControlSituation, "map" | "gossip" | "reports">;

export function rebalanceProgress(situation: RebalanceSituation): RebalanceProgress {
  const { map, reports } = situation;
  const plan = placementPlan(map);
  const facts = new MemberFacts(situation);
  const counts = { settled: 0, moving: 0, waiting: 0, paused: 0, stuck: 0 };
  const moves: GroupMove[] = [];
  const system = moveOf(null, reports.get(SYSTEM_GROUP), map.systemVoters, plan.systemVoters, map, facts);
  if (system !== null) moves.push(system);
  for (const [shard, { wanted }] of map.shards.entries()) {
    const report = reports.get(groupOfShard(shardId(shard)));
    const move = moveOf(shardId(shard), report, wanted, plan.shards[shard] ?? [], map, facts);
    counts[move?.state ?? "settled"]++;
    if (move !== null) moves.push(move);
  }
  return {
    paused: map.settings.rebalancePaused,
    shards: counts,
    moves,
    ...sharesOf(map, reports, plan.shards),
  };
}

function moveOf(
  shard: ShardId | null,
  report: GroupReport | undefined,
  wanted: readonly NodeId[],
  plan: readonly NodeId[],
  map: ClusterMap,
  facts: MemberFacts,
): GroupMove | null {
  // While nobody is alive there is no plan.
  const planned = plan.length === 0 ? wanted : plan;
  const leader = report?.leader ?? null;
  const outgoing = report?.votersOutgoing ?? [];
  const from = outgoing.length > 0 ? outgoing : (report?.voters ?? []);
  const told = { shard, leader, from, learning: report?.learning ?? [] };
  const movement = groupMovement(report, wanted, facts);
  if (movement === "stuck") return { ...told, state: "stuck", phase: null, to: wanted };
  if (movement === "moving")
    return { ...told, state: "moving", phase: phaseOf(report, wanted, facts), to: wanted };
  if (!sameSet(wanted, planned)) {
    const state = sameSet(wanted, intended(wanted, planned, map, facts)) ? "paused" : "waiting";
    return { ...told, state, phase: null, to: planned };
  }
  const [preferred] = wanted;
  if (preferred === undefined || leader === preferred || !facts.isLive(preferred)) return null;
  return { ...told, state: "moving", phase: "leader-transfer", to: wanted };
}

function phaseOf(report: GroupReport | undefined, wanted: readonly NodeId[], facts: MemberFacts): MovePhase {
  if (report === undefined) return "unheard";
  const { voters, votersOutgoing, learners } = report;
  if (votersOutgoing.length > 0) return "joint";
  const joining = wanted.filter((node) => !voters.includes(node) && !facts.isDead(node));
  if (joining.length === 0) return "removing";
  return joining.every((node) => learners.includes(node)) ? "catching-up" : "starting";
}

function sharesOf(
  map: ClusterMap,
  reports: ReadonlyMap<GroupId, GroupReport>,
  plan: readonly (readonly NodeId[])[],
): Pick<RebalanceProgress, "nodes" | "replicasToMove" | "leadersToMove"> {
  const shares = new Map<NodeId, { -readonly [Part in keyof NodeShare]: NodeShare[Part] }>();
  const shareOf = (nodeId: NodeId) => {
    let share = shares.get(nodeId);
    if (share === undefined) {
      share = { nodeId, replicas: 0, replicasPlanned: 0, leaders: 0, leadersPlanned: 0 };
      shares.set(nodeId, share);
    }
    return share;
  };
  for (const { nodeId } of map.members) shareOf(nodeId);
  let replicasToMove = 0;
  let leadersToMove = 0;
  for (const [shard, { wanted }] of map.shards.entries()) {
    const report = reports.get(groupOfShard(shardId(shard)));
    const voters = report?.voters ?? [];
    const row = plan[shard] ?? [];
    const planned = row.length === 0 ? wanted : row;
    for (const node of voters) shareOf(node).replicas++;
    for (const node of planned) shareOf(node).replicasPlanned++;
    if (report?.leader != null) shareOf(report.leader).leaders++;
    const [leaderPlanned] = planned;
    if (leaderPlanned !== undefined) shareOf(leaderPlanned).leadersPlanned++;
    replicasToMove += planned.filter((node) => !voters.includes(node)).length;
    if (report?.leader !== leaderPlanned) leadersToMove++;
  }
  return { nodes: [...shares.values()], replicasToMove, leadersToMove };
}
