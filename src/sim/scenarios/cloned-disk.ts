/**
 * A machine starts on a copy of the disk of a member that lives. Of two holders of one id the second is refused, with an error,
 * before it has said anything under that id: the checkers listen to it like to everybody else.
 */
import { findMember } from "../../cluster/cluster-map.ts";
import type { Scenario } from "./scenario.ts";

const WHOLE_LIMIT_MS = 60_000;
const REFUSED_LIMIT_MS = 2_000;
const AFTERWARDS_MS = 10_000;

export const clonedDisk: Scenario = {
  name: "cloned-disk",
  meaning:
    "a machine starts on a copy of a living member's disk: it is refused and told so, and the member stays",
  storage: "disk",
  async run(world) {
    const { fleet, workload, random } = world;
    await world.found(random.nextBetween(3, 5));
    workload.start();
    await world.pass(1_000 + world.drawMs(3_000));
    const original = world.pick(fleet.lives);
    const { nodeId, boot } = original.node;
    const machine = fleet.addMachine();
    machine.disk = original.host.disk?.clone() ?? null;
    await world.pass(world.drawMs(2_000));
    const copy = fleet.boot(machine, world.livingSeeds());
    world.demand(copy.node.nodeId === nodeId, "a copy is the same node");
    const refusedMs = await world.until("the copy has ended", REFUSED_LIMIT_MS, () =>
      machine.life === null ? null : "it runs",
    );
    world.measure("refused (ms)", refusedMs);
    world.demand(world.heard.hasLogged(/held by two live processes/), "it says why");
    await world.pass(AFTERWARDS_MS);
    const denied = fleet.lives.filter(({ node: { control } }) =>
      control.map === null ? true : findMember(control.map, nodeId)?.boot !== boot,
    );
    world.demand(denied.length === 0, "the member is the one it was", () =>
      denied.map(({ name }) => name).join(" "),
    );
    await world.whole("a fleet is whole when the copy has gone", WHOLE_LIMIT_MS);
  },
};
