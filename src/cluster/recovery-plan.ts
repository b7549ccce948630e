/**
 * What `crema recover` would do: which groups have lost their majority, and which replica that is left would decide alone.
 * Pure, so that people can read it before anything is done.
 */
import { type GroupId, groupOfShard, type NodeId, SYSTEM_GROUP, shardId, shardOfGroup } from "../base/ids.ts";
import type { ClusterMap } from "./cluster-map.ts";
import type { RemoveLost, WantedReplicas } from "./map-command.ts";
import type { RecoveryFacts, ReplicaFacts } from "./recovery-facts.ts";

/** A group that has lost its majority, and what becomes of it. */
export interface RecoveryStep {
  readonly group: GroupId;
  /** Where its only voter will be. */
  readonly node: NodeId;
  /** How far the log of that replica reaches; 0: no replica is left, the group begins empty, and all it held is gone. */
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** Its voters so far, as that replica knows them. */
  readonly voters: readonly NodeId[];
  /** Those of them that answer. */
  readonly answering: readonly NodeId[];
}

export interface RecoveryPlan {
  /** Members that do not answer: they would be removed for good. Sorted. */
  readonly lost: readonly NodeId[];
  /** Why it must not be done now, for people; null when it may. */
  readonly obstacle: string | null;
  /** The system group first, then by shard. Empty: nothing needs to be forced. */
  readonly steps: readonly RecoveryStep[];
}

/** A replica and the node that holds it. */
interface HeldReplica extends ReplicaFacts {
  readonly node: NodeId;
}

/** `answers`: what each member that answers has told, the planner's own included. */
export function planRecovery(map: ClusterMap, answers: ReadonlyMap<NodeId, RecoveryFacts>): RecoveryPlan {
  const lost = map.members.map(({ nodeId }) => nodeId).filter((node) => !answers.has(node));
  const steps: RecoveryStep[] = [];
  for (const [group, replicas] of replicasByGroup(map, answers)) {
    const step = stepFor(group, replicas, wantedOf(map, group), answers);
    if (step !== null) steps.push(step);
  }
  return { lost, obstacle: obstacleTo(lost, answers), steps };
}

/** The change of the map that goes with `plan`. */
export function removalOf(
  map: ClusterMap,
  plan: RecoveryPlan,
  answers: ReadonlyMap<NodeId, RecoveryFacts>,
): RemoveLost {
  const shards: WantedReplicas[] = [];
  const steps = new Map(plan.steps.map((step) => [step.group, step]));
  for (const [shard, { wanted }] of map.shards.entries()) {
    if (wanted.some((node) => answers.has(node))) continue;
    const group = groupOfShard(shardId(shard));
    const step = steps.get(group);
    const left = step === undefined ? livingVoters(group, answers) : [step.node];
    shards.push({ shard: shardId(shard), wanted: left.slice(0, map.replicationFactor) });
  }
  const voters = map.systemVoters.filter((node) => answers.has(node));
  const system = steps.get(SYSTEM_GROUP);
  const systemVoters = system !== undefined ? [system.node] : voters;
  return { type: "remove-lost", lost: plan.lost, shards, systemVoters };
}

function replicasByGroup(
  map: ClusterMap,
  answers: ReadonlyMap<NodeId, RecoveryFacts>,
): ReadonlyMap<GroupId, HeldReplica[]> {
  const groups = new Map<GroupId, HeldReplica[]>([[SYSTEM_GROUP, []]]);
  for (let shard = 0; shard < map.shardCount; shard++) groups.set(groupOfShard(shardId(shard)), []);
  for (const [node, { replicas }] of answers)
    for (const replica of replicas) groups.get(replica.group)?.push({ ...replica, node });
  return groups;
}

function stepFor(
  group: GroupId,
  replicas: readonly HeldReplica[],
  wanted: readonly NodeId[],
  answers: ReadonlyMap<NodeId, RecoveryFacts>,
): RecoveryStep | null {
  if (replicas.some(({ leads }) => leads)) return null;
  const furthest = furthestOf(replicas);
  const voterSets =
    furthest === null ? [wanted] : [furthest.voters, furthest.votersOutgoing].filter((set) => set.length > 0);
  const canElect = voterSets.every((set) => set.filter((node) => answers.has(node)).length * 2 > set.length);
  if (canElect) return null;
  const voters = [...new Set(voterSets.flat())].sort();
  const answering = voters.filter((node) => answers.has(node));
  const node = furthest?.node ?? somebody(group, answers);
  const { lastIndex, lastTerm } = furthest ?? { lastIndex: 0, lastTerm: 0 };
  return { group, node, lastIndex, lastTerm, voters, answering };
}

/** The replica whose log reaches furthest, as voters compare; one that was never filled knows nothing. @see Raft §5.4.1 */
function furthestOf(replicas: readonly HeldReplica[]): HeldReplica | null {
  let furthest: HeldReplica | null = null;
  for (const replica of replicas) {
    if (replica.voters.length === 0) continue;
    if (furthest === null || isFurther(replica, furthest)) furthest = replica;
  }
  return furthest;
}

function isFurther(one: ReplicaFacts, other: ReplicaFacts): boolean {
  if (one.lastTerm !== other.lastTerm) return one.lastTerm > other.lastTerm;
  return one.lastIndex > other.lastIndex;
}

/** Who begins an empty group: they take turns, so that one node does not get them all. */
function somebody(group: GroupId, answers: ReadonlyMap<NodeId, RecoveryFacts>): NodeId {
  const nodes = [...answers.keys()].sort();
  return nodes[group % nodes.length] as NodeId;
}

function livingVoters(group: GroupId, answers: ReadonlyMap<NodeId, RecoveryFacts>): readonly NodeId[] {
  for (const { replicas } of answers.values()) {
    const led = replicas.find((replica) => replica.group === group && replica.leads);
    if (led !== undefined) return led.voters.filter((node) => answers.has(node));
  }
  return [];
}

/** Whoever is heard by anybody is not lost: it might decide with others what is forced here. */
function obstacleTo(lost: readonly NodeId[], answers: ReadonlyMap<NodeId, RecoveryFacts>): string | null {
  for (const [node, { hears }] of answers) {
    const heard = lost.find((each) => hears.includes(each));
    if (heard !== undefined)
      return `node ${node} still hears of node ${heard}, which did not answer: wait until gossip has given it up, or bring it back`;
  }
  return null;
}

function wantedOf(map: ClusterMap, group: GroupId): readonly NodeId[] {
  return group === SYSTEM_GROUP ? map.systemVoters : (map.shards[shardOfGroup(group)]?.wanted ?? []);
}
