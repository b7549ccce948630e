/**
 * A fleet grows to three times its size and shrinks again, in order and all at once, or loses most of its machines to a power
 * failure.
 */
import { expect, it } from "vitest";
import { TestCluster } from "../integration/harness.ts";
import { WriteLoad } from "../integration/load.ts";
import { waitUntil } from "../integration/wait-until.ts";
import { expectWithin, Stopwatch, tell } from "./figures.ts";

const SMALL = 3;
const LARGE = 9;

it("three machines become nine and three again, six of them told to go at once, and no write fails", async () => {
  const cluster = new TestCluster();
  const few = [...(await cluster.start(SMALL))];
  const load = new WriteLoad({
    ports: few.map((node) => node.respPort),
    workers: 2,
    depth: 8,
    resend: false,
  });
  load.start();
  const growing = new Stopwatch();
  const more = await Promise.all(Array.from({ length: LARGE - SMALL }, () => cluster.add()));
  tell(`scale: nine machines ready after ${growing.ms} ms`);
  await cluster.untilSettled();
  await cluster.untilBalanced();
  tell(`scale: replicas and leaders spread over nine after ${growing.ms} ms`);

  const shrinking = new Stopwatch();
  const exits = await Promise.all(
    more.map(async (node) => {
      const exit = await node.terminate();
      tell(`scale: gone after ${shrinking.ms} ms with code ${exit.code}`);
      return exit;
    }),
  );
  expectWithin("scale: six machines told at once are gone", shrinking.ms, 25_000);
  for (const exit of exits) expect(exit).toEqual({ code: 0, signal: null });
  const { shards } = await cluster.untilSettled(10_000);
  for (const { voters } of shards) expect(voters).toHaveLength(3);
  await load.stop();
  tell(`scale: ${load.acknowledgedCount} writes`);
  expect({ refused: load.refused, unknown: load.unknown }).toEqual({ refused: [], unknown: [] });
  for (const node of few) expect(await load.verify(node.respPort)).toEqual([]);
  expect(await waitUntil("three are left", 5_000, async () => (await cluster.status()).members.length)).toBe(
    SMALL,
  );
}, 180_000);
