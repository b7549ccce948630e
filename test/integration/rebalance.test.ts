/**
 * Real machines while rebalancing is paused: a newcomer waits, what dies is replaced all the same, and resuming evens out.
 */
import { expect, it } from "vitest";
import type { NodeEvent, RebalanceStatus, ShardStatus } from "../../src/index.ts";
import { TestCluster } from "./harness.ts";
import type { NodeProcess } from "./node-process.ts";
import { waitUntil } from "./wait-until.ts";

const FLAGS = { gossip: "local", "dead-grace": "1s" };

it("paused through one node, it moves nothing to a newcomer but what died; resumed through another, all share alike", async () => {
  const cluster = new TestCluster();
  const [first, second, third] = await cluster.start(3, FLAGS);
  if (first === undefined || second === undefined || third === undefined) throw new Error("no nodes");
  expect(await order(second, "/rebalance/pause")).toEqual({ paused: true });
  expect(await rebalance(second)).toMatchObject({ paused: true, replicasToMove: 0 });

  const newcomers = [await cluster.add(FLAGS), await cluster.add(FLAGS)] as const;
  const held = await waitUntil("the newcomers are in the plan", 30_000, async () => {
    const status = await rebalance(newcomers[0]);
    return status.nodes.length === 5 && status.shards.paused > 0 ? status : null;
  });
  expect(held).toMatchObject({ paused: true, movesMax: 16, shards: { moving: 0, waiting: 0, stuck: 0 } });
  for (const node of newcomers) expect(shareOf(held, node)).toMatchObject({ replicas: 0, leaders: 0 });

  const listeners = [first, newcomers[1]];
  await Promise.all(listeners.map((node) => node.followEvents()));
  await third.kill();
  const repaired = await waitUntil("what died lives on the newcomers", 60_000, async () => {
    await cluster.untilSettled();
    return await rebalance(first);
  });
  expect([first, second].map((node) => shareOf(repaired, node)?.replicas)).toEqual([16, 16]);
  expect(newcomers.reduce((sum, node) => sum + (shareOf(repaired, node)?.replicas ?? 0), 0)).toBe(16);
  expect(await newcomers[0].httpText("/metrics")).toMatch(/^crema_rebalance_paused 1$/m);

  const before = await cluster.status();
  await Promise.all(listeners.map((node) => untilTold(node, before.shards)));
  expect(await order(newcomers[1], "/rebalance/resume")).toEqual({ paused: false });
  const even = await waitUntil("all is where the plan has it", 60_000, async () => {
    const status = await rebalance(newcomers[1]);
    if (status.replicasToMove > 0 || status.leadersToMove > 0) throw new Error(JSON.stringify(status.shards));
    return status;
  });
  expect(cluster.running.map((node) => shareOf(even, node))).toMatchObject(
    Array.from({ length: 4 }, () => ({ replicas: 12, leaders: 4 })),
  );

  const after = await cluster.status();
  await Promise.all(listeners.map((node) => untilTold(node, after.shards)));
  for (const { events } of listeners) {
    for (const { shard } of after.shards) {
      const chain = movesOf(events, shard);
      for (const [at, { from }] of chain.entries()) if (at > 0) expect(from).toEqual(chain[at - 1]?.to);
    }
  }
}, 120_000);

async function rebalance(node: NodeProcess): Promise<RebalanceStatus> {
  const status: RebalanceStatus = JSON.parse(await node.httpText("/rebalance"));
  return status;
}

async function order(node: NodeProcess, path: string): Promise<unknown> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`http://${node.ready.http}${path}`, { method: "POST", headers, body: "{}" });
  expect(response.status).toBe(200);
  return await response.json();
}

/** Resolves once the last move that `node` has told of each shard ended with the voters it has. */
async function untilTold(node: NodeProcess, shards: readonly ShardStatus[]): Promise<void> {
  await waitUntil(`${node.label} has told every move`, 30_000, () => {
    for (const { shard, voters } of shards) {
      const told = movesOf(node.events, shard).at(-1)?.to ?? [];
      if ([...told].sort().join() !== [...voters].sort().join())
        throw new Error(`shard ${shard}: ${told.join(" ")}`);
    }
    return true;
  });
}

function movesOf(events: readonly NodeEvent[], shard: number) {
  return events.filter((event) => event.type === "shard-moved").filter((event) => event.shard === shard);
}

function shareOf(status: RebalanceStatus, node: NodeProcess) {
  return status.nodes.find(({ nodeId }) => nodeId === node.ready.nodeId);
}
