/**
 * The disk of a stopped node is copied, as a machine image or a careless operator does it, and both copies are started.
 */
import { cpSync } from "node:fs";
import { expect, it } from "vitest";
import { TestCluster } from "../integration/harness.ts";
import { expectWithin, Stopwatch, tell } from "./figures.ts";
import { makeDisks } from "./machine-data.ts";
import { untilRead, untilWritten } from "./shard-witness.ts";

const SHARDS = 16;

it("of two processes on copies of one disk the second is refused in clear words, and the first serves on", async () => {
  const disk = makeDisks();
  const cluster = new TestCluster();
  const founder = cluster.launch({ "data-dir": disk(0) });
  await founder.untilReady();
  const seed = founder.ready.cluster;
  const launch = (name: number | string) => cluster.launch({ seed, "data-dir": disk(name) });
  const [second, third] = [launch(1), launch(2)];
  await Promise.all([second.untilReady(), third.untilReady()]);
  await cluster.untilSettled();
  await untilWritten(founder.respPort, SHARDS, 10_000, "kept");
  const { nodeId } = third.ready;

  expect(await third.terminate()).toMatchObject({ code: 0 });
  cpSync(disk(2), disk("copy"), { recursive: true });
  const original = launch(2);
  await original.untilReady();
  expect(original.ready.nodeId).toBe(nodeId);
  await cluster.untilSettled();

  // The second time its disk remembers who it is not.
  for (const manner of ["cannot go on", "cannot start"]) {
    const since = new Stopwatch();
    const copy = launch("copy");
    expect(await copy.exited).toEqual({ code: 1, signal: null });
    expectWithin("cloned disk: the copy has been refused and has ended", since.ms, 10_000);
    const last = copy.lines.findLast((line) => line.includes("fatal")) ?? "{}";
    tell(`cloned disk: ${JSON.parse(last).msg}`);
    for (const word of [manner, "CREMA_ID_CONFLICT", nodeId, original.ready.cluster, "copy"])
      expect(last).toContain(word);
  }

  await cluster.untilSettled();
  expect(original.exit).toBeNull();
  expect(new Set(await untilRead(original.respPort, SHARDS, 10_000))).toEqual(new Set(["kept"]));
}, 120_000);
