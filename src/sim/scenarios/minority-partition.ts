/**
 * Some machines are cut off from the others, for less or more than the grace after which they are given up.
 *
 * A leader on the side without a majority steps down within an election timeout (at most 2 s of ticks, one of which it may
 * have begun); until the cut heals nothing linearizable succeeds there. It learns no term while it is alone (pre-vote), so
 * healing costs nobody an election: every term since has been asked for by a leader that handed over.
 */
import { CremaError } from "../../base/errors.ts";
import { type GroupId, SYSTEM_GROUP } from "../../base/ids.ts";
import type { FleetLife } from "../fleet.ts";
import type { Scenario } from "./scenario.ts";
import type { ScenarioWorld } from "./scenario-world.ts";

const STEP_DOWN_LIMIT_MS = 2_500;
const LEADERS_LIMIT_MS = 10_000;
const SHORTEST_MS = 5_000;
const LONGEST_MS = 40_000;
const ASK_TIMEOUT_MS = 2_000;
const CALM_MS = 5_000;
const WHOLE_LIMIT_MS = 60_000;

export const minorityPartition: Scenario = {
  name: "minority-partition",
  meaning:
    "a few machines are cut off: their leaders step down, nothing is served there, and healing costs no election",
  storage: "either",
  async run(world) {
    const { fleet, workload, random } = world;
    await world.found(5);
    workload.start();
    await world.pass(1_000 + world.drawMs(3_000));
    const lives = random.shuffle([...fleet.lives]);
    const minority = lives.slice(0, random.nextBetween(1, 2));
    const majority = lives.slice(minority.length);
    const sides = world.view.groups.map((group) => sideOf(world, group, minority));
    const deposed = sides.flatMap(({ group, isHere, leader }) => {
      return !isHere && leader !== null && minority.includes(leader) ? [{ group, leader }] : [];
    });
    for (const one of minority)
      for (const other of majority) fleet.network.partition(one.address, other.address);
    world.say(`${minority.map(({ name }) => name).join(", ")} cut off`);
    const cutAtMs = world.nowMs;
    const steppedMs = await world.until("a leader without a majority steps down", STEP_DOWN_LIMIT_MS, () => {
      const still = deposed.find(({ group, leader }) => world.view.replica(leader, group)?.isLeader === true);
      return still === undefined ? null : `${still.leader.name} still leads group ${still.group}`;
    });
    if (deposed.length > 0) world.measure("stepped down (ms)", steppedMs);
    const there = sides.filter(({ isHere }) => !isHere).map(({ group }) => group);
    const electedMs = await world.until("the majority has a leader", LEADERS_LIMIT_MS, () =>
      world.view.leaderless(there, majority),
    );
    world.measure("the majority has leaders, after the step down (ms)", electedMs);
    await nothingServed(world, minority, there);
    await world.pass(Math.max(0, cutAtMs + SHORTEST_MS + world.drawMs(LONGEST_MS) - world.nowMs));
    const terms = world.view.terms();
    const majorityTerms = new Map(there.map((group) => [group, termAmong(world, group, majority)]));
    for (const group of there) {
      const [everywhere, beyond] = [terms.get(group) ?? 0, majorityTerms.get(group) ?? 0];
      world.demand(everywhere <= beyond, "who is cut off raises no term", () => {
        return `group ${group}: term ${everywhere}, ${beyond} where the majority is`;
      });
    }
    const healedAtMs = world.nowMs;
    fleet.network.heal();
    world.say("healed");
    await world.pass(CALM_MS);
    noElection(world, healedAtMs, terms);
    world.measure(
      "whole, after the healing (ms)",
      CALM_MS + (await world.whole("a healed fleet is whole", WHOLE_LIMIT_MS)),
    );
    noElection(world, healedAtMs, terms);
  },
};

function noElection(world: ScenarioWorld, sinceMs: number, terms: ReadonlyMap<GroupId, number>): void {
  const elections = world.electionsSince(sinceMs, terms);
  world.demand(elections.size === 0, "healing costs no election", () =>
    [...elections].map(([group, count]) => `group ${group}: ${count}`).join(", "),
  );
}

/** Where the majority of the voters of `group` is: `isHere`, on the side of `minority`, or beyond. */
function sideOf(world: ScenarioWorld, group: GroupId, minority: readonly FleetLife[]) {
  const voters = world.view.votersOf(group);
  const here = voters.filter((voter) => minority.some(({ node }) => node.nodeId === voter)).length;
  return { group, isHere: here * 2 > voters.length, leader: world.view.leaderOf(group) };
}

function termAmong(world: ScenarioWorld, group: GroupId, lives: readonly FleetLife[]): number {
  return Math.max(0, ...lives.map((life) => world.view.replica(life, group)?.raft.term ?? 0));
}

/** A linearizable read of every shard whose majority is elsewhere, through every node of the minority. */
async function nothingServed(
  world: ScenarioWorld,
  minority: readonly FleetLife[],
  groups: readonly GroupId[],
): Promise<void> {
  const asked = minority.flatMap(({ name, node }) =>
    groups
      .filter((group) => group !== SYSTEM_GROUP)
      .map(async (group) => {
        try {
          await node.cache.consistentGet(world.view.keyOf(group), { timeoutMs: ASK_TIMEOUT_MS });
        } catch (error) {
          if (error instanceof CremaError) return;
          throw error;
        }
        world.judge.fail(
          "scenario",
          "who is cut off answers no linearizable read",
          `group ${group} at ${name}`,
          [name],
        );
      }),
  );
  await world.settled(Promise.all(asked), "a read at a node that is cut off ends", ASK_TIMEOUT_MS + 500);
}
