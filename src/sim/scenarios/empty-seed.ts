/**
 * A seed's machine dies, and at its address an empty one starts, with the same command line, while the cluster lives. Its
 * list names it, so it might found, but it must not: it joins, though perhaps only after a time in which it hears of nobody.
 *
 * One seed of three is no majority of the list, so it may wait as long as it must. When it is heard it joins within the pause
 * between two attempts (5 s) and a call.
 */
import type { Scenario } from "./scenario.ts";

const JOINED_LIMIT_MS = 15_000;
const WHOLE_LIMIT_MS = 60_000;
const CUT_MS_MAX = 40_000;
const SEEDS = 3;
const FLEETS = [3, 4, 5] as const;

export const emptySeed: Scenario = {
  name: "empty-seed",
  meaning:
    "an empty machine takes a seed's address while the cluster lives, perhaps cut off at first: it joins, never founds",
  storage: "either",
  async run(world) {
    const { fleet, workload, random } = world;
    await world.found(world.pick(FLEETS));
    const seeds = fleet.machines.slice(0, SEEDS).map(({ address }) => address);
    const clusterId = fleet.lives[0]?.node.clusterId;
    workload.start();
    await world.pass(1_000 + world.drawMs(2_000));
    const victim = world.pick(fleet.lives.slice(0, SEEDS));
    fleet.kill(victim, world.drawManner());
    fleet.replaceDisk(victim.host);
    const isCutOff = random.nextBelow(2) === 0;
    if (isCutOff) for (const other of fleet.lives) fleet.network.partition(victim.address, other.address);
    await world.pass(world.drawMs(3_000));
    const successor = fleet.boot(victim.host, seeds);
    if (isCutOff) {
      await world.pass(world.drawMs(CUT_MS_MAX));
      world.demand(successor.node.clusterId === null, "who is cut off founds nothing", () => successor.name);
      fleet.network.heal();
      world.say("healed");
    }
    const joinedMs = await world.until(
      "an empty machine joins the cluster of its seeds",
      JOINED_LIMIT_MS,
      () => {
        const { life } = victim.host;
        return life?.node.control.isListed === true ? null : (life?.node.waitingFor ?? "it does not run");
      },
    );
    world.measure(isCutOff ? "joined, after the healing (ms)" : "joined (ms)", joinedMs);
    for (const { node, name } of fleet.lives)
      world.demand(node.clusterId === clusterId, "there is one cluster", () => name);
    await world.whole("a fleet with a seed that was replaced is whole", WHOLE_LIMIT_MS);
  },
};
