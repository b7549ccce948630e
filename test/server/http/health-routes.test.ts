import { afterAll, beforeAll, expect, test } from "vitest";
import { clusterError } from "../fake-door.ts";
import { type HttpDoorFixture, openHttpDoor } from "./http-fixture.ts";

let fixture: HttpDoorFixture;

beforeAll(async () => {
  fixture = await openHttpDoor();
});

afterAll(() => fixture.server.close());

test("/healthz answers 200 even while the node is not ready", async () => {
  fixture.admin.notReady = "no cluster yet";
  expect((await fixture.json("/healthz")).status).toBe(200);
  fixture.admin.notReady = null;
});

test("/readyz tells why the node is not ready", async () => {
  expect(await fixture.json("/readyz")).toEqual({ status: 200, body: { ready: true, reason: null } });
  fixture.admin.notReady = "waiting for seeds";
  expect(await fixture.json("/readyz")).toEqual({
    status: 503,
    body: { ready: false, reason: "waiting for seeds" },
  });
  fixture.admin.notReady = null;
});

test("/safe-to-stop tells why stopping would hurt", async () => {
  expect(await fixture.json("/safe-to-stop")).toEqual({ status: 200, body: { safe: true, reason: null } });
  fixture.admin.unsafeToStop = "shard 3 would have one voter less than it needs";
  expect(await fixture.json("/safe-to-stop")).toEqual({
    status: 409,
    body: { safe: false, reason: "shard 3 would have one voter less than it needs" },
  });
  fixture.admin.unsafeToStop = null;
});

test("/status is the cluster's status as JSON", async () => {
  const { status, body } = await fixture.json("/status");
  expect(status).toBe(200);
  expect(body).toEqual(JSON.parse(JSON.stringify(await fixture.admin.clusterStatus())));
});

test("a status that cannot be had is an error that says so", async () => {
  fixture.admin.failure = clusterError("CREMA_NOT_READY", { retryable: true });
  const response = await fixture.fetch("/status");
  expect(response.status).toBe(503);
  expect(response.headers.get("retry-after")).toBe("1");
  expect(await response.json()).toMatchObject({ code: "CREMA_NOT_READY", retryable: true });
  fixture.admin.failure = null;
});
