/**
 * From the placement in force to the planned one, a bounded number of shards at a time. The plan says where everything
 * should end up; here it is decided which part of it is wanted now: what died first, what only improves the balance last.
 */
import { unreachable } from "../base/assert.ts";
import { groupOfShard, type NodeId, SYSTEM_GROUP, shardId } from "../base/ids.ts";
import { planReplicas, type ReplicaPlan } from "../placement/plan.ts";
import { planSystemVoters } from "../placement/system-voters.ts";
import { type ClusterMap, placementMembers } from "./cluster-map.ts";
import type { ControlSituation } from "./controller.ts";
import { CopyRoom } from "./copy-room.ts";
import { type GroupMovement, groupMovement } from "./group-movement.ts";
import type { GroupReport } from "./group-report.ts";
import type { SetPlacement, WantedReplicas } from "./map-command.ts";
import { MemberFacts } from "./member-facts.ts";
import { repairOnly, sameSet, withLeader } from "./replica-lists.ts";

/** Where everything should end up. */
export interface PlacementPlan {
  readonly shards: ReplicaPlan;
  readonly systemVoters: readonly NodeId[];
}

/** A group's change of replicas: `free` when it takes up no more room than the group takes already. */
interface Change {
  readonly wanted: readonly NodeId[];
  readonly free: boolean;
}

/** A change of one shard that waits for room. */
interface Move {
  readonly shard: number;
  readonly report: GroupReport | undefined;
  readonly current: readonly NodeId[];
  readonly wanted: readonly NodeId[];
  readonly urgency: number;
}

/** The dead are replaced before missing replicas are added, then the draining go, then comes balance. */
const URGENCY = { dead: 3, lacking: 2, draining: 1, balance: 0 };

/** A plan depends on its map alone, and is asked for many times. */
const plans = new WeakMap<ClusterMap, PlacementPlan>();

/** The next change of the placement; null when there is none, or no room for it yet. */
export function planPlacement(situation: ControlSituation, movesMax: number): SetPlacement | null {
  const { map, reports } = situation;
  const plan = placementPlan(map);
  const facts = new MemberFacts(situation);
  const shards: WantedReplicas[] = [];
  const moves: Move[] = [];
  const copies = new CopyRoom();
  let moving = 0;
  for (const [shard, { wanted: current }] of map.shards.entries()) {
    const report = reports.get(groupOfShard(shardId(shard)));
    const movement = groupMovement(report, current, facts);
    if (movement === "moving") {
      moving++;
      copies.take(report, current);
    }
    const planned = intended(current, plan.shards[shard] ?? current, map, facts);
    const change = changeOf(current, planned, movement, facts);
    if (change !== null && !change.free) {
      moves.push({ shard, report, current, wanted: planned, urgency: urgencyOf(current, planned, facts) });
      continue;
    }
    const wanted = change?.wanted ?? withLiveLeader(current, planned, facts);
    if (wanted !== null) shards.push({ shard: shardId(shard), wanted });
  }
  // Sorting is stable: of equal urgency the lowest shard goes first.
  moves.sort((left, right) => right.urgency - left.urgency);
  for (const { shard, report, current, wanted: planned, urgency } of moves) {
    const begins = moving < movesMax && (urgency >= URGENCY.lacking || copies.has(report, planned));
    if (begins) {
      moving++;
      copies.take(report, planned);
    }
    const wanted = begins ? planned : withLiveLeader(current, planned, facts);
    if (wanted !== null) shards.push({ shard: shardId(shard), wanted });
  }
  const systemVoters = nextSystemVoters(situation, plan.systemVoters, facts);
  if (shards.length === 0 && systemVoters === null) return null;
  return { type: "set-placement", shards, systemVoters };
}

/** The plan for the members of `map`, whether or not rebalancing is paused. */
export function placementPlan(map: ClusterMap): PlacementPlan {
  let plan = plans.get(map);
  if (plan === undefined) {
    const members = placementMembers(map.members);
    plan = {
      shards: planReplicas({
        shards: map.shardCount,
        replicationFactor: map.replicationFactor,
        members,
        current: map.shards.map(({ wanted }) => wanted),
      }),
      systemVoters: planSystemVoters(members, map.systemVoters),
    };
    plans.set(map, plan);
  }
  return plan;
}

function nextSystemVoters(
  { map, reports }: ControlSituation,
  planned: readonly NodeId[],
  facts: MemberFacts,
): readonly NodeId[] | null {
  const current = map.systemVoters;
  const movement = groupMovement(reports.get(SYSTEM_GROUP), current, facts);
  const target = intended(current, planned, map, facts);
  return changeOf(current, target, movement, facts)?.wanted ?? withLiveLeader(current, target, facts);
}

/** What is planned, or as much of it as may be done while rebalancing is paused. */
export function intended(
  current: readonly NodeId[],
  planned: readonly NodeId[],
  { settings }: ClusterMap,
  facts: MemberFacts,
): readonly NodeId[] {
  return settings.rebalancePaused ? repairOnly(current, planned, facts) : planned;
}

/**
 * The step from `current` to `planned` that may be taken as the group stands; null for none.
 * A group on its way finishes first, for what it has copied would be wasted: unless its goal is out of reach, or the
 * new one only adds to it.
 */
function changeOf(
  current: readonly NodeId[],
  planned: readonly NodeId[],
  movement: GroupMovement,
  facts: MemberFacts,
): Change | null {
  if (planned.length === 0) return null;
  if (sameSet(current, planned)) {
    return current[0] === planned[0] ? null : { wanted: planned, free: true };
  }
  switch (movement) {
    case "settled":
      return { wanted: planned, free: false };
    case "moving": {
      const outOfReach = current.some((node) => !facts.isAlive(node) && !planned.includes(node));
      const adds = current.every((node) => planned.includes(node));
      return outOfReach || adds ? { wanted: planned, free: true } : null;
    }
    case "stuck":
      return null;
    default:
      return unreachable(movement);
  }
}

/** The replicas stay for now, but a node that is dead or draining is not preferred to lead. null when all is well. */
function withLiveLeader(
  current: readonly NodeId[],
  planned: readonly NodeId[],
  facts: MemberFacts,
): readonly NodeId[] | null {
  const [leader] = current;
  if (leader === undefined || facts.isAlive(leader)) return null;
  const fit = (node: NodeId) => current.includes(node) && facts.isAlive(node);
  const successor = planned.find(fit) ?? current.find(fit);
  return successor === undefined ? null : withLeader(current, successor);
}

function urgencyOf(current: readonly NodeId[], planned: readonly NodeId[], facts: MemberFacts): number {
  if (current.some((node) => facts.isDead(node))) return URGENCY.dead;
  if (current.length < planned.length) return URGENCY.lacking;
  return current.some((node) => facts.isDraining(node)) ? URGENCY.draining : URGENCY.balance;
}
