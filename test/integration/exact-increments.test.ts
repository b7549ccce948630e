/**
 * Exactly once: an increment that was acknowledged counts one, whichever node took it and whoever died meanwhile.
 */
import { expect, it } from "vitest";
import { TestCluster } from "./harness.ts";
import { IncrementLoad } from "./load.ts";
import { RespClient } from "./resp-client.ts";
import { waitUntil } from "./wait-until.ts";

const COUNTERS = 8;

it("increments through all nodes, with a leader killed midway, add up exactly", async () => {
  const cluster = new TestCluster();
  const nodes = await cluster.start(3);
  const status = await cluster.status();
  const victim = nodes.find((node) => node.ready.nodeId === status.shards[0]?.leader);
  if (victim === undefined) throw new Error("shard 0 has no leader among the nodes");
  const survivors = nodes.filter((node) => node !== victim);

  // What was on its way through the killed node is unknown to its clients; they count on counters of their own, so
  // that nothing excuses a wrong count of the others.
  const ofSurvivors = new IncrementLoad(
    { ports: survivors.map((node) => node.respPort), workers: 6, depth: 16, resend: false },
    counters("survivors"),
  ).start();
  const ofVictim = new IncrementLoad(
    { ports: [victim, ...survivors].map((node) => node.respPort), workers: 1, depth: 16, resend: false },
    counters("victim"),
  ).start();
  const acknowledged = () => ofSurvivors.acknowledgedCount + ofVictim.acknowledgedCount;
  await waitUntil("the load runs", 10_000, () => (ofVictim.acknowledgedCount > 100 ? true : null));
  await victim.kill();
  const before = acknowledged();
  await waitUntil("increments go on", 20_000, () => (acknowledged() > before + 3_000 ? true : null));
  await Promise.all([ofSurvivors.stop(), ofVictim.stop()]);

  const client = await RespClient.open(survivors[0]?.respPort ?? 0);
  for (const load of [ofSurvivors, ofVictim]) {
    for (const [counter, replies] of load.replies) {
      const unknown = load.unknownPerCounter.get(counter) ?? 0;
      const final = Number(await client.ask("GET", counter));
      expect(new Set(replies).size, `${counter}: no two acknowledgements of one number`).toBe(replies.length);
      expect(final, `${counter}: nothing acknowledged is lost`).toBeGreaterThanOrEqual(replies.length);
      expect(final, `${counter}: nothing is applied twice`).toBeLessThanOrEqual(replies.length + unknown);
      expect(Math.max(...replies), `${counter}: no reply is ahead of the state`).toBeLessThanOrEqual(final);
    }
  }
  expect([...ofSurvivors.replies.keys()].sort()).toEqual(counters("survivors"));
  client.close();
}, 60_000);

function counters(name: string): readonly string[] {
  return Array.from({ length: COUNTERS }, (_, index) => `counter:${name}:${index}`);
}
