/**
 * A machine dies for good, and a new one, which nobody knows, takes its place.
 *
 * Its shards get another leader within an election timeout (1 .. 2 s) and a round of votes or two; a group that nobody uses
 * sleeps, and is woken by who listens for the machine itself. Their factor is back when the death has been believed (suspicion), the grace (10 s) is over, and the new
 * replica has copied the log: 30 s in all. Voters are exchanged, never removed first: no configuration has fewer than the
 * factor.
 */
import { SYSTEM_GROUP } from "../../base/ids.ts";
import { newLeaders } from "./new-leaders.ts";
import type { Scenario } from "./scenario.ts";
import type { ScenarioWorld } from "./scenario-world.ts";

const LEADERS_LIMIT_MS = 3_000;
const IN_FLIGHT_MS = 100;
const FACTOR_LIMIT_MS = 30_000;
const VOTERS = 3;
/** With four, the newcomer makes the system group one of five voters for as long as the death is not believed. */
const FLEETS = [3, 4, 5, 6] as const;

export const voterDies: Scenario = {
  name: "voter-dies",
  meaning:
    "a machine dies and a new one comes: other leaders at once, the factor back by one exchange of voters",
  storage: "either",
  async run(world) {
    const { fleet, workload } = world;
    await world.found(world.pick(FLEETS));
    workload.start();
    await world.pass(1_000 + world.drawMs(5_000));
    const victim = world.pick(fleet.lives);
    const victimId = victim.node.nodeId;
    const led = world.view.groups.filter((group) => world.view.leaderOf(group) === victim);
    const diedAtMs = world.nowMs;
    const manner = world.drawManner();
    const terms = world.view.terms();
    world.lose(victim, manner);
    const comesAfterMs = world.drawMs(5_000);
    world.later(comesAfterMs, () => void world.bootNew());
    // Who is told to sleep in the moment of the death hears of it now.
    await world.pass(IN_FLIGHT_MS);
    const asleep = led.filter((group) => world.view.isAsleep(group));
    const awake = led.filter((group) => !asleep.includes(group));
    const awakeMs = await newLeaders(world, "a group whose leader died has another one", {
      groups: awake,
      terms,
      limitMs: LEADERS_LIMIT_MS - IN_FLIGHT_MS,
    });
    if (awake.length > 0) world.measure(`new leaders, ${manner} (ms)`, IN_FLIGHT_MS + awakeMs);
    await newLeaders(world, "an idle group whose leader died has another one", {
      groups: asleep,
      terms,
      limitMs: Math.max(0, LEADERS_LIMIT_MS - IN_FLIGHT_MS - awakeMs),
    });
    if (asleep.length > 0)
      world.measure(`new leaders of idle groups, ${manner} (ms)`, world.nowMs - diedAtMs);
    await world.pass(Math.max(0, diedAtMs + comesAfterMs + 1 - world.nowMs));
    await world.whole(
      "the factor is restored after a death",
      Math.max(0, diedAtMs + FACTOR_LIMIT_MS - world.nowMs),
    );
    world.measure("factor restored (ms)", world.nowMs - diedAtMs);
    exchangedOnly(world, diedAtMs);
    for (const { event } of world.heard.since(diedAtMs, "member-died"))
      world.demand(event.nodeId === victimId, "nobody else is taken for dead", () => `node ${event.nodeId}`);
    await world.pass(world.drawMs(3_000));
  },
};

/** No configuration had too few voters, and none went without another one coming in the same change. */
function exchangedOnly(world: ScenarioWorld, sinceMs: number): void {
  for (const { event, life, atMs } of world.heard.since(sinceMs, "configuration-changed")) {
    const { group, voters, votersOutgoing } = event;
    world.demand(
      voters.length >= VOTERS,
      "a voter is replaced, never removed first",
      () => `group ${group} has voters ${voters.join(" ")} at ${life.name} at ${atMs.toFixed(0)} ms`,
    );
    if (votersOutgoing.length === 0 || group === SYSTEM_GROUP) continue;
    const gone = votersOutgoing.filter((node) => !voters.includes(node)).length;
    const come = voters.filter((node) => !votersOutgoing.includes(node)).length;
    world.demand(
      gone === come,
      "one joint change exchanges voters",
      () => `group ${group}: -${gone} +${come} at ${atMs.toFixed(0)} ms`,
    );
  }
}
