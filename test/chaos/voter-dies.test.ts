/**
 * The commonest day of an ephemeral fleet: a machine is gone, another one with nothing but the seeds comes instead.
 */
import { expect, it } from "vitest";
import { TestCluster } from "../integration/harness.ts";
import { WriteLoad } from "../integration/load.ts";
import { waitUntil } from "../integration/wait-until.ts";
import { expectWithin, LONG, Stopwatch, tell } from "./figures.ts";
import { untilWritten } from "./shard-witness.ts";

const SHARDS = 16;
const ROUNDS = LONG ? 6 : 1;

it(
  `a voter dies under load and a new machine comes, ${ROUNDS} times: leaders, writes and copies are all there`,
  async () => {
    const cluster = new TestCluster();
    await cluster.start(3);
    await cluster.untilBalanced();
    for (let round = 0; round < ROUNDS; round++) {
      const [victim, ...others] = cluster.running;
      if (victim === undefined) throw new Error("three nodes run");
      const ports = cluster.running.map((node) => node.respPort);
      const load = new WriteLoad({ ports, workers: 4, depth: 8, resend: false }).start();
      await waitUntil("the load runs", 10_000, () => load.acknowledgedCount > 500 || null);

      await victim.kill();
      const since = new Stopwatch();
      const newcomer = cluster.add();
      await untilWritten(others[0]?.respPort ?? 0, SHARDS, 20_000);
      expectWithin("voter dies: every shard has a leader", since.ms, 3_000);
      await newcomer;
      tell(`voter dies: the new machine is ready ${since.ms} ms after the death`);
      await cluster.untilSettled();
      expectWithin("voter dies: every shard has three voters that live", since.ms, 30_000);
      await load.stop();
      expect(await load.verify((await newcomer).respPort)).toEqual([]);
      tell(
        `voter dies: ${load.acknowledgedCount} writes acknowledged, ${load.refused.length} refused, ${load.unknown.length} unknown`,
      );
      expect(load.acknowledgedCount).toBeGreaterThan(1_000);
    }
  },
  60_000 + ROUNDS * 60_000,
);
