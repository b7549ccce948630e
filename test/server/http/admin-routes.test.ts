import { afterEach, beforeEach, expect, test } from "vitest";
import { nodeId } from "../../../src/base/ids.ts";
import { clusterError } from "../fake-door.ts";
import { type HttpDoorFixture, openHttpDoor } from "./http-fixture.ts";

let fixture: HttpDoorFixture;

beforeEach(async () => {
  fixture = await openHttpDoor();
});

afterEach(() => fixture.server.close());

function order(path: string, body: string | undefined, type = "application/json") {
  const init = body === undefined ? {} : { body };
  return fixture.json(path, { method: "POST", headers: { "content-type": type }, ...init });
}

test("join passes the seeds on", async () => {
  expect(await order("/admin/join", '{"seeds":["10.0.0.5:7946","[::1]:7947"]}')).toEqual({
    status: 200,
    body: { joined: true, seeds: 2 },
  });
  expect(fixture.admin.joined).toEqual([
    [
      { host: "10.0.0.5", port: 7946 },
      { host: "::1", port: 7947 },
    ],
  ]);
});

test.each([
  [""],
  ["{}"],
  ['{"seeds":[]}'],
  ['{"seeds":"10.0.0.5:7946"}'],
  ['{"seeds":["nonsense:port"]}'],
  ['{"seeds":[7]}'],
  ["[]"],
  ["null"],
  ["{"],
])("join refuses %j with 400", async (body) => {
  expect(await order("/admin/join", body)).toMatchObject({ status: 400, body: { code: "BAD_REQUEST" } });
  expect(fixture.admin.joined).toEqual([]);
});

test("leave without a node means this one", async () => {
  for (const body of [undefined, "{}", '{"nodeId":null}']) {
    expect(await order("/admin/leave", body)).toEqual({
      status: 200,
      body: { left: true, nodeId: fixture.admin.nodeId },
    });
  }
  expect(fixture.admin.left).toEqual([null, null, null]);
});

test("leave names another node", async () => {
  await order("/admin/leave", '{"nodeId":"00000000000000ff"}');
  expect(fixture.admin.left).toEqual(["00000000000000ff"]);
  expect(await order("/admin/leave", '{"nodeId":"me"}')).toMatchObject({ status: 400 });
});

test("an order that is not JSON by name is refused, so that no web page can give one unasked", async () => {
  for (const type of ["text/plain", "application/x-www-form-urlencoded"]) {
    expect(await order("/admin/leave", "{}", type)).toMatchObject({ status: 415 });
  }
  expect(fixture.admin.left).toEqual([]);
});

test("an order that fails says why", async () => {
  fixture.admin.failure = clusterError("CREMA_SEED_MISMATCH");
  expect(await order("/admin/join", '{"seeds":["a:1"]}')).toMatchObject({
    status: 409,
    body: { code: "CREMA_SEED_MISMATCH" },
  });
});

test("an order is at most 64 KiB", async () => {
  const { status } = await order("/admin/join", JSON.stringify({ seeds: ["a".repeat(65_536)] }));
  expect(status).toBe(413);
});

test("recover tells the plan, and does it only for members that were named", async () => {
  const lost = ["00000000000000a1", "00000000000000a2"];
  fixture.admin.plan = { lost: lost.map(nodeId), obstacle: null, steps: [] };
  expect(await fixture.json("/admin/recover")).toEqual({ status: 200, body: fixture.admin.plan });
  for (const bad of ["{}", '{"lost":"00000000000000a1"}', '{"lost":["a1"]}', '{"lost":[null]}', ""])
    expect(await order("/admin/recover", bad)).toMatchObject({ status: 400, body: { code: "BAD_REQUEST" } });
  expect(fixture.admin.recovered).toEqual([]);
  expect(await order("/admin/recover", JSON.stringify({ lost }))).toMatchObject({ status: 200 });
  expect(fixture.admin.recovered).toEqual([lost]);
});

test("a recovery that is refused answers 409", async () => {
  fixture.admin.failure = clusterError("CREMA_RECOVERY_REFUSED");
  expect(await order("/admin/recover", '{"lost":[]}')).toMatchObject({
    status: 409,
    body: { code: "CREMA_RECOVERY_REFUSED" },
  });
});
