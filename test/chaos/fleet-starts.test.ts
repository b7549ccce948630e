/**
 * Fresh machines come up in any order, some of them twice, and know nothing but a list of seeds. They are one cluster.
 */
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { freePorts, TestCluster } from "../integration/harness.ts";
import type { NodeProcess } from "../integration/node-process.ts";
import { waitUntil } from "../integration/wait-until.ts";
import { expectWithin, LONG } from "./figures.ts";

const FOUND_WITHIN_MS = 15_000;
const ROUNDS = LONG ? 10 : 1;

interface Start {
  readonly machines: number;
  /** The first so many of the machines are the seeds. */
  readonly seeds: number;
  /** The machines start at chance moments within this time. */
  readonly spreadMs: number;
  /**
   * So many of them die within their first second or so and are started again, unless they belong to a cluster by then: in
   * memory mode a member that dies takes its vote with it, and a young cluster of two has none to lose.
   */
  readonly restarts: number;
}

it.each<Start>([
  { machines: 3, seeds: 3, spreadMs: 3_000, restarts: 1 },
  { machines: 5, seeds: 3, spreadMs: 2_000, restarts: 2 },
  { machines: 9, seeds: 5, spreadMs: LONG ? 30_000 : 5_000, restarts: 3 },
])(
  "$machines machines that know $seeds seeds, start within $spreadMs ms, $restarts of them twice, are one cluster",
  async (start) => {
    for (let round = 0; round < ROUNDS; round++) await startFleet(start);
  },
  60_000 * ROUNDS,
);

it("a machine that is its own only seed is one cluster at once", async () => {
  await startFleet({ machines: 1, seeds: 1, spreadMs: 0, restarts: 0 });
});

async function startFleet({ machines, seeds, spreadMs, restarts }: Start): Promise<void> {
  const cluster = new TestCluster();
  const ports = await freePorts(machines);
  const seed = ports.slice(0, seeds).map((port) => `127.0.0.1:${port}`);
  const restarted = new Set(chosen(restarts, machines));

  /** Resolves when the process is there: how long a busy machine takes to get so far is not the node's doing. */
  const launch = async (port: number): Promise<NodeProcess> => {
    const node = cluster.launch({ seed: seed.join(","), port: String(port) });
    await waitUntil("the process has begun", 20_000, () => node.lines.length > 0 || null);
    return node;
  };
  const started = await Promise.all(
    ports.map(async (port, machine) => {
      await delay(Math.random() * spreadMs);
      let node = await launch(port);
      if (restarted.has(machine)) {
        await delay(Math.random() * 1_500);
        if (!node.isReady) {
          await node.kill();
          node = await launch(port);
        }
      }
      return { node, beganAtMs: performance.now(), readyAtMs: whenReady(node) };
    }),
  );
  const seedsBegan = started.slice(0, seeds).map(({ beganAtMs }) => beganAtMs);
  const majorityAtMs = seedsBegan.sort((left, right) => left - right)[Math.floor(seeds / 2)] ?? 0;
  const waits = await Promise.all(
    started.map(async ({ beganAtMs, readyAtMs }) => (await readyAtMs) - Math.max(majorityAtMs, beganAtMs)),
  );
  expectWithin(
    `fleet starts: ${machines} machines, the slowest after a majority of seeds and itself were up`,
    Math.round(Math.max(...waits)),
    FOUND_WITHIN_MS,
  );
  const statuses = await Promise.all(cluster.running.map((node) => node.status()));
  expect(new Set(statuses.map(({ clusterId }) => clusterId)).size).toBe(1);
  await cluster.untilSettled(40_000);
  await Promise.all(cluster.running.map((node) => node.kill()));
}

async function whenReady(node: NodeProcess): Promise<number> {
  await node.untilReady(60_000);
  return performance.now();
}

/** `count` of the numbers below `limit`, by chance. */
function chosen(count: number, limit: number): readonly number[] {
  const all = Array.from({ length: limit }, (_, number) => ({ number, key: Math.random() }));
  return all
    .sort((left, right) => left.key - right.key)
    .slice(0, count)
    .map(({ number }) => number);
}
