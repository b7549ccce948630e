import { describe, expect, test } from "vitest";
import { VolatileLogStore } from "../../src/host/volatile-log-store.ts";
import { VirtualCluster } from "../support/virtual-cluster.ts";

describe("a cluster in virtual time", () => {
  test("a node without seeds founds alone and serves at once", async () => {
    const cluster = new VirtualCluster(1);
    const only = cluster.start(1);
    expect(await cluster.until(() => cluster.ready, 3_000)).toBe(true);
    await cluster.settle(only.node.cache.put("user:1", "Alice"));
    expect(await cluster.settle(only.node.cache.get("user:1"))).toBe("Alice");
    expect(await cluster.settle(only.node.cache.consistentGet("user:1"))).toBe("Alice");
  });

  test("two more nodes that know only the first become voters of every shard", async () => {
    const cluster = new VirtualCluster(2);
    const first = cluster.start(1);
    await cluster.until(() => cluster.ready, 3_000);
    for (let key = 0; key < 100; key++) await cluster.settle(first.node.cache.put(`key:${key}`, String(key)));
    const second = cluster.start(2, [1]);
    const third = cluster.start(3, [1]);
    const settled = await cluster.until(() => cluster.ready && cluster.settledWith(3), 30_000);
    if (!settled) console.log([...first.log, ...second.log, ...third.log].slice(-80).join("\n"));
    expect(settled).toBe(true);
    for (let key = 0; key < 100; key++) {
      expect(await cluster.settle(third.node.cache.consistentGet(`key:${key}`))).toBe(String(key));
    }
    const leaders = cluster.leaders();
    const counts = cluster.living.map(
      ({ node }) => leaders.filter((leader) => leader === node.nodeId).length,
    );
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  });

  test("three nodes that name all three as seeds form one cluster", async () => {
    for (let seed = 10; seed < 20; seed++) {
      const cluster = new VirtualCluster(seed);
      for (const machine of [1, 2, 3]) cluster.start(machine, [1, 2, 3]);
      expect(await cluster.until(() => cluster.ready && cluster.settledWith(3), 30_000)).toBe(true);
      expect(new Set(cluster.living.map(({ node }) => node.clusterId)).size).toBe(1);
    }
  });

  test.each([
    ["crema.example:7946", true],
    ["localhost:7946", false],
    ["10.0.0.1:7946", false],
  ])("a node that %s leads to alone founds, and warns of what that may mean: %s", async (seed, warns) => {
    const cluster = new VirtualCluster(3);
    const resolver = { resolve: async () => [cluster.address(1)] };
    const only = cluster.start(1, [], { seeds: [seed] }, { store: new VolatileLogStore(), resolver });
    expect(await cluster.until(() => cluster.ready, 5_000)).toBe(true);
    const warnings = only.log.filter((line) => line.includes("--bootstrap-expect"));
    expect(warnings).toHaveLength(warns ? 1 : 0);
  });
});
