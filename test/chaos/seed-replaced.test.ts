/**
 * An empty machine comes up at the address of a seed while the cluster lives: it joins, and never founds beside it.
 */
import { expect, it } from "vitest";
import { freePorts, TestCluster } from "../integration/harness.ts";
import { waitUntil } from "../integration/wait-until.ts";
import { expectWithin, Stopwatch } from "./figures.ts";
import { untilRead, untilWritten } from "./shard-witness.ts";

const SHARDS = 16;

it("each seed in turn is replaced by an empty machine at its address, and it is one cluster with all its data", async () => {
  const cluster = new TestCluster();
  const ports = await freePorts(3);
  const seed = ports.map((port) => `127.0.0.1:${port}`).join(",");
  const launch = (port: number) => cluster.launch({ seed, port: String(port) });
  const seats = ports.map(launch);
  await Promise.all(seats.map((node) => node.untilReady()));
  await cluster.untilSettled();
  const { clusterId } = seats[0]?.ready ?? {};
  await untilWritten(seats[0]?.respPort ?? 0, SHARDS, 10_000, "kept");

  for (const [seat, port] of ports.entries()) {
    const old = seats[seat];
    await old?.kill();
    const since = new Stopwatch();
    const empty = launch(port);
    seats[seat] = empty;
    await empty.untilReady();
    expectWithin("seed replaced: the empty machine is a member", since.ms, 15_000);
    expect(empty.ready.clusterId).toBe(clusterId);
    expect(empty.ready.nodeId).not.toBe(old?.ready.nodeId);
    await waitUntil("the old id is gone", 30_000, async () => {
      const { members } = await cluster.status();
      return members.length === 3 && members.every(({ nodeId }) => nodeId !== old?.ready.nodeId)
        ? true
        : null;
    });
    await cluster.untilSettled();
    expectWithin("seed replaced: every shard has its three voters again", since.ms, 30_000);
    expect(empty.lines.filter((line) => line.includes("founding cluster"))).toEqual([]);
  }
  expect(new Set(await untilRead(seats[0]?.respPort ?? 0, SHARDS, 5_000))).toEqual(new Set(["kept"]));
}, 120_000);
