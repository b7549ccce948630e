/**
 * Some machines are cut off from the others, for less or more than the grace after which they are given up.
 *
 * A leader on the side without a majority steps down within 2 s, asleep or not; until the cut heals nothing linearizable succeeds there. It raises no term while it is alone (pre-vote), so
 * nobody is deposed by the healing: every term since has been asked for by a leader that handed over, or belongs to a group
 * whose leader gossip has accused since. That happens: a machine that was cut off doubts itself, and takes up to 8 s for a
 * probe and more for a suspicion, and what began before the healing may end after it.
 */
import { CremaError } from "../../base/errors.ts";
import { type GroupId, type NodeId, SYSTEM_GROUP } from "../../base/ids.ts";
import type { FleetLife } from "../fleet.ts";
import { newLeaders } from "./new-leaders.ts";
import type { Scenario } from "./scenario.ts";
import type { ScenarioWorld } from "./scenario-world.ts";

const STEP_DOWN_LIMIT_MS = 2_000;
const LEADERS_LIMIT_MS = 3_000;
const SHORTEST_MS = 5_000;
const LONGEST_MS = 40_000;
const ASK_TIMEOUT_MS = 2_000;
const CALM_MS = 5_000;
const WHOLE_LIMIT_MS = 60_000;

export const minorityPartition: Scenario = {
  name: "minority-partition",
  meaning:
    "a few machines are cut off: their leaders step down, nothing is served there, and healing deposes nobody",
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
    const termsBefore = world.view.terms();
    const steppedMs = await stepDown(world, deposed, STEP_DOWN_LIMIT_MS, false);
    if (deposed.length > 0) world.measure("stepped down (ms)", steppedMs);
    await stepDown(world, deposed, STEP_DOWN_LIMIT_MS - steppedMs, true);
    if (deposed.length > 0) world.measure("stepped down, idle groups included (ms)", world.nowMs - cutAtMs);
    const there = sides.filter(({ isHere }) => !isHere).map(({ group }) => group);
    await newLeaders(world, "the majority has a leader", {
      groups: there,
      terms: termsBefore,
      limitMs: cutAtMs + LEADERS_LIMIT_MS - world.nowMs,
      among: majority,
    });
    world.measure("the majority has leaders (ms)", world.nowMs - cutAtMs);
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
    const leaders = new Map(
      world.view.groups.map((group) => [group, world.view.leaderOf(group, majority)?.node.nodeId]),
    );
    fleet.network.heal();
    world.say("healed");
    await world.pass(CALM_MS);
    nobodyDeposed(world, healedAtMs, terms, leaders);
    world.measure(
      "whole, after the healing (ms)",
      CALM_MS + (await world.whole("a healed fleet is whole", WHOLE_LIMIT_MS)),
    );
    nobodyDeposed(world, healedAtMs, terms, leaders);
  },
};

/** Whoever lost a group since then had been accused. */
function nobodyDeposed(
  world: ScenarioWorld,
  sinceMs: number,
  terms: ReadonlyMap<GroupId, number>,
  leaders: ReadonlyMap<GroupId, NodeId | undefined>,
): void {
  const elections = world.electionsSince(sinceMs, terms);
  const suspected = world.heard.since(sinceMs, "member-suspected").map(({ event }) => event.nodeId);
  const accused = new Set<NodeId | null | undefined>([...suspected, ...world.heard.diedSince(sinceMs)]);
  for (const group of elections.keys()) {
    const changes = world.heard.since(sinceMs, "leader-changed").map(({ event }) => event);
    const led = changes.filter((event) => event.group === group).map(({ leader }) => leader);
    world.demand(
      accused.has(leaders.get(group)) || led.some((leader) => accused.has(leader)),
      "healing deposes nobody who was not accused",
      () => `group ${group}`,
    );
  }
  world.measure("groups that elected after the healing, their leader accused", elections.size);
}

/** `idle`: whether those that sleep are waited for, too. */
async function stepDown(
  world: ScenarioWorld,
  deposed: readonly { readonly group: GroupId; readonly leader: FleetLife }[],
  limitMs: number,
  idle: boolean,
): Promise<number> {
  return world.until("a leader without a majority steps down", limitMs, () => {
    const still = deposed.find(({ group, leader }) => {
      const raft = world.view.replica(leader, group)?.raft;
      return raft?.role === "leader" && (idle || !raft.status().quiesced);
    });
    return still === undefined ? null : `${still.leader.name} still leads group ${still.group}`;
  });
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
