/** The two Redis clients of the Node.js world against this door. */
import { Redis } from "ioredis";
import { createClient } from "redis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SILENT_LOGGER } from "../../src/server/logger.ts";
import { openRespServer } from "../../src/server/resp-server.ts";
import { openRespDoor, type RespDoorFixture } from "./resp-fixture.ts";

let fixture: RespDoorFixture;

beforeEach(async () => {
  fixture = await openRespDoor({ answers: "shuffled", shards: 5 });
});

afterEach(() => fixture.close());

/** The same door again on the same port, as after a restart. */
async function reopen(): Promise<void> {
  const { address } = fixture.server;
  await fixture.server.close({ graceful: false });
  const server = await openRespServer({
    ...address,
    door: fixture.door,
    admin: fixture.admin,
    logger: SILENT_LOGGER,
    cremaVersion: "1.2.3",
  });
  fixture = { ...fixture, server, close: () => server.close({ graceful: false }) };
}

describe("ioredis", () => {
  let redis: Redis;

  beforeEach(async () => {
    redis = new Redis({ port: fixture.server.address.port, retryStrategy: () => 10, lazyConnect: true });
    await redis.connect();
  });

  afterEach(() => redis.disconnect());

  test("connects through its ready check and says who it is", async () => {
    expect(redis.status).toBe("ready");
    expect(await redis.call("CLIENT", "LIST")).toContain("lib-name=ioredis");
  });

  test("stores, reads, counts and expires", async () => {
    expect(await redis.set("k", "v", "EX", 100)).toBe("OK");
    expect(await redis.get("k")).toBe("v");
    expect(await redis.ttl("k")).toBe(100);
    expect(await redis.incrby("n", 5)).toBe(5);
    expect(await redis.mset({ a: "1", b: "2" })).toBe("OK");
    expect(await redis.mget("a", "b", "c")).toEqual(["1", "2", null]);
    expect(await redis.del("a", "b", "c")).toBe(2);
    await expect(redis.incr("k")).rejects.toThrow("ERR value is not an integer or out of range");
  });

  test("keeps bytes as they are", async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
    await redis.set("bytes", bytes);
    expect(await redis.getBuffer("bytes")).toEqual(bytes);
  });

  test("pipelines", async () => {
    const pipeline = redis.pipeline();
    for (let n = 0; n < 500; n++) pipeline.set(`k${n}`, `v${n}`).get(`k${n}`);
    const results = await pipeline.exec();
    expect(results?.length).toBe(1_000);
    for (const [n, [error, value]] of (results ?? []).entries()) {
      expect(error).toBeNull();
      expect(value).toBe(n % 2 === 0 ? "OK" : `v${(n - 1) / 2}`);
    }
  });

  test("scans every key of every shard", async () => {
    const names = Array.from({ length: 300 }, (_, n) => `key:${n}`);
    await redis.mset(...names.flatMap((name) => [name, "v"]));
    await redis.set("other", "v");
    const found = new Set<string>();
    for await (const keys of redis.scanStream({ match: "key:*", count: 20 })) {
      for (const key of keys as string[]) found.add(key);
    }
    expect([...found].sort()).toEqual([...names].sort());
  });

  test("comes back by itself when the door opens again", async () => {
    await redis.set("k", "v");
    await reopen();
    expect(await redis.get("k")).toBe("v");
  });
});

describe.each([2, 3] as const)("node-redis with RESP%d", (RESP) => {
  function create() {
    return createClient({
      RESP,
      socket: { port: fixture.server.address.port, host: "127.0.0.1", reconnectStrategy: () => 10 },
    });
  }

  let client: ReturnType<typeof create>;

  beforeEach(async () => {
    client = create();
    client.on("error", () => {});
    await client.connect();
  });

  afterEach(() => client.destroy());

  test("connects and says who it is", async () => {
    expect(await client.sendCommand(["CLIENT", "LIST"])).toContain("lib-name=node-redis");
    expect(await client.sendCommand(["CLIENT", "LIST"])).toContain(`resp=${RESP}`);
  });

  test("stores, reads, counts and expires", async () => {
    expect(await client.set("k", "v", { expiration: { type: "EX", value: 100 } })).toBe("OK");
    expect(await client.get("k")).toBe("v");
    expect(await client.get("missing")).toBeNull();
    expect(await client.ttl("k")).toBe(100);
    expect(await client.set("k", "w", { condition: "NX" })).toBeNull();
    expect(await client.incrByFloat("f", 1.5)).toBe("1.5");
    expect(await client.mGet(["k", "missing"])).toEqual(["v", null]);
    expect(await client.configGet("maxclients")).toEqual({ maxclients: "10000" });
    await expect(client.incr("k")).rejects.toThrow("ERR value is not an integer or out of range");
  });

  test("pipelines what is asked in one turn, in order", async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) => [client.set("same", `${n}`), client.get("same")]).flat(),
    );
    for (let n = 0; n < 200; n++) expect(answers.slice(n * 2, n * 2 + 2)).toEqual(["OK", `${n}`]);
  });

  test("scans every key of every shard", async () => {
    const names = Array.from({ length: 100 }, (_, n) => `key:${n}`);
    await client.mSet(names.map((name) => [name, "v"] as [string, string]));
    const found = new Set<string>();
    for await (const keys of client.scanIterator({ MATCH: "key:*", COUNT: 7 }))
      for (const key of keys) found.add(key);
    expect([...found].sort()).toEqual([...names].sort());
  });

  test("comes back by itself when the door opens again", async () => {
    await client.set("k", "v");
    await reopen();
    await expect.poll(() => client.get("k").catch(() => null), { timeout: 5_000 }).toBe("v");
  });
});
