import { describe, expect, test } from "vitest";
import { VolatileLogStore } from "../../src/host/volatile-log-store.ts";
import type { NodeEvent } from "../../src/node/door.ts";
import { NodeEvents } from "../../src/node/node-events.ts";
import { VirtualCluster } from "../support/virtual-cluster.ts";

/** Events of one process, from the very first on. */
function recorded(): { readonly events: NodeEvents; readonly types: string[]; readonly all: NodeEvent[] } {
  const events = new NodeEvents((error) => {
    throw error;
  });
  const all: NodeEvent[] = [];
  const types: string[] = [];
  events.add((event) => {
    all.push(event);
    if (["founded", "joined", "cold-start"].includes(event.type)) types.push(event.type);
  });
  return { events, types, all };
}

describe("a cold start", () => {
  test("is told by every founder that was given seeds, and by nobody who joins", async () => {
    const cluster = new VirtualCluster(51);
    const founders = [1, 2, 3].map((machine) => {
      const told = recorded();
      cluster.start(machine, [1, 2, 3], {}, { store: new VolatileLogStore(), events: told.events });
      return told;
    });
    expect(await cluster.until(() => cluster.ready, 30_000)).toBe(true);
    const late = recorded();
    cluster.start(4, [1, 2, 3], {}, { store: new VolatileLogStore(), events: late.events });
    expect(await cluster.until(() => late.types.length > 0, 30_000)).toBe(true);
    await cluster.run(5_000);
    const { clusterId } = cluster.members[0]?.node ?? {};
    const voters = founders.filter(({ types }) => types[0] === "founded");
    expect(voters.length).toBeGreaterThanOrEqual(2);
    for (const { types, all } of voters) {
      expect(types).toEqual(["founded", "cold-start"]);
      expect(all).toContainEqual({ type: "cold-start", clusterId });
    }
    for (const { types } of [...founders.filter((each) => !voters.includes(each)), late])
      expect(types).toEqual(["joined"]);
  });

  test("is not what a node without seeds does, which may expect nothing else", async () => {
    const cluster = new VirtualCluster(52);
    const told = recorded();
    cluster.start(1, [], {}, { store: new VolatileLogStore(), events: told.events });
    expect(await cluster.until(() => cluster.ready, 3_000)).toBe(true);
    expect(told.types).toEqual(["founded"]);
  });

  test("is told by one that founds by force although it was given seeds", async () => {
    const cluster = new VirtualCluster(53);
    const told = recorded();
    cluster.start(1, [2, 3], { bootstrap: "force" }, { store: new VolatileLogStore(), events: told.events });
    expect(await cluster.until(() => cluster.ready, 3_000)).toBe(true);
    expect(told.types).toEqual(["founded", "cold-start"]);
  });

  test("is not what durable nodes do that start again, all at once", async () => {
    const cluster = new VirtualCluster(54);
    for (const machine of [1, 2, 3]) await cluster.startDurable(machine, [1, 2, 3]);
    expect(await cluster.until(() => cluster.ready, 30_000)).toBe(true);
    await cluster.run(2_000);
    for (const member of cluster.living) cluster.kill(member, "power-lost");
    await cluster.run(1_000);
    const again = [];
    for (const machine of [1, 2, 3]) {
      const told = recorded();
      again.push(told);
      await cluster.startDurable(machine, [1, 2, 3], {}, { events: told.events });
    }
    expect(await cluster.until(() => cluster.ready, 30_000)).toBe(true);
    for (const { types } of again) expect(types).not.toContain("cold-start");
  });
});
