import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ResponseSink } from "../../../src/server/http/response-sink.ts";

const CHUNK = new Uint8Array(256 * 1024);
let server: Server;

beforeEach(async () => {
  server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

/** An answer to be written, and its reader, who has not begun to read. */
async function exchange(): Promise<{ response: ServerResponse; reader: Promise<IncomingMessage> }> {
  const outgoing = request(`http://127.0.0.1:${(server.address() as AddressInfo).port}`).end();
  outgoing.on("error", () => undefined);
  const reader = once(outgoing, "response").then(([incoming]: IncomingMessage[]) => {
    if (incoming === undefined) throw new Error("no response");
    return incoming.pause().on("error", () => undefined);
  });
  const [, response] = (await once(server, "request")) as [IncomingMessage, ServerResponse];
  return { response, reader };
}

test("what the connection does not take waits until the reader reads, and all of it arrives", async () => {
  const { response, reader } = await exchange();
  const sink = new ResponseSink(response, () => undefined);
  let chunks = 0;
  let waiting: void | Promise<void>;
  do {
    waiting = sink.write(CHUNK);
    chunks++;
  } while (waiting === undefined);
  let taken = false;
  void waiting.then(() => {
    taken = true;
    sink.end(Uint8Array.of(1, 2, 3));
  });
  const incoming = await reader;
  let bytes = 0;
  for await (const chunk of incoming) bytes += chunk.length;
  expect(taken).toBe(true);
  expect(bytes).toBe(chunks * CHUNK.length + 3);
});

test("a reader that takes nothing for too long is cut off, and what waits for it fails", async () => {
  const { response } = await exchange();
  let gone = 0;
  const sink = new ResponseSink(response, () => void gone++, 50);
  const fill = async (): Promise<void> => {
    for (;;) await sink.write(CHUNK);
  };
  await expect(fill()).rejects.toMatchObject({ code: "CREMA_ABORTED" });
  expect(gone).toBe(1);
  expect(() => sink.write(CHUNK)).toThrow(expect.objectContaining({ code: "CREMA_ABORTED" }));
  sink.end(new Uint8Array(1));
});
