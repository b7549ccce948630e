/**
 * A machine dies without a word while clients write: what was acknowledged stays, service returns at once,
 * and the replicas that died with it are replaced.
 */
import { expect, it } from "vitest";
import { TestCluster } from "./harness.ts";
import { WriteLoad } from "./load.ts";
import { RespClient } from "./resp-client.ts";
import { waitUntil } from "./wait-until.ts";

const SERVICE_WITHIN_MS = 5_000;

it.each([1, 4])(
  "kill -9 of node %i of four under load loses no acknowledged write",
  async (victimNumber) => {
    const cluster = new TestCluster();
    const nodes = await cluster.start(4, { "dead-grace": "2s" });
    const victim = nodes[victimNumber - 1] ?? nodes[0];
    if (victim === undefined) throw new Error("no node was started");
    const survivors = nodes.filter((node) => node !== victim);
    const shardCount = (await cluster.status()).shardCount;
    const ports = nodes.map((node) => node.respPort);
    const load = new WriteLoad({ ports, workers: 4, depth: 8, resend: false }).start();
    await waitUntil("the load runs", 10_000, () => (load.acknowledgedCount > 500 ? true : null));

    await victim.kill();
    const killedAtMs = performance.now();
    const witness = await RespClient.open(survivors[0]?.respPort ?? 0);
    await writeToEveryShard(witness, shardCount);
    expect(performance.now() - killedAtMs).toBeLessThan(SERVICE_WITHIN_MS);

    const settled = await cluster.untilSettled();
    await load.stop();
    for (const { voters } of settled.shards) expect(voters).toHaveLength(3);
    expect(load.acknowledgedCount).toBeGreaterThan(1_000);
    expect(await load.verify(survivors.at(-1)?.respPort ?? 0)).toEqual([]);
    witness.close();
  },
  90_000,
);

/** Writes through `client` until each shard has taken a write; hash tags alone decide which shard a key is on. */
async function writeToEveryShard(client: RespClient, shardCount: number): Promise<void> {
  // 40 keys per shard: the chance that one shard is left out is below 1e-15.
  const keys = Array.from({ length: shardCount * 40 }, (_, index) => `witness:${index}`);
  await Promise.all(
    keys.map((key) =>
      waitUntil(`${key} is written`, SERVICE_WITHIN_MS, async () =>
        (await client.ask("SET", key, "1")) === "OK" ? true : null,
      ),
    ),
  );
}
