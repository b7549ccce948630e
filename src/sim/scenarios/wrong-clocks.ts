/**
 * Wall clocks that are wrong by up to an hour, and jump by as much while clients read and write keys with a time to live;
 * then leaders change. Nothing goes early (the checkers see to that), nothing stays for ever, and no clock makes anybody stand
 * for election: timeouts are counted on clocks that never jump.
 *
 * A key goes by the time of its group, which is the latest that any leader's clock has said, and which the next leader
 * carries on at its own pace: however wrong the clocks are, it is gone its time to live later, give or take the change of
 * leaders.
 */
import type { Scenario } from "./scenario.ts";
import type { ScenarioWorld } from "./scenario-world.ts";

const HOUR_MS = 3_600_000;
const JUMPS = { min: 3, max: 10 };
const STORM_MS = 15_000;
const TTL_MS = { min: 2_000, max: 8_000 };
/** For the change of a leader, and the sweep of the next one. */
const LATE_MS = 6_000;
const KEYS = 8;
const WHOLE_LIMIT_MS = 60_000;

export const wrongClocks: Scenario = {
  name: "wrong-clocks",
  meaning:
    "wall clocks are off and jump by up to an hour, leaders change: keys go in time, and nobody stands for election",
  storage: "either",
  async run(world) {
    const { workload, random } = world;
    await world.found(world.pick([3, 5] as const));
    workload.start();
    await world.pass(2_000);
    const terms = world.view.terms();
    const stormAtMs = world.nowMs;
    for (let jump = random.nextBetween(JUMPS.min, JUMPS.max); jump > 0; jump--)
      world.later(world.drawMs(STORM_MS), () => jumpClock(world));
    await world.pass(STORM_MS);
    const elections = world.electionsSince(stormAtMs, terms);
    world.demand(elections.size === 0, "no clock makes anybody stand", () => JSON.stringify([...elections]));
    world.measure("elections while clocks jumped", elections.size);
    await keysGoInTime(world);
    await world.whole("a fleet with wrong clocks is whole", WHOLE_LIMIT_MS);
  },
};

function jumpClock(world: ScenarioWorld): void {
  const life = world.pick(world.fleet.lives);
  const byMs = (world.random.nextFloat() * 2 - 1) * HOUR_MS;
  life.process.wallSkewMs += byMs;
  world.say(`the wall clock of ${life.name} jumps by ${(byMs / 1_000).toFixed(0)} s`);
}

/** Keys with a time to live are written, clocks jump, a leader dies: the keys are there before it is over, and gone after. */
async function keysGoInTime(world: ScenarioWorld): Promise<void> {
  const { fleet } = world;
  const ttlMs = world.random.nextBetween(TTL_MS.min, TTL_MS.max);
  const keys = Array.from({ length: KEYS }, (_, at) => `mortal-${at}`);
  const beganMs = world.nowMs;
  const put = Promise.all(keys.map((key) => world.pick(fleet.lives).node.cache.put(key, "alive", { ttlMs })));
  await world.settled(put, "writes are answered", 6_000);
  await put;
  const writtenMs = world.nowMs;
  await world.pass(world.drawMs(ttlMs / 4));
  jumpClock(world);
  const victim = world.pick(fleet.lives);
  fleet.kill(victim, "killed");
  await world.pass(world.drawMs(1_000));
  fleet.boot(victim.host, world.livingSeeds());
  jumpClock(world);
  const stillThere = await readAll(world, keys, beganMs + ttlMs);
  world.demand(stillThere, "a key lives as long as it was told to", () => `${ttlMs} ms`);
  await world.pass(Math.max(0, writtenMs + ttlMs + LATE_MS - world.nowMs));
  const read = Promise.all(keys.map((key) => world.pick(world.fleet.members).node.cache.consistentGet(key)));
  await world.settled(read, "reads are answered", 6_000);
  const left = (await read).filter((value) => value !== null).length;
  world.demand(
    left === 0,
    "a key is gone when its time is over, whoever leads",
    () => `${left} of ${KEYS} are there`,
  );
}

/** Whether every key was seen, of those that were read before `untilMs`: later nothing is promised. */
async function readAll(world: ScenarioWorld, keys: readonly string[], untilMs: number): Promise<boolean> {
  const seen = keys.map(async (key) => {
    const value = await world.pick(world.fleet.members).node.cache.consistentGet(key);
    return value !== null || world.nowMs >= untilMs;
  });
  await world.settled(Promise.all(seen), "reads are answered", 6_000);
  return (await Promise.all(seen)).every((was) => was);
}
