import { describe, expect, test } from "vitest";
import { SYSTEM_GROUP } from "../../src/base/ids.ts";
import { VirtualCluster, type VirtualMember } from "../support/virtual-cluster.ts";

const OPTIONS = { shards: 8, deadGraceMs: 2_000 };

async function clusterOfThree(seed: number, options = {}): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(seed);
  cluster.start(1, [], { ...OPTIONS, ...options });
  await cluster.until(() => cluster.ready, 3_000);
  cluster.start(2, [1], { ...OPTIONS, ...options });
  cluster.start(3, [1], { ...OPTIONS, ...options });
  expect(await cluster.until(() => cluster.ready && cluster.settledWith(3), 30_000)).toBe(true);
  return cluster;
}

function member(cluster: VirtualCluster, at: number): VirtualMember {
  const found = cluster.members[at];
  if (found === undefined) throw new Error("no such machine");
  return found;
}

/** Groups that `member` holds a replica of, the system group left out. */
function shardsHeld({ node }: VirtualMember): number {
  return [...node.groups.groups()].filter(({ id }) => id !== SYSTEM_GROUP).length;
}

describe("rebalancing", () => {
  test("paused through any node, a newcomer gets nothing, yet takes the place of who dies; resumed, it gets its share", async () => {
    const cluster = await clusterOfThree(31);
    await cluster.settle(member(cluster, 2).node.rebalancing.setPaused(true));
    expect(member(cluster, 2).node.control.map?.settings.rebalancePaused).toBe(true);
    const fourth = cluster.start(4, [1], OPTIONS);
    const fifth = cluster.start(5, [1], OPTIONS);
    expect(await cluster.until(() => cluster.ready, 10_000)).toBe(true);
    await cluster.run(20_000);
    expect([shardsHeld(fourth), shardsHeld(fifth)]).toEqual([0, 0]);
    const paused = await cluster.settle(fourth.node.rebalancing.status());
    expect(paused).toMatchObject({ paused: true, movesMax: 16, shards: { moving: 0, waiting: 0, stuck: 0 } });
    expect(paused.shards.paused).toBeGreaterThan(0);
    expect(paused.replicasToMove).toBeGreaterThan(0);
    expect(fourth.node.metrics().gauges.rebalance_paused).toBe(1);

    cluster.kill(member(cluster, 1));
    expect(await cluster.until(() => cluster.settledWith(3), 60_000)).toBe(true);
    expect(shardsHeld(fourth) + shardsHeld(fifth)).toBe(OPTIONS.shards);
    expect([shardsHeld(member(cluster, 0)), shardsHeld(member(cluster, 2))]).toEqual([8, 8]);

    await cluster.settle(fifth.node.rebalancing.setPaused(false));
    const counts = () => cluster.living.map((each) => shardsHeld(each));
    expect(await cluster.until(() => Math.max(...counts()) === 6 && cluster.settledWith(3), 60_000)).toBe(
      true,
    );
    expect(counts()).toEqual([6, 6, 6, 6]);
    await cluster.run(10_000);
    const even = await cluster.settle(fifth.node.rebalancing.status());
    expect(even).toMatchObject({ paused: false, moves: [], replicasToMove: 0, leadersToMove: 0 });
    for (const { replicas, replicasPlanned, leaders, leadersPlanned } of even.nodes) {
      expect([replicas, leaders]).toEqual([replicasPlanned, leadersPlanned]);
    }
    expect(fourth.node.metrics().gauges.rebalance_paused).toBe(0);
  });

  test("moves no more shards at once than the leader of the system group was told, and the status tells how far they are", async () => {
    const cluster = await clusterOfThree(32, { rebalanceMovesMax: 1, snapshotBytesPerSecondMax: 256 * 1024 });
    const { node } = member(cluster, 0);
    // Enough that a snapshot takes seconds.
    for (let key = 0; key < 64; key++)
      await cluster.settle(node.cache.put(`key:${key}`, "x".repeat(64 * 1024)));
    for (let round = 0; round < 12_000; round++) void node.cache.put("busy", String(round)).catch(() => {});
    await cluster.run(5_000);
    const fourth = cluster.start(4, [1], { ...OPTIONS, rebalanceMovesMax: 1 });
    const seen = new Set<string>();
    let movingMax = 0;
    const limitMs = cluster.clock.nowMs() + 300_000;
    for (;;) {
      await cluster.run(200);
      if (fourth.node.control.map === null) continue;
      const status = await cluster.settle(fourth.node.rebalancing.status());
      const moving = status.moves.filter(
        ({ shard, phase }) => shard !== null && phase !== "leader-transfer" && phase !== null,
      );
      movingMax = Math.max(movingMax, moving.length);
      for (const { phase, learning } of moving) {
        seen.add(String(phase));
        for (const { nodeId, snapshot } of learning)
          if (nodeId === fourth.node.nodeId && snapshot) seen.add("snapshot");
      }
      if (status.shards.waiting > 0) seen.add("waiting");
      if (status.replicasToMove === 0 || cluster.clock.nowMs() > limitMs) break;
    }
    expect(shardsHeld(fourth)).toBe(6);
    expect([...seen]).toEqual(expect.arrayContaining(["catching-up", "snapshot", "waiting"]));
    expect(movingMax).toBe(1);
  });

  test("cannot be paused while nobody leads the system group, and says so", async () => {
    const cluster = await clusterOfThree(33, { requestTimeoutMs: 1_000 });
    cluster.kill(member(cluster, 0));
    cluster.kill(member(cluster, 1));
    const { rebalancing, control } = member(cluster, 2).node;
    await expect(cluster.settle(rebalancing.setPaused(true))).rejects.toMatchObject({
      code: "CREMA_NO_LEADER",
    });
    expect(control.map?.settings.rebalancePaused).toBe(false);
    await cluster.run(5_000);
    expect(await cluster.settle(rebalancing.status())).toMatchObject({
      movesMax: null,
      shards: { stuck: 8 },
    });
  });
});
