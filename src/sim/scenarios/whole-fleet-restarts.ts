/**
 * Every machine goes down, and all come back at other addresses, behind the same names: an outage, or a fleet that a
 * scheduler moved. With disks it is the same cluster, as soon as majorities are up. Without, everything is gone: one new,
 * empty cluster.
 *
 * With disks: names are looked up at the start, a call to whom is not there yet takes up to 2 s, pauses grow to 5 s, and an
 * election takes 2 s: 15 s after the last has started.
 */
import type { Address } from "../../base/address.ts";
import type { Scenario } from "./scenario.ts";
import type { ScenarioWorld } from "./scenario-world.ts";

const SEEDS = 3;
const PORT = 7_946;
const STARTS_WITHIN_MS = 10_000;
const HEALED_LIMIT_MS = 15_000;
const FOUNDED_LIMIT_MS = 30_000;
const DOWN_MS = 30_000;
const LOST_KEY = "lost";

export const wholeFleetMoves: Scenario = {
  name: "whole-fleet-moves",
  meaning: "all machines stop and come back with their disks at other addresses: the same cluster, soon",
  storage: "disk",
  async run(world) {
    const names = await namedFleet(world);
    const { fleet, workload } = world;
    workload.start();
    await world.pass(1_000 + world.drawMs(5_000));
    const clusterId = fleet.lives[0]?.node.clusterId;
    const ids = new Set(fleet.lives.map(({ node }) => node.nodeId));
    await moveAll(world, names);
    const healedMs = await world.whole("a fleet that moved heals alone", HEALED_LIMIT_MS);
    world.measure("whole, after the last start (ms)", healedMs);
    for (const { node, name } of fleet.lives) {
      world.demand(node.clusterId === clusterId, "it is the same cluster", () => name);
      world.demand(ids.has(node.nodeId), "with a disk a node is who it was", () => name);
    }
    await world.pass(world.drawMs(3_000));
  },
};

export const wholeFleetForgets: Scenario = {
  name: "whole-fleet-forgets",
  meaning: "all machines stop and come back without disks at other addresses: one new, empty cluster",
  storage: "memory",
  oneCluster: false,
  async run(world) {
    const names = await namedFleet(world);
    const { fleet, workload } = world;
    const clusterId = fleet.lives[0]?.node.clusterId ?? null;
    const written = world.pick(fleet.lives).node.cache.put(LOST_KEY, "before");
    await world.settled(written, "a write is answered", 10_000);
    await moveAll(world, names);
    const foundedMs = await world.whole("machines that forgot everything found a cluster", FOUNDED_LIMIT_MS);
    world.measure("whole, after the last start (ms)", foundedMs);
    const clusters = new Set(fleet.lives.map(({ node }) => node.clusterId));
    world.demand(clusters.size === 1 && !clusters.has(clusterId), "it is one cluster, and a new one", () =>
      [...clusters].join(" "),
    );
    const found = world.pick(fleet.lives).node.cache.consistentGet(LOST_KEY);
    await world.settled(found, "a read is answered", 10_000);
    world.demand((await found) === null, "the new cluster is empty");
    world.demand(
      [...clusters].every((each) => each !== null && world.heard.hasHeardOfColdStart(each)),
      "a cluster that starts cold says so",
    );
    // Only now: what clients had been told before is lost, as memory mode says.
    workload.start();
    await world.pass(2_000 + world.drawMs(3_000));
  },
};

/** A fleet whose machines know each other by names; the names. */
async function namedFleet(world: ScenarioWorld): Promise<readonly Address[]> {
  const { fleet, random } = world;
  const names = Array.from(
    { length: SEEDS },
    (_, at): Address => ({ host: `seed-${at + 1}.test`, port: PORT }),
  );
  for (let count = random.nextBetween(3, 6); count > 0; count--) fleet.addMachine();
  nameSeeds(world, names);
  for (const machine of fleet.machines)
    world.later(world.drawMs(3_000), () => void fleet.boot(machine, names));
  await world.pass(3_000);
  await world.whole("a fleet that knows names becomes whole", 60_000);
  return names;
}

async function moveAll(world: ScenarioWorld, names: readonly Address[]): Promise<void> {
  const { fleet, random } = world;
  const withinMs = random.nextBelow(2) === 0 ? 0 : world.drawMs(2_000);
  for (const life of fleet.lives)
    world.later(world.drawMs(withinMs), () => fleet.kill(life, world.drawManner()));
  await world.pass(withinMs + world.drawMs(DOWN_MS));
  for (const machine of fleet.machines) fleet.readdress(machine);
  nameSeeds(world, names);
  for (const machine of random.shuffle([...fleet.machines]))
    world.later(world.drawMs(STARTS_WITHIN_MS), () => void fleet.boot(machine, names));
  await world.pass(STARTS_WITHIN_MS);
}

function nameSeeds(world: ScenarioWorld, names: readonly Address[]): void {
  for (const [at, { address }] of world.fleet.machines.slice(0, SEEDS).entries())
    world.names.set(names[at]?.host ?? "", [address]);
}
