/**
 * Every machine that the command lines name as a seed goes, one after the other. The cluster does not need them; newcomers
 * do, so they wait for ever: look the names up again and again, are not ready, and never found anything. When a name leads
 * to somebody who is a member, they join. With a disk a node that restarts knows its peers and needs no seed.
 *
 * Newcomers look names up every 10 s, try what they found within 5 s, and join in less than one more.
 */
import type { Address } from "../../base/address.ts";
import type { FleetLife, Machine } from "../fleet.ts";
import type { Scenario } from "./scenario.ts";
import type { ScenarioWorld } from "./scenario-world.ts";

const SIZE = 8;
const SEEDS = 3;
const WHOLE_LIMIT_MS = 60_000;
const WAIT_MS = { min: 60_000, max: 150_000 };
const LOOK_UP_MS = 10_000;
const JOINED_LIMIT_MS = 20_000;
const RETURNED_LIMIT_MS = 15_000;
const PORT = 7_946;

export const seedsDown: Scenario = {
  name: "seeds-down",
  meaning:
    "all seeds go: the cluster stays, newcomers wait for ever and found nothing, until a name leads to a member",
  storage: "either",
  shards: [4],
  async run(world) {
    const { fleet, workload, random } = world;
    const names = Array.from(
      { length: SEEDS },
      (_, at): Address => ({ host: `seed-${at + 1}.test`, port: PORT }),
    );
    for (let number = 0; number < SIZE; number++) fleet.addMachine();
    const seeds = fleet.machines.slice(0, SEEDS);
    for (const [at, { address }] of seeds.entries()) world.names.set(names[at]?.host ?? "", [address]);
    for (const machine of fleet.machines)
      world.later(world.drawMs(3_000), () => void fleet.boot(machine, names));
    await world.pass(3_000);
    await world.whole("a fleet that knows names becomes whole", WHOLE_LIMIT_MS);
    const clusterId = fleet.lives[0]?.node.clusterId;
    workload.start();
    for (const { life } of seeds) {
      if (life !== null) world.lose(life);
      await world.whole("a fleet without its seeds is whole", WHOLE_LIMIT_MS);
    }
    const quietFromMs = world.nowMs;
    const lookUps = new Map(world.lookUps);
    const newcomers = Array.from({ length: random.nextBetween(1, 3) }, () =>
      fleet.boot(fleet.addMachine(), names),
    );
    if (world.durable) await restartWithoutSeeds(world, newcomers, names);
    const waitMs = random.nextBetween(WAIT_MS.min, WAIT_MS.max);
    await world.pass(waitMs);
    for (const { name, node } of newcomers) {
      world.demand(node.clusterId === null, "who finds no cluster belongs to none", () => name);
      world.demand(node.notReadyReason() !== null, "who waits for a cluster is not ready", () => name);
    }
    for (const { host } of names) {
      const asked = (world.lookUps.get(host) ?? 0) - (lookUps.get(host) ?? 0);
      const least = Math.floor(waitMs / LOOK_UP_MS - 1) * newcomers.length;
      world.demand(asked >= least, "names are looked up again and again", () => `${host}: ${asked} times`);
    }
    world.demandNothingRefused(quietFromMs, "a cluster does not miss its seeds");
    const back = await seedReturns(world, names, seeds);
    const joinedMs = await world.until("newcomers join when a seed is back", JOINED_LIMIT_MS, () => {
      const waiting = newcomers.find(({ node }) => !node.control.isListed);
      return waiting === undefined ? null : `${waiting.name}: ${waiting.node.waitingFor}`;
    });
    world.measure(`joined, after ${back} (ms)`, joinedMs);
    for (const { node, name } of fleet.lives)
      world.demand(node.clusterId === clusterId, "there is one cluster", () => name);
    await world.whole("a fleet that newcomers joined is whole", WHOLE_LIMIT_MS);
  },
};

/** A member dies and comes back at once, at the same place or another one, while no name leads anywhere. */
async function restartWithoutSeeds(
  world: ScenarioWorld,
  newcomers: readonly FleetLife[],
  names: readonly Address[],
): Promise<void> {
  const { fleet } = world;
  const victim = world.pick(fleet.lives.filter((life) => !newcomers.includes(life)));
  fleet.kill(victim, world.drawManner());
  await world.pass(world.drawMs(3_000));
  const { nodeId } = fleet.boot(victim.host, names).node;
  const tookMs = await world.until(
    "a node with a disk finds its peers without seeds",
    RETURNED_LIMIT_MS,
    () => {
      const { life } = victim.host;
      if (life === null) return "it has ended";
      const reason = life.node.notReadyReason();
      return life.node.nodeId === nodeId ? reason : "it has come back as somebody else";
    },
  );
  world.measure("ready again without seeds (ms)", tookMs);
}

/** One name leads to a member again; how, in words. */
async function seedReturns(
  world: ScenarioWorld,
  names: readonly Address[],
  seeds: readonly Machine[],
): Promise<string> {
  const { fleet, random } = world;
  const host = names[random.nextBelow(SEEDS)]?.host ?? "";
  const [seed] = random.shuffle([...seeds]);
  const dice = random.nextBelow(world.durable ? 3 : 2);
  if (dice === 0) {
    world.names.set(host, [world.pick(fleet.members).address]);
    return "a name led to another member";
  }
  if (dice === 1 || seed === undefined) {
    const successor = world.bootNew();
    world.names.set(host, [successor.address]);
    return "a new machine took a seed's name";
  }
  fleet.readdress(seed);
  seed.lost = false;
  fleet.boot(seed, names);
  world.names.set(host, [seed.address]);
  return "a seed came back with its old disk";
}
