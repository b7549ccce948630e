import { afterEach, beforeEach, expect, test } from "vitest";
import { SYSTEM_GROUP } from "../../../src/base/ids.ts";
import { EVENT_STREAMS_MAX } from "../../../src/server/http/event-streams.ts";
import { type HttpDoorFixture, openHttpDoor } from "./http-fixture.ts";

let fixture: HttpDoorFixture;

beforeEach(async () => {
  fixture = await openHttpDoor({ heartbeatMs: 20 });
});

afterEach(() => fixture.server.close());

/** Lines of `/events`, parsed, as they come. */
async function* lines(response: Response): AsyncGenerator<Record<string, unknown>> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) yield JSON.parse(part);
  }
}

test("a reader gets every event as a line of JSON, in order", async () => {
  const response = await fixture.fetch("/events");
  expect(response.headers.get("content-type")).toContain("application/x-ndjson");
  const stream = lines(response);
  expect((await stream.next()).value).toMatchObject({ type: "heartbeat" });
  fixture.admin.emit({ type: "ready" });
  fixture.admin.emit({ type: "leader-changed", group: SYSTEM_GROUP, leader: null, term: 7 });
  const events: unknown[] = [];
  for await (const line of stream) {
    if (line.type !== "heartbeat") events.push(line);
    if (events.length === 2) break;
  }
  expect(events).toEqual([{ type: "ready" }, { type: "leader-changed", group: 0, leader: null, term: 7 }]);
});

test("an idle stream beats", async () => {
  const stream = lines(await fixture.fetch("/events"));
  for (let beats = 0; beats < 3; beats++) {
    expect((await stream.next()).value).toMatchObject({ type: "heartbeat", wallMs: expect.any(Number) });
  }
  await stream.return(undefined);
});

test("when the last reader goes, the node is no longer listened to", async () => {
  const stream = lines(await fixture.fetch("/events"));
  await stream.next();
  expect(fixture.admin.listeners).toBe(1);
  await stream.return(undefined);
  await expect.poll(() => fixture.admin.listeners).toBe(0);
});

test("closing the door ends the streams", async () => {
  const stream = lines(await fixture.fetch("/events"));
  await stream.next();
  await fixture.server.close();
  let last: IteratorResult<unknown>;
  do last = await stream.next();
  while (!last.done);
  expect(last.done).toBe(true);
});

test("streams beyond the limit are refused", async () => {
  const open = await Promise.all(Array.from({ length: EVENT_STREAMS_MAX }, () => fixture.fetch("/events")));
  const refused = await fixture.json("/events");
  expect(refused).toMatchObject({ status: 503, body: { code: "TOO_MANY_STREAMS" } });
  await Promise.all(open.map((response) => response.body?.cancel()));
});

test("a reader that does not read is cut off, and the others are not", async () => {
  const idle = await fixture.fetch("/events");
  const reader = lines(await fixture.fetch("/events"));
  await reader.next();
  const reason = "x".repeat(100_000);
  let seen = 0;
  for (let n = 0; n < 2_000 && fixture.warnings.length === 0; n++) {
    fixture.admin.emit({ type: "seed-unreachable", seed: { host: "h", port: 1 }, reason });
    for (;;) {
      const { value } = await reader.next();
      if (value?.type === "seed-unreachable") break;
    }
    seen++;
  }
  expect(fixture.warnings).toContain("an event stream that is not read is closed");
  expect(seen).toBeGreaterThan(1);
  fixture.admin.emit({ type: "leaving" });
  let last: Record<string, unknown> | undefined;
  do last = (await reader.next()).value;
  while (last?.type !== "leaving");
  await reader.return(undefined);
  await idle.body?.cancel().catch(() => {});
});
