/**
 * A machine with a disk is away for so long that the cluster has replaced it, and comes back with its old state: that is put
 * aside, and the machine is a new member. (What a paused process without a disk does, test/integration/removed-node-returns tells.)
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { TestCluster } from "../integration/harness.ts";
import { waitUntil } from "../integration/wait-until.ts";
import { expectWithin, Stopwatch } from "./figures.ts";
import { makeDisks } from "./machine-data.ts";
import { untilRead, untilWritten } from "./shard-witness.ts";

const SHARDS = 16;

it("a removed member with its old disk archives that, joins under a new id, and raises nobody's term", async () => {
  const disk = makeDisks();
  const cluster = new TestCluster();
  const flags = { gossip: "local", "dead-grace": "1s" };
  const founder = cluster.launch({ ...flags, "data-dir": disk(0) });
  await founder.untilReady();
  const launch = (machine: number) =>
    cluster.launch({ ...flags, seed: founder.ready.cluster, "data-dir": disk(machine) });
  const others = [1, 2, 3].map(launch);
  await Promise.all(others.map((node) => node.untilReady()));
  await cluster.untilSettled();
  await untilWritten(founder.respPort, SHARDS, 10_000, "before");

  const [absent] = others;
  if (absent === undefined) throw new Error("three more were started");
  await absent.kill();
  await waitUntil("the cluster has removed it", 40_000, async () => {
    const { members } = await founder.status();
    return members.every(({ nodeId }) => nodeId !== absent.ready.nodeId) ? true : null;
  });
  await cluster.untilSettled();
  await cluster.untilBalanced();
  await untilWritten(founder.respPort, SHARDS, 10_000, "after");
  const before = (await founder.status()).shards;

  const back = launch(1);
  const since = new Stopwatch();
  await back.untilReady();
  await waitUntil("it is a member under a new id", 40_000, async () => {
    const status = await back.status();
    const self = status.members.find(({ nodeId }) => nodeId === status.nodeId);
    return status.nodeId !== absent.ready.nodeId && self?.state === "alive" ? true : null;
  });
  expectWithin("removed returns: a member under a new id", since.ms, 15_000);
  const archive = join(disk(1), "archive");
  expect(existsSync(archive) ? readdirSync(archive) : []).not.toEqual([]);
  expect(new Set(await untilRead(back.respPort, SHARDS, 20_000))).toEqual(new Set(["after"]));
  const after = (await founder.status()).shards;
  for (const { shard, term, leader } of after) {
    // Its share of the leaderships may be on the way to it; its old self asks for none.
    const handedOver = leader === before[shard]?.leader ? 0 : 1;
    expect(term - (before[shard]?.term ?? 0), `terms of shard ${shard}`).toBe(handedOver);
  }
}, 120_000);
