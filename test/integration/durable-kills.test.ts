/**
 * Processes are killed at random moments under load, one, most or all of them at once, and started again on their disks: every
 * acknowledged write is there, and increments add up exactly.
 *
 * Some rounds here; `CREMA_KILL_ROUNDS=50` runs as many.
 */
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { DurableFleet } from "./durable-fleet.ts";
import { IncrementLoad, WriteLoad } from "./load.ts";
import { RespClient } from "./resp-client.ts";
import { waitUntil } from "./wait-until.ts";

const ROUNDS = Number(process.env.CREMA_KILL_ROUNDS ?? 3);
const COUNTERS = Array.from({ length: 8 }, (_, index) => `counter:${index}`);

it(
  `kill -9 of the leader, of a majority and of all nodes, ${ROUNDS} rounds under load, loses and doubles nothing`,
  async () => {
    // Small, so that checkpoints are taken and the log is cut in between.
    const fleet = await DurableFleet.start(3, { "checkpoint-log-bytes": "64kib", "dead-grace": "60s" });
    const ids = [0, 1, 2].map((member) => fleet.node(member).ready.nodeId);
    const options = { ports: fleet.respPorts, workers: 3, depth: 8, resend: false };
    const writes = new WriteLoad(options).start();
    const increments = new IncrementLoad({ ...options, workers: 2 }, COUNTERS).start();
    for (let round = 0; round < ROUNDS; round++) {
      const before = writes.acknowledgedCount;
      await waitUntil("the load runs", 30_000, () => (writes.acknowledgedCount > before + 300 ? true : null));
      const leader = await fleet.busiestLeader();
      const victims = [[leader], [leader, (leader + 1) % 3], [0, 1, 2]][round % 3] ?? [];
      // The moment is the machine's: the load is in full swing, whatever it does just then.
      await delay(Math.random() * 100);
      await fleet.kill(victims);
      await fleet.startStopped();
    }
    await Promise.all([writes.stop(), increments.stop()]);
    expect([0, 1, 2].map((member) => fleet.node(member).ready.nodeId)).toEqual(ids);
    for (const port of fleet.respPorts) expect(await writes.verify(port)).toEqual([]);
    await expectExact(increments, fleet.respPorts[0] ?? 0);
  },
  60_000 + ROUNDS * 20_000,
);

async function expectExact(load: IncrementLoad, port: number): Promise<void> {
  const client = await RespClient.open(port);
  for (const [counter, replies] of load.replies) {
    const unknown = load.unknownPerCounter.get(counter) ?? 0;
    const final = Number(await client.ask("GET", counter));
    expect(new Set(replies).size, `${counter}: no two acknowledgements of one number`).toBe(replies.length);
    expect(final, `${counter}: nothing acknowledged is lost`).toBeGreaterThanOrEqual(replies.length);
    expect(final, `${counter}: nothing is applied twice`).toBeLessThanOrEqual(replies.length + unknown);
  }
  expect([...load.replies.keys()].sort()).toEqual(COUNTERS);
  client.close();
}
