/**
 * Every machine of a fleet is replaced by a new one, as a deployment does it: each is told to go before the one before it has
 * gone, and clients write all the while.
 */
import { expect, it } from "vitest";
import { TestCluster } from "../integration/harness.ts";
import { WriteLoad } from "../integration/load.ts";
import type { NodeProcess } from "../integration/node-process.ts";
import { waitUntil } from "../integration/wait-until.ts";
import { expectWithin, LONG, Stopwatch, tell } from "./figures.ts";

const GENERATIONS = LONG ? 4 : 1;

it(
  `all three machines are replaced under load, ${GENERATIONS} times, and no write fails`,
  async () => {
    const cluster = new TestCluster();
    await cluster.start(3);
    // Like every Redis client: finds another door when its own closes, and repeats what had no answer.
    const doors = cluster.nodes.map((node) => node.respPort);
    const load = new WriteLoad({ ports: doors, workers: 3, depth: 8, resend: true }).start();
    for (let generation = 0; generation < GENERATIONS; generation++) {
      const before = load.acknowledgedCount;
      await waitUntil("the load runs", 20_000, () => load.acknowledgedCount > before + 500 || null);
      const exits: Promise<void>[] = [];
      for (const old of [...cluster.running]) {
        // Whoever runs is told of; some of them are on their way out.
        const seed = cluster.running.map((node) => node.ready.cluster).join(",");
        const newcomer = cluster.launch({ seed });
        await newcomer.untilReady();
        doors.push(newcomer.respPort);
        exits.push(leavesInOrder(old));
      }
      await Promise.all(exits);
      await cluster.untilSettled();
    }
    await load.stop();
    tell(
      `rolling replacement: ${load.acknowledgedCount} writes, ${load.resentCount} of them repeated at another door`,
    );
    expect({ refused: load.refused, unknown: load.unknown }).toEqual({ refused: [], unknown: [] });
    expect(await load.verify(cluster.running[0]?.respPort ?? 0)).toEqual([]);
  },
  60_000 + GENERATIONS * 90_000,
);

/** SIGTERM: not ready at once, gone within the budget. */
async function leavesInOrder(node: NodeProcess): Promise<void> {
  const since = new Stopwatch();
  const exit = node.terminate();
  await waitUntil("it is not ready, or gone already", 5_000, async () => {
    if (node.exit !== null) return true;
    const response = await fetch(`http://${node.ready.http}/readyz`).catch(() => null);
    return response === null || response.status === 503 ? true : null;
  });
  tell(`rolling replacement: not ready after ${since.ms} ms`);
  expect(await exit).toEqual({ code: 0, signal: null });
  expectWithin("rolling replacement: gone", since.ms, 25_000);
}
