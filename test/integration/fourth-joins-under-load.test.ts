/**
 * A machine is added while clients write: nobody notices, except that work moves to it.
 */
import { expect, it } from "vitest";
import type { ClusterStatus, NodeEvent, ShardStatus } from "../../src/index.ts";
import { TestCluster } from "./harness.ts";
import { WriteLoad } from "./load.ts";
import type { NodeProcess } from "./node-process.ts";
import { waitUntil } from "./wait-until.ts";

/** 16 shards with 3 replicas on 4 nodes: 12 each. */
const SHARE = 12;

it("a fourth node takes its share by joint changes under load, without one failed write", async () => {
  const cluster = new TestCluster();
  const nodes = await cluster.start(3);
  await Promise.all(nodes.map((node) => node.followEvents()));
  const ports = nodes.map((node) => node.respPort);
  const load = new WriteLoad({ ports, workers: 3, depth: 16, resend: false }).start();

  const fourth = await cluster.add();
  const settled = await waitUntil("the fourth node holds its share", 60_000, async () => {
    const status = await cluster.untilSettled();
    return heldBy(status, fourth).length >= SHARE ? status : null;
  });
  await cluster.untilBalanced();
  await load.stop();

  expect({ refused: load.refused, unknown: load.unknown }).toEqual({ refused: [], unknown: [] });
  expect(load.acknowledgedCount).toBeGreaterThan(100);
  expect(await load.verify(fourth.respPort)).toEqual([]);

  for (const { voters, learners, joint } of settled.shards) {
    expect({ voters: voters.length, learners, joint }).toEqual({ voters: 3, learners: [], joint: false });
  }
  // Every shard that the fourth node holds now went through a joint configuration that brought it in.
  const joints = nodes.flatMap((node) => node.events).filter(isJoint);
  for (const { shard } of heldBy(settled, fourth)) {
    const brought = joints.some(
      ({ group, voters }) => group === shard + 1 && voters.some((voter) => voter === fourth.ready.nodeId),
    );
    expect(brought, `shard ${shard} moved by a joint change`).toBe(true);
  }
});

function heldBy(status: ClusterStatus, node: NodeProcess): readonly ShardStatus[] {
  return status.shards.filter(({ voters }) => voters.some((voter) => voter === node.ready.nodeId));
}

function isJoint(event: NodeEvent): event is Extract<NodeEvent, { type: "configuration-changed" }> {
  return event.type === "configuration-changed" && event.votersOutgoing.length > 0;
}
