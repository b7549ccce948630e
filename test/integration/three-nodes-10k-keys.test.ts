/**
 * Any node answers any request: what is written through one is read through another, all of it.
 */
import { expect, it } from "vitest";
import { Random } from "../../src/base/random.ts";
import { leaderCounts, TestCluster } from "./harness.ts";
import { RespClient, type RespValue } from "./resp-client.ts";

const KEYS = 10_000;
const DEPTH_MAX = 128;

it("10,000 keys written round-robin through three nodes are each read back through another one", async () => {
  const cluster = new TestCluster();
  const nodes = await cluster.start(3);
  const clients = await Promise.all(nodes.map((node) => RespClient.open(node.respPort)));
  const client = (index: number) => clients[index % clients.length] ?? clients[0];
  const random = new Random(1, 2);

  const written = await pipelined(random, (index) =>
    client(index)?.send("SET", `key:${index}`, `value ${index}`),
  );
  expect(written.filter((reply) => reply !== "OK")).toEqual([]);

  const read = await pipelined(random, (index) => client(index + 1)?.send("GET", `key:${index}`));
  expect(read.filter((reply, index) => reply !== `value ${index}`)).toEqual([]);

  expect(await Promise.all(clients.map((each) => each.ask("DBSIZE")))).toEqual([KEYS, KEYS, KEYS]);
  for (const each of clients) each.close();

  const counts = leaderCounts(await cluster.untilBalanced(), nodes);
  expect([...counts].sort()).toEqual([5, 5, 6]);
});

/** Sends `KEYS` requests in bursts of random length; resolves with the replies in order. */
async function pipelined(
  random: Random,
  send: (index: number) => Promise<RespValue> | undefined,
): Promise<readonly RespValue[]> {
  const replies: RespValue[] = [];
  while (replies.length < KEYS) {
    const depth = Math.min(random.nextBetween(1, DEPTH_MAX), KEYS - replies.length);
    const first = replies.length;
    const burst = Array.from({ length: depth }, (_, offset) => send(first + offset) ?? Promise.resolve(null));
    replies.push(...(await Promise.all(burst)));
  }
  return replies;
}
