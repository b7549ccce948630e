import { afterEach, beforeEach, expect, test } from "vitest";
import { clusterError } from "../fake-door.ts";
import { type HttpDoorFixture, openHttpDoor } from "./http-fixture.ts";

let fixture: HttpDoorFixture;

beforeEach(async () => {
  fixture = await openHttpDoor();
});

afterEach(() => fixture.server.close());

function order(path: string, type = "application/json", body = "{}") {
  return fixture.json(path, { method: "POST", headers: { "content-type": type }, body });
}

test("anybody may see how the rebalancing stands", async () => {
  expect(await fixture.json("/rebalance")).toEqual({
    status: 200,
    body: await fixture.admin.rebalanceStatus(),
  });
});

test("it is paused and resumed by an order, which is answered once it is carried out", async () => {
  expect(await order("/rebalance/pause")).toEqual({ status: 200, body: { paused: true } });
  expect(fixture.admin.rebalancePaused).toBe(true);
  expect(await order("/rebalance/resume")).toEqual({ status: 200, body: { paused: false } });
  expect(fixture.admin.rebalancePaused).toBe(false);
});

test("an order that is not JSON by name, or not an object, changes nothing", async () => {
  expect(await order("/rebalance/pause", "text/plain")).toMatchObject({
    status: 415,
    body: { code: "UNSUPPORTED_MEDIA_TYPE" },
  });
  expect(await order("/rebalance/pause", "application/json", "[]")).toMatchObject({ status: 400 });
  expect(fixture.admin.rebalancePaused).toBeNull();
});

test("a failure says why, and whether to try again", async () => {
  fixture.admin.failure = clusterError("CREMA_NO_LEADER", { retryable: true });
  for (const answer of [await order("/rebalance/pause"), await fixture.json("/rebalance")]) {
    expect(answer).toMatchObject({ status: 503, body: { code: "CREMA_NO_LEADER", retryable: true } });
  }
});
