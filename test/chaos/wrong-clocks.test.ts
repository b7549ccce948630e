/**
 * Processes whose clock of the wall is wrong, and jumps: forward by an hour, back by two, right again, at every node at other times.
 * Nothing but the clock of the wall can be moved in a process, which is the one that people and time servers move.
 */
import { expect, it } from "vitest";
import { TestCluster } from "../integration/harness.ts";
import { RespClient } from "../integration/resp-client.ts";
import { waitUntil } from "../integration/wait-until.ts";
import { expectWithin, Stopwatch, tell } from "./figures.ts";
import { keyPerShard, untilWritten } from "./shard-witness.ts";

const SHARDS = 16;
const HOUR_MS = 3_600_000;
const SHORT_MS = 8_000;
/** Loaded into every node before its own code: each SIGUSR2 moves its clock, +1 h, then -1 h, then right. */
const CLOCK = `
  const steps = [${HOUR_MS}, -${HOUR_MS}, 0];
  const right = Date.now;
  let at = -1;
  Date.now = () => right() + (at < 0 ? 0 : steps[at]);
  process.on("SIGUSR2", () => { at = (at + 1) % steps.length; });
`;
const PRELOAD = `--import=data:text/javascript,${encodeURIComponent(CLOCK)}`;

it("clocks jump by an hour both ways while leaders change: keys go in time, and nobody stands for election", async () => {
  process.env.NODE_OPTIONS = PRELOAD;
  const cluster = new TestCluster();
  const nodes = await cluster.start(3);
  delete process.env.NODE_OPTIONS;
  await cluster.untilBalanced();
  const [first, second, third] = nodes;
  if (first === undefined || second === undefined || third === undefined) throw new Error("three nodes run");
  const client = await RespClient.open(second.respPort);
  const short = keyPerShard(SHARDS, "short");
  const long = keyPerShard(SHARDS, "long");
  const since = new Stopwatch();
  for (const key of short) expect(await client.ask("SET", key, "1", "PX", String(SHORT_MS))).toBe("OK");
  for (const key of long) expect(await client.ask("SET", key, "1", "PX", String(HOUR_MS / 2))).toBe("OK");
  const writtenMs = since.ms;

  const terms = async (): Promise<readonly number[]> =>
    (await second.status()).shards.map(({ term }) => term);
  const before = await terms();
  const jumped = new Stopwatch();
  for (const node of [first, second, third, first, second, first]) {
    node.signal("SIGUSR2");
    // A node without the preload would die of this signal. In the end one clock is right, one an hour ahead, one an hour behind.
    await Promise.all(long.map((key) => client.ask("GET", key)));
  }
  await untilWritten(third.respPort, SHARDS, 10_000);
  expect(await terms()).toEqual(before);
  tell(`wrong clocks: six jumps within ${jumped.ms} ms, no election`);
  for (const key of long) {
    expect(await client.ask("GET", key)).toBe("1");
    const leftMs = Number(await client.ask("PTTL", key));
    expect(leftMs).toBeGreaterThan(HOUR_MS / 2 - 60_000);
    expect(leftMs).toBeLessThanOrEqual(HOUR_MS / 2);
  }

  // Whoever leads next goes on with the time that the shard has had.
  await first.kill();
  await untilWritten(third.respPort, SHARDS, 20_000);
  const gone = await waitUntil("the keys that were to live shortly are gone", SHORT_MS + 20_000, async () => {
    const values = await Promise.all(short.map((key) => client.ask("GET", key)));
    if (since.ms < SHORT_MS) expect(values).toEqual(short.map(() => "1"));
    return values.every((value) => value === null) ? since.ms : null;
  });
  expect(gone).toBeGreaterThanOrEqual(SHORT_MS);
  expectWithin(
    "wrong clocks: short keys are gone, after their time",
    Math.max(0, gone - writtenMs - SHORT_MS),
    3_000,
  );
  for (const key of long) {
    expect(await client.ask("GET", key)).toBe("1");
    expect(Number(await client.ask("PTTL", key))).toBeGreaterThan(HOUR_MS / 2 - 60_000);
  }
  client.close();
}, 120_000);
