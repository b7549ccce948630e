/**
 * The machines that everybody's seed list names are gone. The cluster does not need them; newcomers do, and wait for them.
 */
import { expect, it } from "vitest";
import { freePorts, TestCluster } from "../integration/harness.ts";
import { waitUntil } from "../integration/wait-until.ts";
import { expectWithin, Stopwatch, tell } from "./figures.ts";
import { makeDisks } from "./machine-data.ts";
import { untilRead, untilWritten } from "./shard-witness.ts";

const SHARDS = 16;
/** Longer than a founding takes: whoever has not founded by then was not going to. */
const PATIENCE_MS = 8_000;

it("a cluster whose seeds are gone serves, newcomers wait for a seed, and a member with a disk finds its way back", async () => {
  const disk = makeDisks();
  const cluster = new TestCluster();
  const [first = 0, second = 0, httpPort = 0] = await freePorts(3);
  const seed = `127.0.0.1:${first},127.0.0.1:${second}`;
  const seeds = [first, second].map((port) => cluster.launch({ seed, port: String(port) }));
  const launchMember = (machine: number) => cluster.launch({ seed, "data-dir": disk(machine) });
  const members = [launchMember(0), launchMember(1), launchMember(2)];
  await Promise.all(cluster.nodes.map((node) => node.untilReady()));
  await cluster.untilSettled();
  const [witness, , absent] = members;
  if (witness === undefined || absent === undefined) throw new Error("three members were started");
  const { clusterId } = witness.ready;
  const door = witness.respPort;
  await untilWritten(door, SHARDS, 10_000, "kept");
  for (const node of seeds) expect(await node.terminate()).toEqual({ code: 0, signal: null });
  await cluster.untilSettled();
  await untilWritten(door, SHARDS, 5_000, "kept");

  const newcomer = cluster.launch({ seed, "http-port": String(httpPort) });
  const waiting = new Stopwatch();
  await absent.kill();
  const back = launchMember(2);
  const since = new Stopwatch();
  await back.untilReady();
  await untilRead(back.respPort, SHARDS, 30_000);
  expectWithin("seeds down: a member with a disk is back and serves", since.ms, 15_000);
  expect(back.ready).toMatchObject({ clusterId, nodeId: absent.ready.nodeId });

  await waitUntil("the newcomer has waited", 30_000, () => waiting.ms > PATIENCE_MS || null);
  expect(newcomer.isReady).toBe(false);
  const response = await fetch(`http://127.0.0.1:${httpPort}/readyz`);
  expect(response.status).toBe(503);
  tell(`seeds down: a newcomer says ${await response.text()}`);
  expect(newcomer.lines.filter((line) => line.includes("founding cluster"))).toEqual([]);

  // One seed comes back, empty: the members look for it for ever, so it learns of the cluster, and the newcomer with it.
  const seedBack = cluster.launch({ seed, port: String(first) });
  const found = new Stopwatch();
  await Promise.all([seedBack.untilReady(40_000), newcomer.untilReady(40_000)]);
  tell(
    `seeds down: an empty machine at a seed's address has joined, and the newcomer through it, after ${found.ms} ms`,
  );
  expect([seedBack.ready.clusterId, newcomer.ready.clusterId]).toEqual([clusterId, clusterId]);
  expect(new Set(await untilRead(newcomer.respPort, SHARDS, 10_000))).toEqual(new Set(["kept"]));
}, 120_000);
