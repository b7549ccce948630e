/**
 * Redis' own programs and the two common client libraries, against a node that is not the leader of most keys.
 */
import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { expect, it } from "vitest";
import { leaderCounts, TestCluster } from "./harness.ts";
import type { NodeProcess } from "./node-process.ts";
import { waitUntil } from "./wait-until.ts";

const hasBenchmark = spawnSync("redis-benchmark", ["--version"]).status === 0;

it.skipIf(!hasBenchmark)(
  "redis-benchmark ends without an error against a follower (skipped where it is not installed)",
  async () => {
    const cluster = new TestCluster();
    const nodes = await cluster.start(3);
    const follower = await leastLeading(cluster, nodes);
    const argv = [
      "-p",
      String(follower.respPort),
      "-t",
      "set,get",
      "-n",
      "200000",
      "-c",
      "50",
      "-P",
      "16",
      "-q",
    ];
    const { stdout, stderr } = await promisify(execFile)("redis-benchmark", argv, { timeout: 100_000 });
    expect(stdout.replaceAll("\r", "\n")).toMatch(
      /SET: [\d.]+ requests per second[\s\S]*GET: [\d.]+ requests per second/,
    );
    expect(stdout + stderr).not.toMatch(/error/i);
  },
  120_000,
);

it("ioredis connects, pipelines, scans and reconnects to a node that came back", async () => {
  const cluster = new TestCluster();
  const { survivor, restart, port } = await clusterWithFixedPort(cluster);
  const redis = new Redis({ host: "127.0.0.1", port, retryStrategy: () => 50 });
  redis.on("error", () => undefined);
  try {
    expect(await redis.set("a", "1", "EX", 100)).toBe("OK");
    const pipeline = redis.pipeline();
    for (let index = 0; index < 200; index++) pipeline.set(`io:${index}`, String(index));
    expect((await pipeline.exec())?.filter(([error]) => error !== null)).toEqual([]);
    const scanned = new Set<string>();
    for await (const keys of redis.scanStream({ match: "io:*", count: 50 }))
      for (const key of keys) scanned.add(key);
    expect(scanned.size).toBe(200);

    await restart();
    await waitUntil("ioredis is connected again", 20_000, () => (redis.status === "ready" ? true : null));
    await waitUntil("ioredis reads again", 20_000, async () =>
      (await redis.get("io:7")) === "7" ? true : null,
    );
    expect(survivor.exit).toBeNull();
  } finally {
    redis.disconnect();
  }
}, 60_000);

it("node-redis connects, pipelines, scans and reconnects to a node that came back", async () => {
  const cluster = new TestCluster();
  const { restart, port } = await clusterWithFixedPort(cluster);
  const client = createClient({ socket: { host: "127.0.0.1", port, reconnectStrategy: 50 } });
  client.on("error", () => undefined);
  await client.connect();
  try {
    expect(await client.set("a", "1", { expiration: { type: "EX", value: 100 } })).toBe("OK");
    const writes = Array.from({ length: 200 }, (_, index) => client.set(`node:${index}`, String(index)));
    expect(new Set(await Promise.all(writes))).toEqual(new Set(["OK"]));
    const scanned = new Set<string>();
    for await (const keys of client.scanIterator({ MATCH: "node:*", COUNT: 50 }))
      for (const key of keys) scanned.add(key);
    expect(scanned.size).toBe(200);

    await restart();
    await waitUntil("node-redis is connected again", 20_000, () => (client.isReady ? true : null));
    await waitUntil("node-redis reads again", 20_000, async () =>
      (await client.get("node:7")) === "7" ? true : null,
    );
  } finally {
    client.destroy();
  }
}, 60_000);

/** Three nodes, and a way to kill the third and start it anew behind the same Redis port. */
async function clusterWithFixedPort(cluster: TestCluster) {
  const [survivor, second, third] = await cluster.start(3);
  if (survivor === undefined || second === undefined || third === undefined)
    throw new Error("three nodes were asked for");
  const port = third.respPort;
  const clusterPort = third.ready.cluster.split(":").at(-1) ?? "";
  const restart = async () => {
    await third.kill();
    await cluster.add({ port: clusterPort, "resp-port": String(port) });
  };
  return { survivor, restart, port };
}

async function leastLeading(cluster: TestCluster, nodes: readonly NodeProcess[]): Promise<NodeProcess> {
  const counts = leaderCounts(await cluster.status(), nodes);
  const node = nodes[counts.indexOf(Math.min(...counts))];
  if (node === undefined) throw new Error("no node was started");
  return node;
}
