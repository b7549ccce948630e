import { describe, expect, it } from "vitest";
import { groupId, type NodeId, SYSTEM_GROUP, shardId } from "../../src/base/ids.ts";
import type { ClusterMap } from "../../src/cluster/cluster-map.ts";
import { decodeFacts, encodeFacts, type RecoveryFacts } from "../../src/cluster/recovery-facts.ts";
import { planRecovery, removalOf } from "../../src/cluster/recovery-plan.ts";
import { WireError } from "../../src/wire/wire-error.ts";
import { idOf, mapOf } from "./example-map.ts";

/** Where a replica's log ends. */
type End = readonly [term: number, index: number];

/** What member `number` says: `ends` by group number; every replica believes in `voters`. */
function facts(
  ends: Readonly<Record<number, End>>,
  voters: readonly number[],
  more: { readonly leads?: readonly number[]; readonly hears?: readonly number[] } = {},
): RecoveryFacts {
  return {
    mapVersion: 1,
    hears: (more.hears ?? []).map(idOf),
    replicas: Object.entries(ends).map(([group, [lastTerm, lastIndex]]) => ({
      group: groupId(Number(group)),
      leads: more.leads?.includes(Number(group)) === true,
      lastIndex,
      lastTerm,
      voters: voters.map(idOf),
      votersOutgoing: [],
    })),
  };
}

function answersOf(
  ...told: readonly (readonly [number, RecoveryFacts])[]
): ReadonlyMap<NodeId, RecoveryFacts> {
  return new Map(told.map(([number, said]) => [idOf(number), said]));
}

/** Five members; one shard and the system group, both wanted on 1, 2 and 3. */
function mapOfFive(): ClusterMap {
  const map = mapOf(5, 1);
  const wanted = [1, 2, 3].map(idOf);
  return { ...map, systemVoters: wanted, shards: [{ founding: wanted, wanted }] };
}

describe("a plan of recovery", () => {
  const map = mapOfFive();

  it("chooses the replica whose last entry is of the latest term, and then the longest log", () => {
    const answers = answersOf(
      [3, facts({ 0: [3, 9], 1: [2, 90] }, [1, 2, 3])],
      [4, facts({ 0: [3, 8], 1: [3, 12] }, [1, 2, 3])],
      [5, facts({ 1: [3, 11] }, [1, 2, 3])],
    );
    const plan = planRecovery(map, answers);
    expect(plan.lost).toEqual([idOf(1), idOf(2)]);
    expect(plan.steps.map(({ group, node, lastIndex }) => [group, node, lastIndex])).toEqual([
      [SYSTEM_GROUP, idOf(3), 9],
      [1, idOf(4), 12],
    ]);
    expect(plan.steps[0]?.answering).toEqual([idOf(3)]);
  });

  it("leaves groups alone that are led, or have a majority that can elect", () => {
    const led = answersOf([3, facts({ 0: [1, 5], 1: [1, 5] }, [1, 2, 3], { leads: [0, 1] })]);
    expect(planRecovery(map, led).steps).toEqual([]);
    const electing = answersOf(
      [2, facts({ 0: [1, 5], 1: [1, 5] }, [1, 2, 3])],
      [3, facts({ 0: [1, 5], 1: [1, 5] }, [1, 2, 3])],
    );
    expect(planRecovery(map, electing)).toMatchObject({ lost: [idOf(1), idOf(4), idOf(5)], steps: [] });
  });

  it("needs a majority of both sets of a joint configuration", () => {
    const [replica] = facts({ 1: [1, 5] }, [3, 4, 5]).replicas;
    if (replica === undefined) throw new Error("there is one");
    const joint = { ...replica, votersOutgoing: [1, 2, 3].map(idOf) };
    const said: RecoveryFacts = { mapVersion: 1, hears: [], replicas: [joint] };
    const system = facts({ 0: [1, 5] }, [1, 2, 3], { leads: [0] });
    const answers = answersOf([3, { ...said, replicas: [joint, ...system.replicas] }], [4, said], [5, said]);
    const [step] = planRecovery(map, answers).steps;
    expect(step?.voters).toEqual([1, 2, 3, 4, 5].map(idOf));
  });

  it("begins a group anew, and says so, when no replica is left or none was ever filled", () => {
    const answers = answersOf([4, facts({}, [])], [5, facts({ 1: [0, 0] }, [])]);
    const plan = planRecovery(map, answers);
    expect(plan.steps.map(({ lastIndex }) => lastIndex)).toEqual([0, 0]);
    expect(new Set(plan.steps.map(({ node }) => node))).toEqual(new Set([idOf(4), idOf(5)]));
    const removal = removalOf(map, plan, answers);
    expect(removal.systemVoters).toEqual([plan.steps[0]?.node]);
    expect(removal.shards).toEqual([{ shard: shardId(0), wanted: [plan.steps[1]?.node] }]);
  });

  it("gives a shard whose wanted replicas are all lost to the voters that live", () => {
    const answers = answersOf(
      [4, facts({ 0: [1, 9], 1: [1, 9] }, [4, 5], { leads: [1] })],
      [5, facts({ 1: [1, 9] }, [4, 5])],
    );
    const plan = planRecovery(map, answers);
    const removal = removalOf(map, plan, answers);
    expect(removal.shards).toEqual([{ shard: shardId(0), wanted: [idOf(4), idOf(5)] }]);
  });

  it("waits while anybody hears of one that did not answer", () => {
    const answers = answersOf([3, facts({ 0: [1, 5] }, [1, 2, 3], { hears: [2, 3] })]);
    expect(planRecovery(map, answers).obstacle).toContain(`still hears of node ${idOf(2)}`);
  });
});

it("facts survive the way, and anything else is refused", () => {
  const said = facts({ 0: [3, 9], 7: [2, 90] }, [1, 2, 3], { leads: [7], hears: [1, 5] });
  expect(decodeFacts(encodeFacts(said))).toEqual(said);
  for (const bad of [
    null,
    [],
    [1, [], [[1, true, 1, 1, [], ["no id"]]]],
    [1, [], [[-1, true, 1, 1, [], []]]],
  ])
    expect(() => decodeFacts(bad)).toThrow(WireError);
});
