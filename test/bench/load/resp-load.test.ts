import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
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

it("a load that waits for a replica when answered asks for it once all replies of a batch are there, and for no more before", async () => {
  const asked: string[] = [];
  let unconfirmed = 0;
  const port = await serve(
    () => {},
    (chunk, socket) => {
      const text = chunk.toString("latin1");
      const isWait = text.endsWith("$4\r\nWAIT\r\n$1\r\n1\r\n$1\r\n0\r\n");
      const sets = text.split("SET").length - 1;
      asked.push(isWait ? `WAIT after ${unconfirmed} and ${sets}` : `${sets} of SET`);
      unconfirmed = isWait ? 0 : sets;
      if (isWait) socket.write(":1\r\n");
      else void inTwoPieces(socket, "+OK\r\n".repeat(sets / 2));
    },
  );
  const tally = new Tally();
  tally.begin();
  load = new RespLoad(
    { ...work(1, null), pipeline: 4, waitForReplica: "when-answered" },
    [port],
    tally,
    true,
  );
  await load.finished;
  tally.end();
  expect(asked).toEqual(
    Array.from({ length: 500 }, (_, at) => (at % 2 === 0 ? "4 of SET" : "WAIT after 4 and 0")),
  );
  expect(tally.outcome().operations).toBe(1_000);
});

/** Sends `piece` twice. Whoever listens in this process hears the first by itself: the event loop looks at its sockets in between. */
async function inTwoPieces(socket: Socket, piece: string): Promise<void> {
  socket.write(piece);
  for (let rounds = 0; rounds < 3; rounds++) await setImmediate();
  socket.write(piece);
}

/** Answers every chunk, which is one request, with +OK, or as it is told. */
async function serve(
  onRequest: () => void,
  answer = (_chunk: Buffer, socket: Socket): unknown => socket.write("+OK\r\n"),
): Promise<number> {
  server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      onRequest();
      answer(chunk, socket);
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
