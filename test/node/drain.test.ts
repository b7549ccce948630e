import { describe, expect, test } from "vitest";
import { VirtualCluster } from "../support/virtual-cluster.ts";

const OPTIONS = { shards: 4, deadGraceMs: 1_500 };

describe("a node whose drain failed", () => {
  test("is still one of the cluster: when that goes on without it, it hears so and may come back", async () => {
    const cluster = new VirtualCluster(61);
    cluster.start(1, [], OPTIONS);
    await cluster.until(() => cluster.ready, 3_000);
    for (const machine of [2, 3, 4]) cluster.start(machine, [1], OPTIONS);
    expect(await cluster.until(() => cluster.ready && cluster.settledWith(3), 30_000)).toBe(true);
    const [, , , cutOff] = cluster.members;
    if (cutOff === undefined) throw new Error("no such machine");
    const others = [1, 2, 3].map((machine) => cluster.address(machine));
    for (const other of others) cluster.network.partition(cutOff.address, other);
    await expect(cluster.settle(cutOff.node.control.drain(cutOff.node.nodeId, 1_000))).rejects.toMatchObject({
      code: "CREMA_NO_LEADER",
    });
    const isRemoved = () =>
      cluster.members[0]?.node.control.map?.removed.includes(cutOff.node.nodeId) === true;
    expect(await cluster.until(isRemoved, 60_000)).toBe(true);
    cluster.network.heal();
    expect(await cluster.until(() => cutOff.node.removed, 60_000)).toBe(true);
  });
});
