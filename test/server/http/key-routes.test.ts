import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { VALUE_BYTES_MAX } from "../../../src/base/limits.ts";
import { clusterError } from "../fake-door.ts";
import { type HttpDoorFixture, openHttpDoor } from "./http-fixture.ts";

let fixture: HttpDoorFixture;

beforeEach(async () => {
  fixture = await openHttpDoor();
});

afterEach(() => fixture.server.close());

function put(key: string, body: string | Uint8Array<ArrayBuffer>): Promise<Response> {
  return fixture.fetch(`/kv/${key}`, { method: "PUT", body });
}

test("what is put is got, byte for byte, whatever the content type", async () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, n) => n);
  for (const type of ["application/octet-stream", "application/json", "text/plain", "image/png"]) {
    const stored = await fixture.fetch("/kv/k", {
      method: "PUT",
      body: bytes,
      headers: { "content-type": type },
    });
    expect(stored.status).toBe(204);
    const got = await fixture.fetch("/kv/k");
    expect(got.headers.get("content-type")).toBe("application/octet-stream");
    expect(new Uint8Array(await got.arrayBuffer())).toEqual(bytes);
  }
});

test("an empty value is a value", async () => {
  expect((await fixture.fetch("/kv/k", { method: "PUT" })).status).toBe(204);
  const got = await fixture.fetch("/kv/k");
  expect(got.status).toBe(200);
  expect(await got.text()).toBe("");
});

test("an absent key is 404 to GET and DELETE", async () => {
  for (const method of ["GET", "DELETE"]) {
    expect(await fixture.json("/kv/missing", { method })).toMatchObject({
      status: 404,
      body: { code: "KEY_NOT_FOUND" },
    });
  }
});

test("DELETE removes the key", async () => {
  await put("k", "v");
  expect((await fixture.fetch("/kv/k", { method: "DELETE" })).status).toBe(204);
  expect((await fixture.fetch("/kv/k")).status).toBe(404);
});

test("a version rises with every write and comes with every read", async () => {
  const first = Number((await put("k", "1")).headers.get("crema-version"));
  const second = Number((await put("k", "2")).headers.get("crema-version"));
  expect(second).toBeGreaterThan(first);
  expect(Number((await fixture.fetch("/kv/k")).headers.get("crema-version"))).toBe(second);
});

test("ttlMs ends the key in time, and a read tells what remains", async () => {
  expect((await put("k?ttlMs=60000", "v")).status).toBe(204);
  const remaining = Number((await fixture.fetch("/kv/k")).headers.get("crema-ttl-ms"));
  expect(remaining).toBeGreaterThan(50_000);
  expect(remaining).toBeLessThanOrEqual(60_000);
  fixture.door.skewMs = 60_001;
  expect((await fixture.fetch("/kv/k")).status).toBe(404);
});

test("a key without time to live has no such header", async () => {
  await put("k", "v");
  expect((await fixture.fetch("/kv/k")).headers.has("crema-ttl-ms")).toBe(false);
});

test("keys are percent-encoded UTF-8, slashes included", async () => {
  await put("a/b%2Fc/%C3%A9%20%3F", "v");
  expect(fixture.door.asked.at(-1)?.what).toMatchObject({ type: "set", key: "a/b/c/\xc3\xa9 ?" });
  expect((await fixture.fetch("/kv/a/b%2Fc/%C3%A9%20%3F")).status).toBe(200);
});

test("reads are linearizable unless local is asked for", async () => {
  await put("k", "v");
  await fixture.fetch("/kv/k");
  expect(fixture.door.asked.at(-1)?.consistency).toBe("linearizable");
  await fixture.fetch("/kv/k?consistency=local");
  expect(fixture.door.asked.at(-1)?.consistency).toBe("local");
});

test.each([
  ["GET", "/kv/k?consistency=maybe"],
  ["GET", "/kv/k?consistency=local&consistency=local"],
  ["PUT", "/kv/k?ttlMs=0"],
  ["PUT", "/kv/k?ttlMs=-1"],
  ["PUT", "/kv/k?ttlMs=1.5"],
  ["PUT", "/kv/k?ttlMs=soon"],
  ["PUT", "/kv/k?ttlMs="],
  ["GET", "/kv/"],
  ["GET", "/kv/%FF"],
  ["GET", "/kv/%zz"],
])("%s %s is refused with 400", async (method, path) => {
  const { status, body } = await fixture.json(path, { method });
  expect(status).toBe(400);
  expect(body).toMatchObject({ code: "BAD_REQUEST", retryable: false });
});

test("the longest key fits, one byte more does not", async () => {
  expect((await put("k".repeat(65_535), "v")).status).toBe(204);
  expect((await put("%C3%A9".repeat(32_767), "v")).status).toBe(204);
  expect((await put("k".repeat(65_536), "v")).status).toBe(400);
});

test("the largest value fits, one byte more does not", async () => {
  expect((await put("k", new Uint8Array(VALUE_BYTES_MAX))).status).toBe(204);
  const got = await fixture.fetch("/kv/k");
  expect((await got.arrayBuffer()).byteLength).toBe(VALUE_BYTES_MAX);
  const refused = await put("k", new Uint8Array(VALUE_BYTES_MAX + 1));
  expect(refused.status).toBe(413);
  expect(await refused.json()).toMatchObject({ code: "TOO_LARGE" });
});

describe("a failure of the cluster", () => {
  test.each([
    ["CREMA_NO_LEADER", { retryable: true }, 503, "1"],
    ["CREMA_NO_QUORUM", { retryable: true }, 503, "1"],
    ["CREMA_BUSY", { retryable: true, retryAfterMs: 2_500 }, 503, "3"],
    ["CREMA_TIMEOUT", { ambiguous: true }, 504, null],
    ["CREMA_INTERNAL", {}, 500, null],
  ] as const)("%s keeps its code and flags", async (code, options, status, retryAfter) => {
    fixture.door.failWith(() => clusterError(code, options));
    const response = await put("k", "v");
    expect(response.status).toBe(status);
    expect(response.headers.get("retry-after")).toBe(retryAfter);
    expect(await response.json()).toEqual({
      code,
      message: `${code.toLowerCase()} for a test`,
      retryable: "retryable" in options,
      ambiguous: "ambiguous" in options,
    });
  });

  test("before the node has joined, every request is answered so", async () => {
    fixture.door.notReady = clusterError("CREMA_NOT_READY", { retryable: true });
    expect((await fixture.fetch("/kv/k")).status).toBe(503);
  });
});
