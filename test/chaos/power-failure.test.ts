/**
 * Most machines of a fleet with disks lose their power at once. What lost its majority says so, what kept it serves on, and when
 * the machines return everything is there.
 */
import { expect, it } from "vitest";
import { DurableFleet } from "../integration/durable-fleet.ts";
import { expectWithin, Stopwatch, tell } from "./figures.ts";
import { askEveryShard, refusals, untilRead, untilWritten } from "./shard-witness.ts";

const SHARDS = 16;
const SURVIVORS = [0, 1, 2];
const VICTIMS = [3, 4, 5, 6, 7, 8];

it("six of nine killed at once: shards without a majority refuse, the others serve, and all is there again after", async () => {
  const fleet = await DurableFleet.start(SURVIVORS.length + VICTIMS.length);
  const door = fleet.respPorts[0] ?? 0;
  await untilWritten(door, SHARDS, 20_000, "kept");
  const { shards } = await fleet.node(0).status();
  const living = SURVIVORS.map((member) => fleet.node(member).ready.nodeId);
  const served = shards.filter(({ voters }) => voters.filter((voter) => living.includes(voter)).length >= 2);
  tell(`power failure: ${served.length} of ${SHARDS} shards keep their majority`);

  await fleet.kill(VICTIMS);
  const dark = new Stopwatch();
  const answers = await askEveryShard(door, SHARDS, (key) => ["GET", key]);
  tell(`power failure: all shards answered or refused ${dark.ms} ms after the six died`);
  for (const { shard, value } of answers) {
    const isServed = served.some((each) => each.shard === shard);
    if (isServed) expect(value, `shard ${shard}`).toBe("kept");
  }
  const texts = refusals(answers);
  for (const text of texts) expect(text).toMatch(/^(CLUSTERDOWN|TIMEOUT) /);
  expect(texts).toHaveLength(SHARDS - served.length);

  const again = await askEveryShard(door, SHARDS, (key) => ["GET", key]);
  expectWithin("power failure: asked once more", Math.max(...again.map(({ tookMs }) => tookMs)), 1_000);
  expect(refusals(again)).toHaveLength(texts.length);

  const back = new Stopwatch();
  for (const member of VICTIMS) fleet.launch(member);
  const values = await untilRead(door, SHARDS, 60_000);
  expectWithin("power failure: every shard is read, after the start of the six", back.ms, 15_000);
  expect(new Set(values)).toEqual(new Set(["kept"]));
  await Promise.all(VICTIMS.map((member) => fleet.node(member).untilReady()));
  await fleet.cluster.untilSettled();
  tell(`power failure: whole again after ${back.ms} ms`);
}, 180_000);
