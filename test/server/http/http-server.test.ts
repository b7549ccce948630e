/** The HTTP door as a whole: its listener, unknown routes, and closing. */
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HTTP_ROUTES, openHttpServer } from "../../../src/server/http/http-server.ts";
import { SILENT_LOGGER } from "../../../src/server/logger.ts";
import { FakeAdmin, FakeDoor } from "../fake-door.ts";
import { type HttpDoorFixture, openHttpDoor } from "./http-fixture.ts";

let fixture: HttpDoorFixture;

beforeEach(async () => {
  fixture = await openHttpDoor();
});

afterEach(() => fixture.server.close());

test("an unknown route answers 404 and lists the routes", async () => {
  const { status, body } = await fixture.json("/nothing/here");
  expect(status).toBe(404);
  expect(body).toMatchObject({ code: "NOT_FOUND", retryable: false, routes: HTTP_ROUTES });
});

test("every listed route exists", async () => {
  for (const route of HTTP_ROUTES.filter((listed) => !listed.includes("/events"))) {
    const [method = "", path = ""] = route.split(" ");
    const response = await fixture.fetch(path.replace("<key>", "some-key"), { method });
    const text = await response.text();
    expect(text, route).not.toContain('"NOT_FOUND"');
  }
});

test("a taken port is named together with the flag that changes it", async () => {
  const { port } = fixture.server.address;
  const second = openHttpServer({
    host: "127.0.0.1",
    port,
    door: new FakeDoor(),
    admin: new FakeAdmin(),
    respStats: null,
    logger: SILENT_LOGGER,
  });
  await expect(second).rejects.toMatchObject({
    code: "CREMA_ADDRESS_IN_USE",
    message: expect.stringMatching(new RegExp(`port ${port} .*--http-port`)),
  });
});

test("a bug is logged and answered without its inside", async () => {
  fixture.admin.clusterStatus = () => Promise.reject(new Error("secret detail"));
  const { status, body } = await fixture.json("/status");
  expect(status).toBe(500);
  expect(JSON.stringify(body)).not.toContain("secret");
  expect(fixture.warnings).toContain("an HTTP request failed");
});

test("closing lets a running request finish", async () => {
  fixture.door.answers = "held";
  const running = fixture.fetch("/kv/k", { method: "PUT", body: "v" });
  await expect.poll(() => fixture.door.waiting).toBe(1);
  const closed = fixture.server.close();
  fixture.door.release();
  expect((await running).status).toBe(204);
  await closed;
});

test("closing does not wait for sockets that never carried a request", async () => {
  const socket = connect({ host: "127.0.0.1", port: fixture.server.address.port });
  await once(socket, "connect");
  await fixture.fetch("/healthz");
  await fixture.server.close();
  expect(fixture.warnings).toEqual([]);
  await once(socket, "close");
});

test("closing twice is closing once", async () => {
  await Promise.all([fixture.server.close(), fixture.server.close()]);
});
