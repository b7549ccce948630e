/**
 * Exactly once: an increment that was acknowledged counts one, whichever node took it and whoever died meanwhile.
 */
import { expect, it } from "vitest";
import { TestCluster } from "./harness.ts";
import { IncrementLoad } from "./load.ts";
import { RespClient } from "./resp-client.ts";
import { waitUntil } from "./wait-until.ts";

const COUNTERS = Array.from({ length: 8 }, (_, index) => `counter:${index}`);

it("increments through all nodes, with a leader killed midway, add up exactly", async () => {
  const cluster = new TestCluster();
  const nodes = await cluster.start(3);
  const ports = nodes.map((node) => node.respPort);
  const load = new IncrementLoad({ ports, workers: 6, depth: 16, resend: false }, COUNTERS).start();
  await waitUntil("the load runs", 10_000, () => (load.acknowledgedCount > 500 ? true : null));

  const status = await cluster.status();
  const leader = nodes.find((node) => node.ready.nodeId === status.shards[0]?.leader);
  if (leader === undefined) throw new Error("shard 0 has no leader among the nodes");
  await leader.kill();
  const before = load.acknowledgedCount;
  await waitUntil("increments go on", 20_000, () => (load.acknowledgedCount > before + 2_000 ? true : null));
  await load.stop();

  const client = await RespClient.open(cluster.running[0]?.respPort ?? 0);
  for (const counter of COUNTERS) {
    const replies = load.replies.get(counter) ?? [];
    const unknown = load.unknownPerCounter.get(counter) ?? 0;
    const final = Number(await client.ask("GET", counter));
    expect(new Set(replies).size, `${counter}: no two acknowledgements of one number`).toBe(replies.length);
    expect(final, `${counter}: nothing acknowledged is lost`).toBeGreaterThanOrEqual(replies.length);
    expect(final, `${counter}: nothing is applied twice`).toBeLessThanOrEqual(replies.length + unknown);
    expect(Math.max(...replies), `${counter}: no reply is ahead of the state`).toBeLessThanOrEqual(final);
  }
  client.close();
}, 60_000);
