import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { keyText, valueText } from "../job.ts";
import { request } from "../load/resp-batches.ts";
import { BareNode } from "./bare-node.ts";

const NODES = 3;
const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

it("answers what was stored through any node at any other one, in the order it was asked", async () => {
  const nodes = Array.from({ length: NODES }, (_, self) => new BareNode(self, NODES, null));
  for (const [low, high] of [
    [0, 1],
    [0, 2],
    [1, 2],
  ] as const) {
    const [mine, theirs] = await pair();
    nodes[low]?.link(high, mine);
    nodes[high]?.link(low, theirs);
  }
  expect(nodes.map((node) => node.isComplete)).toEqual([true, true, true]);
  const clients: Socket[] = [];
  for (const node of nodes) {
    const [client, door] = await pair();
    node.client(door);
    clients.push(client);
  }

  // Ten keys: all three lead for some of them.
  const numbers = Array.from({ length: 10 }, (_, number) => number);
  const stored = numbers.map((number) => request("SET", keyText(number), valueText(number)));
  await expectReply(clients[0], stored.join(""), "+OK\r\n".repeat(numbers.length));
  const read = [...numbers, 99].map((number) => request("GET", keyText(number)));
  const found = numbers.map((number) => `$64\r\n${valueText(number)}\r\n`);
  await expectReply(clients[2], read.join(""), `${found.join("")}$-1\r\n`);
});

/** Both ends of a connection. */
async function pair(): Promise<readonly [Socket, Socket]> {
  const server = createServer({ noDelay: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const client = connect({ host: "127.0.0.1", port: address.port, noDelay: true });
  const [accepted] = (await once(server, "connection")) as [Socket];
  server.close();
  open.push(
    () => client.destroy(),
    () => accepted.destroy(),
  );
  return [client, accepted];
}

async function expectReply(client: Socket | undefined, sent: string, expected: string): Promise<void> {
  let heard = "";
  const whole = new Promise<void>((resolve) => {
    client?.on("data", (chunk) => {
      heard += chunk.toString("latin1");
      if (heard.length >= expected.length) resolve();
    });
  });
  client?.write(sent, "latin1");
  await whole;
  expect(heard).toBe(expected);
}
