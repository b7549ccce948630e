import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterEach, expect, it } from "vitest";
import type { RespWork } from "../job.ts";
import { Tally } from "../tally.ts";
import { waitUntil } from "../wait-until.ts";
import { RespLoad } from "./resp-load.ts";

const WITHIN_MS = 20_000;
let server: Server | null = null;
let load: RespLoad | null = null;
afterEach(() => {
  load?.destroy();
  server?.close();
});

it("a paced load asks as often as it is told, and ends although nothing is under way", async () => {
  const asked: number[] = [];
  const port = await serve(() => asked.push(performance.now()));
  const tally = new Tally();
  tally.begin();
  const beganAtMs = performance.now();
  load = new RespLoad(work(4, 200), [port], tally, false);
  await waitUntil("a hundred requests came", WITHIN_MS, () => (asked.length >= 100 ? null : "too few"));
  load.stop();
  await load.finished;
  tally.end();
  // 99 distances of 5 ms, however busy the machine is: it makes them longer only.
  expect((asked[99] as number) - beganAtMs).toBeGreaterThanOrEqual(495);
  const { operations } = tally.outcome();
  expect(operations).toBeGreaterThanOrEqual(99);
  expect(operations).toBeLessThanOrEqual(asked.length);
});

it("a load without a pace asks again as soon as it is answered", async () => {
  let asked = 0;
  const port = await serve(() => asked++);
  const beganAtMs = performance.now();
  load = new RespLoad(work(1, null), [port], new Tally(), true);
  await load.finished;
  expect(asked).toBe(1_000);
  expect(performance.now() - beganAtMs).toBeLessThan(WITHIN_MS);
});

/** Answers every chunk, which is one request, with +OK. */
async function serve(onRequest: () => void): Promise<number> {
  server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", () => {
      onRequest();
      socket.write("+OK\r\n");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function work(connections: number, perSecond: number | null): RespWork {
  return {
    type: "resp",
    command: "SET",
    connections,
    pipeline: 1,
    waitForReplica: "no",
    readOnly: false,
    perSecond,
    data: { firstKey: 0, keys: 1_000, valueBytes: 64 },
  };
}
