/**
 * The instruments of the tests beside this one: a load that overlooked a lost write would prove nothing.
 */
import { expect, it } from "vitest";
import { TestCluster } from "./harness.ts";
import { WriteLoad } from "./load.ts";
import { RespClient } from "./resp-client.ts";
import { waitUntil } from "./wait-until.ts";

it("the load notices a write that was lost and one that was rolled back", async () => {
  const cluster = new TestCluster();
  const [node] = await cluster.start(1);
  const port = node?.respPort ?? 0;
  const load = new WriteLoad({ ports: [port], workers: 1, depth: 2, resend: false }).start();
  await waitUntil("the load runs", 10_000, () => (load.acknowledgedCount > 200 ? true : null));
  await load.stop();
  expect(await load.verify(port)).toEqual([]);

  const [lost = "", rolledBack = ""] = load.written.keys();
  const client = await RespClient.open(port);
  await client.ask("DEL", lost);
  await client.ask("SET", rolledBack, "0");
  expect(await load.verify(port)).toEqual([
    `${lost}: expected ${load.written.get(lost)}, found null`,
    `${rolledBack}: expected ${load.written.get(rolledBack)}, found 0`,
  ]);
  client.close();
});

it("the load reports what was refused and what nobody answered", async () => {
  const cluster = new TestCluster();
  const [node] = await cluster.start(1);
  const load = new WriteLoad({ ports: [node?.respPort ?? 0], workers: 1, depth: 4, resend: false }).start();
  await waitUntil("the load runs", 10_000, () => (load.acknowledgedCount > 200 ? true : null));
  await node?.kill();
  await load.stop();
  expect(load.unknown.length).toBeGreaterThanOrEqual(1);
  expect(load.refused).toEqual([]);
});
