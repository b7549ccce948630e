import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { SharedInput } from "../../src/server/shared-input.ts";

let server: Server;
let clients: Socket[] = [];

/** A server that reads with `input`, and a socket connected to it: what the client holds, and what the server accepted. */
async function accept(
  limits: { allowHalfOpen?: boolean } = {},
): Promise<{ client: Socket; accepted: Socket }> {
  server ??= createServer({ pauseOnConnect: true, ...limits }).listen(0, "127.0.0.1");
  if (!server.listening) await once(server, "listening");
  const { port } = server.address() as { port: number };
  const client = connect(port, "127.0.0.1");
  clients.push(client);
  const [[accepted]] = (await Promise.all([once(server, "connection"), once(client, "connect")])) as [
    [Socket],
    unknown,
  ];
  return { client, accepted };
}

afterEach(async () => {
  for (const client of clients) client.destroy();
  clients = [];
  await new Promise((resolve) => server.close(resolve));
  server = undefined as unknown as Server;
});

/** Reads `accepted` and keeps what came, and which memory it lay in. */
function read(input: SharedInput, accepted: Socket) {
  const seen = { text: "", memories: new Set<ArrayBufferLike>(), socket: accepted };
  seen.socket = input.read(accepted, (chunk) => {
    seen.text += chunk.toString("latin1");
    seen.memories.add(chunk.buffer);
  });
  return seen;
}

describe("one buffer for all sockets", () => {
  test("what two sockets receive lies in the same memory, and each hears its own", async () => {
    const input = new SharedInput();
    const [a, b] = [await accept(), await accept()];
    const [ofA, ofB] = [read(input, a.accepted), read(input, b.accepted)];
    for (let n = 0; n < 50; n++) {
      a.client.write(`a${n} `);
      b.client.write(`b${n} `.repeat(1 + (n % 3)));
      await new Promise(setImmediate);
    }
    a.client.end("last");
    b.client.end("last");
    await Promise.all([once(ofA.socket, "end"), once(ofB.socket, "end")]);
    expect(ofA.text).toBe(`${Array.from({ length: 50 }, (_, n) => `a${n} `).join("")}last`);
    expect(ofB.text).toBe(
      `${Array.from({ length: 50 }, (_, n) => `b${n} `.repeat(1 + (n % 3))).join("")}last`,
    );
    // Not only shared: were it read as a stream, as where Node.js has no such handle, each read had memory of its own.
    expect(new Set([...ofA.memories, ...ofB.memories]).size).toBe(1);
  });

  test("more than the buffer holds comes in several pieces", async () => {
    const { client, accepted } = await accept();
    const seen = read(new SharedInput(), accepted);
    const sent = Array.from({ length: 100_000 }, (_, n) => `${n},`).join("");
    client.end(sent);
    await once(seen.socket, "end");
    expect(seen.text).toBe(sent);
  });

  test("a paused socket reads nothing until it is resumed", async () => {
    const { client, accepted } = await accept();
    let text = "";
    const socket = new SharedInput().read(accepted, (chunk) => {
      text += chunk.toString("latin1");
      socket.pause();
    });
    client.write("first");
    await expect.poll(() => text).toBe("first");
    await new Promise<void>((resolve) => client.write("second", () => resolve()));
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    expect(text).toBe("first");
    socket.resume();
    await expect.poll(() => text).toBe("firstsecond");
  });
});

describe("the socket it answers", () => {
  test("knows its ends, and writes after the other end has finished", async () => {
    const { client, accepted } = await accept({ allowHalfOpen: true });
    const remotePort = accepted.remotePort;
    const { socket } = read(new SharedInput(), accepted);
    expect([socket.remotePort, socket.remoteAddress]).toEqual([remotePort, "127.0.0.1"]);
    client.end("question");
    await once(socket, "end");
    let answer = "";
    client.on("data", (bytes) => {
      answer += bytes.toString("latin1");
    });
    socket.end("answer");
    await once(client, "end");
    expect(answer).toBe("answer");
  });

  test("is closed by nobody but its owner: not with the one that was accepted, nor when that is collected", async () => {
    const { client, accepted } = await accept();
    const seen = read(new SharedInput(), accepted);
    if (accepted !== seen.socket) accepted.destroy();
    client.write("still there");
    await expect.poll(() => seen.text).toBe("still there");
    seen.socket.destroy();
    await once(client, "close");
  });

  test("its server waits for it no more: who owns it closes it", async () => {
    const { accepted } = await accept();
    const { socket } = read(new SharedInput(), accepted);
    const connections = await new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
    expect(connections).toBe(0);
    socket.destroy();
  });
});

test("where a handle cannot read into a buffer, the socket is read as a stream", async () => {
  const { client, accepted } = await accept();
  (accepted as unknown as { _handle: { useUserBuffer: null } })._handle.useUserBuffer = null;
  const seen = read(new SharedInput(), accepted);
  expect(seen.socket).toBe(accepted);
  client.end("as a stream");
  await once(seen.socket, "end");
  expect(seen.text).toBe("as a stream");
});
