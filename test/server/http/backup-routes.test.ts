import { once } from "node:events";
import { request } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { CremaError } from "../../../src/base/errors.ts";
import { shardId } from "../../../src/base/ids.ts";
import { FAULTS, Fault } from "../../../src/cache/reply.ts";
import { RESTORE_BLOCKS_MAX } from "../../../src/server/http/backup-routes.ts";
import type { BackupEntry } from "../../../src/wire/backup-codec.ts";
import { BackupReader } from "../../../src/wire/backup-reader.ts";
import { blockOf, CLUSTER, entry, OTHER_CLUSTER, sectionParts } from "../../wire/backup-support.ts";
import { clusterError } from "../fake-door.ts";
import { type HttpDoorFixture, openHttpDoor } from "./http-fixture.ts";

let fixture: HttpDoorFixture;

beforeEach(async () => {
  fixture = await openHttpDoor({ shards: 4 });
});

afterEach(() => fixture.server.close());

function putBack(entries: readonly BackupEntry[], query = "") {
  const body = Buffer.from(blockOf(0, 0, entries));
  return fixture.json(`/backup/entries${query}`, { method: "POST", body });
}

/** Value and remaining time of `key`, as `GET /kv` answers them; null when absent. */
async function stored(key: string): Promise<{ value: string; ttlMs: number | null } | null> {
  const response = await fixture.fetch(`/kv/${encodeURIComponent(key)}`);
  if (response.status === 404) return null;
  const ttl = response.headers.get("crema-ttl-ms");
  return { value: await response.text(), ttlMs: ttl === null ? null : Number(ttl) };
}

test("what there is to back up is counted over all shards", async () => {
  await putBack([entry("a", "12"), entry("b", "345"), entry("longer key", "")]);
  expect(await fixture.json("/backup")).toEqual({
    status: 200,
    body: { clusterId: null, shardCount: 4, keys: 3, bytes: 17 },
  });
});

test("a shard is streamed as the node gives it", async () => {
  const parts = sectionParts(2, [[entry("a", "v".repeat(100_000))], [entry("b")]]);
  fixture.admin.backup = parts;
  const response = await fixture.fetch("/backup/shards/2");
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/octet-stream");
  expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.concat(parts));
});

test("a backup that fails before its first byte answers the failure", async () => {
  fixture.admin.failure = clusterError("CREMA_NO_LEADER", { retryable: true });
  expect(await fixture.json("/backup/shards/0")).toEqual({
    status: 503,
    body: expect.objectContaining({ code: "CREMA_NO_LEADER", retryable: true }),
  });
});

test("a backup that fails in the middle ends with the failure, and the log tells of it", async () => {
  fixture.admin.backup = sectionParts(1, [[entry("a")]]).slice(0, 2);
  fixture.admin.failure = clusterError("CREMA_UNREACHABLE", { retryable: true });
  const response = await fixture.fetch("/backup/shards/1");
  expect(response.status).toBe(200);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const reader = new BackupReader({ of: { shard: 1 }, deep: true });
  expect(() => [...reader.push(bytes)]).toThrow(
    expect.objectContaining({ code: "CREMA_UNREACHABLE", retryable: true }),
  );
  expect(fixture.warnings).toEqual(["the backup of shard 1 broke off"]);
});

test.each(["4", "-1", "x", "1.5", "4096", ""])("there is no shard '%s'", async (shard) => {
  const { status } = await fixture.json(`/backup/shards/${shard}`);
  expect(status).toBe(400);
});

test("a reader that goes away ends the backup", async () => {
  const parts = sectionParts(0, [[entry("a", "v".repeat(1_000))]]);
  fixture.admin.backup = [...parts, ...parts];
  let chunk = 0;
  const aborted = new Promise<void>((resolve) => {
    fixture.admin.beforeChunk = (signal) => {
      if (++chunk < 3) return;
      return new Promise<void>((go) => {
        signal.addEventListener("abort", () => {
          resolve();
          go();
        });
      });
    };
  });
  const outgoing = request(`http://127.0.0.1:${fixture.server.address.port}/backup/shards/0`).end();
  const [response] = await once(outgoing, "response");
  await once(response, "data");
  response.on("error", () => undefined);
  outgoing.destroy();
  await aborted;
  expect(chunk).toBe(3);
});

test("entries are put back with their values and what is left of their times to live", async () => {
  const binary = "\0\xff\x80";
  const given = [
    entry("plain"),
    entry("expiring", "e", 60_000),
    entry("over", "o", 10_000),
    entry(binary, binary),
  ];
  expect(await putBack(given, "?elapsedMs=20000")).toEqual({
    status: 200,
    body: { written: 3, skipped: 0, expired: 1 },
  });
  expect(await stored("plain")).toEqual({ value: "value of plain", ttlMs: null });
  expect((await stored("expiring"))?.ttlMs).toBeGreaterThan(39_000);
  expect((await stored("expiring"))?.ttlMs).toBeLessThanOrEqual(40_000);
  expect(await stored("over")).toBeNull();
  const written = fixture.door.asked.find(({ what }) => what.type === "set" && what.key === binary);
  expect(written?.what).toMatchObject({ value: binary });
});

test("keys that are there are left alone, or overwritten when asked", async () => {
  await putBack([entry("a", "first", 60_000)]);
  expect((await putBack([entry("a", "second"), entry("b")])).body).toEqual({
    written: 1,
    skipped: 1,
    expired: 0,
  });
  expect(await stored("a")).toMatchObject({ value: "first" });
  const { body } = await putBack([entry("a", "second"), entry("b")], "?existing=overwrite");
  expect(body).toEqual({ written: 2, skipped: 0, expired: 0 });
  expect(await stored("a")).toEqual({ value: "second", ttlMs: null });
});

test("a restore that began in another cluster is refused", async () => {
  fixture.admin.clusterId = CLUSTER;
  expect(await putBack([entry("a")], `?cluster=${OTHER_CLUSTER}`)).toMatchObject({
    status: 409,
    body: { code: "CREMA_CLUSTER_MISMATCH", retryable: false },
  });
  expect(await stored("a")).toBeNull();
  expect((await putBack([entry("a")], `?cluster=${CLUSTER}`)).status).toBe(200);
  expect(await fixture.json("/backup")).toMatchObject({ body: { clusterId: CLUSTER, keys: 1 } });
});

test("a block of many keys waits for its answers a few at a time", async () => {
  fixture.door.answers = "shuffled";
  const given = Array.from({ length: 3_000 }, (_, at) => entry(`key:${at}`));
  expect((await putBack(given)).body).toEqual({ written: 3_000, skipped: 0, expired: 0 });
  fixture.door.answers = "held";
  const again = putBack(given, "?existing=overwrite");
  const asked = fixture.door.asked.length;
  while (fixture.door.waiting < 512) await new Promise((resolve) => setImmediate(resolve));
  expect(fixture.door.asked.length - asked).toBe(512);
  fixture.door.answers = "at-once";
  fixture.door.release();
  expect((await again).body).toMatchObject({ written: 3_000 });
});

test("failures of the moment are met by trying again", async () => {
  let failures = 5;
  fixture.door.failWith(() => {
    if (failures-- <= 0) return null;
    const options = failures % 2 === 0 ? { ambiguous: true } : { retryable: true, retryAfterMs: 5 };
    return clusterError(failures % 2 === 0 ? "CREMA_TIMEOUT" : "CREMA_BUSY", options);
  });
  expect((await putBack([entry("a"), entry("b")])).body).toEqual({ written: 2, skipped: 0, expired: 0 });
  expect(failures).toBeLessThan(0);
});

test("a failure that stays is the answer", async () => {
  fixture.door.failWith(() => clusterError("CREMA_INTERNAL"));
  expect(await putBack([entry("a")])).toMatchObject({ status: 500, body: { code: "CREMA_INTERNAL" } });
});

test("a cluster that is full says so", async () => {
  const write = fixture.door.write.bind(fixture.door);
  fixture.door.write = (shard, command, timeoutMs, sink) => {
    if (command.type === "set" && command.key === "too many")
      sink.reply(new Fault(FAULTS["shard-full"].code));
    else write(shard, command, timeoutMs, sink);
  };
  expect(await putBack([entry("a"), entry("too many"), entry("b")])).toMatchObject({
    status: 507,
    body: { code: "CLUSTER_FULL", retryable: false },
  });
});

test.each([
  ["?existing=ignore", blockOf(0, 0, [])],
  ["?elapsedMs=-1", blockOf(0, 0, [])],
  ["?elapsedMs=1e3", blockOf(0, 0, [])],
  ["?elapsedMs=1&elapsedMs=2", blockOf(0, 0, [])],
  ["", new Uint8Array(0)],
  ["", Buffer.from("nonsense")],
  ["", sectionParts(0, [])[0] ?? new Uint8Array(0)],
  ["", blockOf(0, 0, [entry("a")]).subarray(0, -1)],
])("POST /backup/entries%s with another body (%#) is refused", async (query, body) => {
  const init = {
    method: "POST",
    body: Buffer.from(body),
    headers: { "content-type": "application/octet-stream" },
  };
  expect(await fixture.json(`/backup/entries${query}`, init)).toMatchObject({ status: 400 });
  expect(fixture.door.asked).toEqual([]);
});

test("one block too many is told to come back later", async () => {
  fixture.door.answers = "held";
  const held = Array.from({ length: RESTORE_BLOCKS_MAX }, (_, at) => putBack([entry(`key:${at}`)]));
  while (fixture.door.waiting < RESTORE_BLOCKS_MAX) await new Promise((resolve) => setImmediate(resolve));
  expect(await putBack([entry("a")])).toMatchObject({
    status: 503,
    body: { code: "CREMA_BUSY", retryable: true },
  });
  fixture.door.answers = "at-once";
  fixture.door.release();
  for (const each of held) expect((await each).status).toBe(200);
  expect((await putBack([entry("a")])).status).toBe(200);
});

test("an error that is no error of the cluster is not told to the reader", async () => {
  fixture.admin.backup = sectionParts(0, []).slice(0, 1);
  fixture.admin.failure = new TypeError("secret") as unknown as CremaError;
  const response = await fixture.fetch(`/backup/shards/${shardId(0)}`);
  const text = Buffer.from(await response.arrayBuffer()).toString("latin1");
  expect(text).toContain("CREMA_INTERNAL");
  expect(text).not.toContain("secret");
});
