/**
 * What is on a disk may be older than what the cluster knows. `removed-returns`: a member is given up and removed, and then
 * comes back with its old state: it is told so, puts that away, and joins under a new id, without disturbing a term.
 * `address-change`: a member comes back at another address before it is missed: nobody's configuration changes.
 */
import { formatAddress } from "../../base/address.ts";
import { findMember } from "../../cluster/cluster-map.ts";
import type { Scenario } from "./scenario.ts";

const WHOLE_LIMIT_MS = 60_000;
const REJOINED_LIMIT_MS = 15_000;
const ACCEPTED_LIMIT_MS = 2_000;
const CALM_MS = 5_000;

export const removedReturns: Scenario = {
  name: "removed-returns",
  meaning:
    "a member is removed and comes back with its old disk: told so, it joins under a new id; no term is disturbed",
  storage: "disk",
  async run(world) {
    const { fleet, workload, random } = world;
    await world.found(random.nextBetween(5, 6));
    workload.start();
    await world.pass(1_000 + world.drawMs(2_000));
    const victim = world.pick(fleet.lives);
    const { nodeId } = victim.node;
    fleet.kill(victim, world.drawManner());
    // Somebody comes in its place, as where a fleet is kept at its size.
    const spare = world.bootNew();
    await world.until("a dead member is removed", WHOLE_LIMIT_MS, () => {
      const { map } = spare.node.control;
      return map === null || findMember(map, nodeId) !== null ? "the map still lists it" : null;
    });
    await world.whole("a fleet without its dead member is whole", WHOLE_LIMIT_MS);
    await world.pass(world.drawMs(CALM_MS));
    const terms = world.view.terms();
    const beganMs = world.nowMs;
    if (random.nextBelow(2) === 0) fleet.readdress(victim.host);
    fleet.boot(victim.host, world.livingSeeds());
    const joinedMs = await world.until("who was removed joins again", REJOINED_LIMIT_MS, () => {
      const { life } = victim.host;
      if (life === null) return "it does not run";
      return life.node.nodeId !== nodeId && life.node.control.isListed ? null : life.node.waitingFor;
    });
    world.measure("a member again, under a new id (ms)", joinedMs);
    await world.pass(CALM_MS);
    const elections = world.electionsSince(beganMs, terms);
    world.demand(elections.size === 0, "who was removed disturbs no term", () =>
      JSON.stringify([...elections]),
    );
    await world.whole("a fleet that took it back is whole", WHOLE_LIMIT_MS);
  },
};

export const addressChange: Scenario = {
  name: "address-change",
  meaning:
    "a member restarts at another address: accepted within 2 s, and no group changes its configuration",
  storage: "disk",
  async run(world) {
    const { fleet, workload, random } = world;
    await world.found(random.nextBetween(3, 5));
    workload.start();
    await world.pass(1_000 + world.drawMs(3_000));
    const victim = world.pick(fleet.lives);
    const { nodeId } = victim.node;
    const configurations = new Map(
      world.view.groups.map((group) => [group, world.view.votersOf(group).join(" ")]),
    );
    const stoppedAtMs = world.nowMs;
    fleet.kill(victim, world.drawManner());
    await world.pass(world.drawMs(4_000));
    fleet.readdress(victim.host);
    const { address, node } = fleet.boot(victim.host, world.livingSeeds());
    world.demand(node.nodeId === nodeId, "with a disk a node is who it was");
    const acceptedMs = await world.until("everybody knows the new address", ACCEPTED_LIMIT_MS, () => {
      const behind = fleet.lives.find(({ node: { control } }) => {
        const member = control.map === null ? null : findMember(control.map, nodeId);
        return member === null || formatAddress(member.address) !== formatAddress(address);
      });
      return behind === undefined ? null : `${behind.name} does not`;
    });
    world.measure("everybody knows (ms)", acceptedMs);
    world.measure(
      "whole again (ms)",
      await world.whole("a fleet with a moved member is whole", WHOLE_LIMIT_MS),
    );
    for (const { event, life } of world.heard.since(stoppedAtMs, "configuration-changed")) {
      world.demand(
        event.voters.join(" ") === configurations.get(event.group) && event.learners.length === 0,
        "a change of address changes no configuration",
        () => `${life.name}: ${JSON.stringify(event)}`,
      );
    }
  },
};
