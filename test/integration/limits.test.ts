/**
 * Limits set by the real flags, seen through the Redis protocol and the metrics page of real processes.
 */
import { expect, it } from "vitest";
import { TestCluster } from "./harness.ts";
import type { NodeProcess } from "./node-process.ts";
import { RespClient, RespError, type RespValue } from "./resp-client.ts";
import { waitUntil } from "./wait-until.ts";

async function info(client: RespClient, name: string): Promise<number> {
  const text = String(await client.ask("INFO"));
  return Number(new RegExp(`^${name}:(.*)\r$`, "m").exec(text)?.[1]);
}

async function metric(node: NodeProcess, name: string): Promise<number> {
  const page = await (await fetch(`http://${node.ready.http}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, "m").exec(page)?.[1]);
}

/** Sends all, 200 at a time. */
async function pipelined(count: number, send: (at: number) => Promise<RespValue>): Promise<RespValue[]> {
  const replies: RespValue[] = [];
  for (let first = 0; first < count; first += 200) {
    const some = Array.from({ length: Math.min(200, count - first) }, (_, at) => send(first + at));
    replies.push(...(await Promise.all(some)));
  }
  return replies;
}

it("three nodes with --max-memory take writes without end, keep within it, and agree on what is left", async () => {
  const limit = 4 * 1024 * 1024;
  const cluster = new TestCluster();
  const nodes = await cluster.start(3, { "max-memory": "4mb", eviction: "lru", shards: "4" });
  const clients = await Promise.all(nodes.map((node) => RespClient.open(node.respPort)));
  const client = (at: number): RespClient => clients[at % clients.length] as RespClient;
  expect(await client(0).ask("CONFIG", "GET", "maxmemory*")).toEqual([
    "maxmemory",
    String(limit),
    "maxmemory-policy",
    "allkeys-lru",
  ]);
  const value = "v".repeat(1_000);
  const written = await pipelined(12_000, (at) => client(at).send("SET", `key:${at}`, `${value}${at}`));
  expect(written.filter((reply) => reply !== "OK")).toEqual([]);

  for (const node of nodes)
    await waitUntil("the node is back within its limit", 10_000, async () => {
      const held = await metric(node, "crema_cache_accounted_bytes");
      if (held > limit || held < limit * 0.8) throw new Error(`${held} accounted bytes`);
      return held;
    });
  expect(await info(client(0), "evicted_keys")).toBeGreaterThan(5_000);
  expect(await metric(nodes[1] as NodeProcess, "crema_cache_evictions_total")).toBeGreaterThan(5_000);

  const left = await Promise.all(
    clients.map(async (reader) => {
      const values = await pipelined(12_000, (at) => reader.send("GET", `key:${at}`));
      for (const [at, found] of values.entries()) if (found !== null) expect(found).toBe(`${value}${at}`);
      return values.map((found) => found !== null);
    }),
  );
  const kept = (left[0] as boolean[]).filter((present) => present).length;
  expect(kept).toBeGreaterThan(2_000);
  expect(left[1]).toEqual(left[0]);
  expect(left[2]).toEqual(left[0]);
  // The youngest were not the ones to go.
  expect((left[0] as boolean[]).slice(-1_000).every((present) => present)).toBe(true);
  for (const each of clients) each.close();
});

it("with --eviction none writes beyond --max-entries are refused as OOM, others go on", async () => {
  const cluster = new TestCluster();
  const node = cluster.launch({ "max-entries": "100", eviction: "none" });
  await node.untilReady();
  const client = await RespClient.open(node.respPort);
  const replies = await pipelined(150, (at) => client.send("SET", `key:${at}`, "1"));
  expect(replies.filter((reply) => reply === "OK")).toHaveLength(100);
  const refused = replies.filter((reply) => reply instanceof RespError);
  expect(refused).toHaveLength(50);
  for (const reply of refused) expect((reply as RespError).message).toMatch(/^OOM command not allowed/);
  const known = `key:${replies.indexOf("OK")}`;
  expect(await client.ask("GET", known)).toBe("1");
  expect(await client.ask("SET", known, "2")).toBe("OK");
  expect(await client.ask("DEL", known)).toBe(1);
  expect(await client.ask("SET", "new", "1")).toBe("OK");
  expect(await info(client, "crema_writes_refused_for_room")).toBe(50);
  expect(await client.ask("CONFIG", "GET", "maxmemory-policy")).toEqual(["maxmemory-policy", "noeviction"]);
  const over = await fetch(`http://${node.ready.http}/kv/other`, { method: "PUT", body: "1" });
  expect(over.status).toBe(507);
  expect(await over.json()).toMatchObject({ code: "CREMA_CAPACITY", retryable: true, ambiguous: false });
  client.close();
});

it("with --idle-ttl keys that nobody uses go, those in use stay", async () => {
  const cluster = new TestCluster();
  const node = cluster.launch({ "idle-ttl": "2s", shards: "2" });
  await node.untilReady();
  const client = await RespClient.open(node.respPort);
  await client.ask("MSET", "{t}used", "1", "{t}unused", "1");
  await waitUntil("the unused key is gone", 15_000, async () => {
    // STRLEN is a use, TYPE is none.
    expect(await client.ask("STRLEN", "{t}used")).toBe(1);
    return (await client.ask("TYPE", "{t}unused")) === "none" ? true : null;
  });
  expect(await client.ask("GET", "{t}used")).toBe("1");
  expect(await info(client, "crema_idle_expired_keys")).toBe(1);
  client.close();
});
