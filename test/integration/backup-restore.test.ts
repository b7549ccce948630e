/**
 * A cluster into a file and out of it again, into a cluster of another shape, by the commands that people type.
 */
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Random } from "../../src/base/random.ts";
import {
  crema,
  entriesOf,
  firstDifference,
  readAll,
  redisAt,
  type Stored,
  storeAll,
  testFolder,
} from "./backup-process.ts";
import { leaderCounts, TestCluster } from "./harness.ts";
import { waitUntil } from "./wait-until.ts";

const HOUR_MS = 3_600_000;
const random = new Random(20, 26);

it("a backup taken while clients write holds all they were told is stored, and fills a cluster of another shape", async () => {
  const [cluster, other] = [new TestCluster(), new TestCluster()];
  const [nodes, [target]] = await Promise.all([
    cluster.start(3, { shards: "8" }),
    other.start(1, { shards: "3" }),
  ]);
  const [first, second, third] = nodes;
  if (!first || !second || !third || !target) throw new Error("a node is missing");
  const path = join(await testFolder(), "under-load.crema");
  const still = exampleKeys(30_000);
  await storeAll(redisAt(first), still);

  // Every turn writes one of 500 keys; what is acknowledged is remembered.
  const acknowledged = new Map<string, number>();
  const writer = redisAt(second);
  let stopped = false;
  const writing = Promise.all(
    Array.from({ length: 16 }, async (_, lane) => {
      for (let turn = lane; !stopped; turn += 16) {
        await writer.set(`live:${turn % 500}`, String(turn));
        acknowledged.set(`live:${turn % 500}`, turn);
      }
    }),
  );
  await waitUntil("all live keys are written", 20_000, () => (acknowledged.size === 500 ? true : null));
  const before = new Map(acknowledged);
  const turnsBefore = Math.max(...acknowledged.values());
  const backup = await crema(third, "backup", "--out", path);
  const turnsAfter = Math.max(...acknowledged.values());
  stopped = true;
  await writing;
  expect(backup, backup.errors).toMatchObject({ code: 0, errors: "" });
  expect(backup.output).toMatch(/^8 shards, 30,501 keys \(.+: .+under-load\.crema has .+B\n$/m);
  expect(turnsAfter).toBeGreaterThan(turnsBefore);

  const held = await entriesOf(path);
  for (const [key, turn] of before) {
    const kept = Number(held.get(key)?.value.toString() ?? Number.NaN);
    expect(kept, key).toBeGreaterThanOrEqual(turn);
    expect(kept % 500, key).toBe(turn % 500);
  }
  const live = new Map([...held].filter(([key]) => key.startsWith("live:")));
  expect(firstDifference(new Map([...still, ...live]), held)).toBeNull();
  const verified = await crema(third, "backup", "verify", path);
  expect(verified.output).toMatch(/under-load\.crema is whole: 30,501 keys/);

  const restored = await crema(target, "restore", "--in", path);
  expect(restored, restored.errors).toMatchObject({ code: 0, errors: "" });
  expect(restored.output).toMatch(/^restored 30,501 keys, in /m);
  const client = redisAt(target);
  expect(await client.dbsize()).toBe(held.size);
  const found = await readAll(client, held.keys());
  expect(firstDifference(held, found)).toBeNull();
  for (const [key, { ttlMs }] of held) {
    const left = found.get(key)?.ttlMs ?? null;
    expect(left === null, key).toBe(ttlMs === null);
    // Time went on between the backup and now, and at no other speed than here.
    if (ttlMs !== null && left !== null) {
      expect(left, key).toBeLessThanOrEqual(ttlMs);
      expect(left, key).toBeGreaterThan(ttlMs - 120_000);
    }
  }

  const refused = await crema(target, "restore", "--in", path);
  expect(refused).toMatchObject({
    code: 1,
    errors: expect.stringContaining("the cluster holds 30,501 keys already"),
  });
  await client.del("live:0");
  await client.set("live:1", "newer");
  const merged = await crema(target, "restore", "--in", path, "--merge");
  expect(merged.output).toMatch(/^restored 1 key \(30,500 were there already\), in /m);
  expect(await client.get("live:1")).toBe("newer");
  const overwritten = await crema(
    target,
    "restore",
    "--in",
    path,
    "--merge",
    "--existing",
    "overwrite",
    "--json",
  );
  expect(JSON.parse(overwritten.output)).toMatchObject({ written: 30_501, skipped: 0, expired: 0 });
  expect(await client.get("live:1")).toBe(held.get("live:1")?.value.toString());
}, 120_000);

it("a backup through a node that leads nothing is whole, and so is one during which a leader dies", async () => {
  const cluster = new TestCluster();
  const nodes = await cluster.start(3, { shards: "2" });
  const counts = leaderCounts(await cluster.untilBalanced(), nodes);
  const idle = nodes[counts.indexOf(0)];
  const leader = nodes[counts.findIndex((count) => count > 0)];
  if (idle === undefined || leader === undefined) throw new Error(`leaders: ${counts.join(", ")}`);
  const folder = await testFolder();
  const keys = exampleKeys(2_000, 20_000);
  await storeAll(redisAt(idle), keys);

  const quiet = await crema(idle, "backup", "--out", join(folder, "quiet.crema"));
  expect(quiet, quiet.errors).toMatchObject({ code: 0 });
  expect(firstDifference(keys, await entriesOf(join(folder, "quiet.crema")))).toBeNull();

  const backup = crema(idle, "backup", "--out", join(folder, "storm.crema"));
  await waitUntil("the backup is under way", 10_000, async () => {
    const partial = (await readdir(folder)).find((name) => name.startsWith("storm.crema"));
    return partial !== undefined && (await stat(join(folder, partial))).size > 0 ? true : null;
  });
  await leader.kill();
  const { code, output, errors } = await backup;
  expect(code, `${output}${errors}`).toBe(0);
  expect(firstDifference(keys, await entriesOf(join(folder, "storm.crema")))).toBeNull();
  expect((await readdir(folder)).sort()).toEqual(["quiet.crema", "storm.crema"]);
}, 120_000);

it("nothing is written to a cluster from a file that is not in order, and the exit code is 1", async () => {
  const cluster = new TestCluster();
  const [node] = await cluster.start(1, { shards: "4" });
  if (node === undefined) throw new Error("no node");
  const folder = await testFolder();
  const [path, bad] = [join(folder, "good.crema"), join(folder, "bad.crema")];
  const redis = redisAt(node);
  await storeAll(redis, exampleKeys(1_000));
  expect((await crema(node, "backup", "--out", path)).code).toBe(0);
  expect(await crema(node, "backup", "--out", path)).toMatchObject({
    code: 1,
    errors: `crema: ${path} exists already; --force replaces it\n`,
  });
  await redis.flushall();

  const whole = await readFile(path);
  for (const at of [8, Math.floor(whole.length / 2), whole.length - 1]) {
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] ?? 0) ^ 0x40;
    await writeFile(bad, damaged);
    const { code, errors } = await crema(node, "restore", "--in", bad);
    expect(code).toBe(1);
    expect(errors).toMatch(/^crema: .+bad\.crema is damaged at byte \d+/);
  }
  await writeFile(bad, "not a backup at all");
  expect((await crema(node, "restore", "--in", bad)).errors).toContain("bad.crema is not a backup of crema");
  expect((await crema(node, "restore", "--in", join(folder, "none"))).errors).toContain("no such file");
  expect((await crema(node, "restore")).code).toBe(2);
  expect(await redis.dbsize()).toBe(0);

  expect((await crema(node, "restore", "--in", path)).code).toBe(0);
  expect(await redis.dbsize()).toBe(1_001);
}, 60_000);

/** Binary keys with binary values, one in ten to expire, and one value of 4 MiB. */
function exampleKeys(count: number, valueBytesMax = 300): Stored {
  const bytes = (length: number): Buffer =>
    Buffer.from(Array.from({ length }, () => random.nextU32() & 0xff));
  const keys: Stored = new Map();
  for (let at = 0; at < count; at++) {
    const key = `${at}:${bytes(random.nextBetween(0, 12)).toString("latin1")}`;
    const ttlMs = at % 10 === 0 ? HOUR_MS + at : null;
    keys.set(key, { value: bytes(random.nextBetween(0, valueBytesMax)), ttlMs });
  }
  const large = bytes(64 * 1024);
  keys.set("large", { value: Buffer.concat(Array<Buffer>(64).fill(large)), ttlMs: null });
  return keys;
}
