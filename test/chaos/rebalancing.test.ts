/**
 * Machines come and go while clients write: replicas and leaderships are spread evenly again each time, and where there are
 * zones, no two replicas of a shard share one.
 */
import { expect, it } from "vitest";
import type { ClusterStatus } from "../../src/index.ts";
import { leaderCounts, TestCluster } from "../integration/harness.ts";
import { WriteLoad } from "../integration/load.ts";
import type { NodeProcess } from "../integration/node-process.ts";
import { waitUntil } from "../integration/wait-until.ts";
import { Stopwatch, tell } from "./figures.ts";

const EVEN_WITHIN_MS = 30_000;

it("three zones of one machine, of two and of one again keep one replica of each shard per zone", async () => {
  const cluster = new TestCluster();
  const zones = ["a", "b", "c"];
  await cluster.launch({ zone: "a" }).untilReady();
  for (const zone of ["b", "c"]) await cluster.add({ zone });
  const load = await startLoad(cluster);
  await expectEven(cluster, "three zones of one");
  const more = await Promise.all(zones.map((zone) => cluster.add({ zone })));
  await expectEven(cluster, "three zones of two");
  await Promise.all(more.map((node) => node.terminate()));
  await expectEven(cluster, "three zones of one again");
  await expectAllWritten(load, cluster);
}, 180_000);

it("three machines, five, and four are even without zones, too", async () => {
  const cluster = new TestCluster();
  await cluster.start(3);
  const load = await startLoad(cluster);
  const [, leaver] = await Promise.all([cluster.add(), cluster.add()]);
  await expectEven(cluster, "five machines");
  await leaver?.terminate();
  await expectEven(cluster, "four machines");
  await expectAllWritten(load, cluster);
}, 180_000);

async function startLoad(cluster: TestCluster): Promise<WriteLoad> {
  await cluster.untilSettled();
  const ports = cluster.running.map((node) => node.respPort);
  return new WriteLoad({ ports, workers: 2, depth: 8, resend: false }).start();
}

/** Waits for rest, which there may be for a moment between two plans as well, then counts. */
async function expectEven(cluster: TestCluster, name: string): Promise<void> {
  const since = new Stopwatch();
  await waitUntil("replicas are spread within one of even", EVEN_WITHIN_MS, async () => {
    const counts = replicaCounts(await cluster.status(), cluster.running);
    if (Math.max(...counts) - Math.min(...counts) > 1) throw new Error(`replicas: ${counts.join(", ")}`);
  });
  await cluster.untilSettled();
  const status = await cluster.untilBalanced();
  const leaders = leaderCounts(status, cluster.running);
  const replicas = replicaCounts(status, cluster.running);
  tell(
    `rebalancing: ${name}: replicas ${replicas.join(" ")}, leaders ${leaders.join(" ")}, even after ${since.ms} ms`,
  );
  expect(Math.max(...replicas) - Math.min(...replicas), "replicas").toBeLessThanOrEqual(1);
  const zoneOf = new Map(status.members.map(({ nodeId, zone }) => [nodeId, zone]));
  const zoned = [...zoneOf.values()].every((zone) => zone !== "");
  for (const { shard, voters } of status.shards) {
    const zones = new Set(voters.map((voter) => zoneOf.get(voter)));
    if (zoned) expect(zones.size, `zones of shard ${shard}`).toBe(voters.length);
  }
}

function replicaCounts(status: ClusterStatus, nodes: readonly NodeProcess[]): readonly number[] {
  return nodes.map(
    ({ ready }) =>
      status.shards.filter(({ voters }) => voters.some((voter) => voter === ready.nodeId)).length,
  );
}

async function expectAllWritten(load: WriteLoad, cluster: TestCluster): Promise<void> {
  await load.stop();
  tell(`rebalancing: ${load.acknowledgedCount} writes meanwhile`);
  expect({ refused: load.refused, unknown: load.unknown }).toEqual({ refused: [], unknown: [] });
  expect(await load.verify(cluster.running[0]?.respPort ?? 0)).toEqual([]);
}
