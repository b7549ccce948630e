/**
 * Which nodes should hold each shard. A pure function of the members and of the plan in force, run by the system
 * leader; what it answers is a wish that the shards' own leaders then fulfil by safe membership changes.
 *
 * In this order: replicas on distinct nodes; as many zones as possible; even loads by weight; as few moves as possible.
 */
import { type NodeId, SHARDS_MAX } from "../base/ids.ts";
import { REPLICATION_FACTOR_MAX } from "../base/limits.ts";
import { evenOut } from "./load-balance.ts";
import { eligibleMembers, type PlacementMember, sortedMembers } from "./placement-member.ts";
import { preferredLeaders } from "./preferred-leaders.ts";
import { quotasOf } from "./quotas.ts";
import { nodeSeed, rendezvousScore } from "./rendezvous.ts";
import { ReplicaTable } from "./replica-table.ts";
import { Replicas } from "./replicas.ts";
import { withUnavailable } from "./unavailable-replicas.ts";
import { smallestZoneMax, zoneNumbers } from "./zones.ts";

export interface PlanInput {
  /** 1 .. 4,096. */
  readonly shards: number;
  /** 1 .. 7. */
  readonly replicationFactor: number;
  /** In any order; it does not matter which. */
  readonly members: readonly PlacementMember[];
  /** The plan in force: nodes per shard, preferred leader first. May be shorter than `shards`. */
  readonly current: readonly (readonly NodeId[])[];
}

/** Nodes per shard, the preferred leader first. */
export type ReplicaPlan = NodeId[][];

/**
 * Plans the replicas of every shard.
 *
 * - Each shard gets min(replication factor, nodes alive) replicas on live nodes, spread over zones as evenly as can be.
 * - Loads of nodes, and numbers of preferred leaders, differ from the share of their weight by less than one, unless
 *   zones stand against it.
 * - While live nodes are too few for the factor, dead replicas keep their places: a quorum is never shrunk by failures.
 *   Draining ones go at once, unless the shard would lose its live majority.
 * - What can stay stays. The plan of a plan is itself.
 */
export function planReplicas(input: PlanInput): ReplicaPlan {
  const { shards, replicationFactor, current } = input;
  assertRange("shards", shards, SHARDS_MAX);
  assertRange("replicationFactor", replicationFactor, REPLICATION_FACTOR_MAX);
  const members = sortedMembers(input.members);
  const eligible = eligibleMembers(members);
  if (eligible[0] === undefined) return Array.from({ length: shards }, () => []);
  if (eligible[0].state !== "alive") return standStill(input, members, eligible);

  const target = Math.min(replicationFactor, eligible.length);
  const indexOf = new Map(eligible.map(({ id }, node) => [id, node]));
  const zoneOf = zoneNumbers(eligible);
  const zoneMax = smallestZoneMax(zoneOf, target);
  const table = new ReplicaTable(shards, zoneOf, zoneMax);
  const previous: (number | undefined)[] = [];
  for (let shard = 0; shard < shards; shard++) {
    const nodes = [...new Set(current[shard])].map((id) => indexOf.get(id));
    for (const node of nodes) if (node !== undefined) table.adopt(shard, node);
    previous.push(nodes[0]);
  }

  const weights = eligible.map(({ weight }) => weight);
  const vessels = weights.map((weight, node) => ({ zone: zoneOf[node] ?? 0, weight, cap: shards }));
  const quotas = quotasOf(shards * target, vessels, shards * zoneMax);
  const replicas = new Replicas(table, eligible);
  replicas.trim(target, quotas);
  replicas.fill(target, quotas);
  evenOut(replicas, quotas);

  return preferredLeaders(table, weights, previous).map((leader, shard) => {
    const live = [leader, ...table.nodesOf(shard).filter((node) => node !== leader)];
    const ids = live.flatMap((node) => eligible[node]?.id ?? []);
    return withUnavailable(ids, current[shard] ?? [], members, replicationFactor);
  });
}

/** Nobody is alive: nothing moves, and shards that are nowhere yet go to whom there is. */
function standStill(
  { shards, replicationFactor, current }: PlanInput,
  members: readonly PlacementMember[],
  eligible: readonly PlacementMember[],
): ReplicaPlan {
  const states = new Map(members.map(({ id, state }) => [id, state]));
  const seeds = eligible.map(({ id }) => ({ id, seed: nodeSeed(id) }));
  return Array.from({ length: shards }, (_, shard) => {
    const known = [...new Set(current[shard])].filter((id) => states.has(id));
    if (known.length > 0) {
      // A draining node can still lead, a dead one cannot.
      const leader = known.find((id) => states.get(id) !== "dead") ?? known[0];
      return leader === undefined ? known : [leader, ...known.filter((id) => id !== leader)];
    }
    const scored = seeds.map(({ id, seed }) => ({ id, score: rendezvousScore(seed, shard, 1) }));
    scored.sort((left, right) => right.score - left.score || (left.id < right.id ? -1 : 1));
    return scored.slice(0, replicationFactor).map(({ id }) => id);
  });
}

function assertRange(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new RangeError(`${name} must be an integer in 1 .. ${max}, got ${value}`);
  }
}
