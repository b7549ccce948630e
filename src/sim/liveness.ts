/**
 * After the storm: the network is healed, every process runs, and then things must become well within a bounded time. A
 * system that is merely safe could stop for ever; here it is shown that it goes on.
 */
import { groupOfShard, shardId } from "../base/ids.ts";
import { whatIsMissing } from "./calm.ts";
import type { Fleet, FleetLife } from "./fleet.ts";

/** Until every group is whole, all agree on the map, and nobody waits. The longest part is giving up the dead. */
const CALM_LIMIT_MS = 180_000;
const LOOK_EVERY_MS = 50;
const REQUEST_TIMEOUT_MS = 5_000;
const REQUEST_LIMIT_MS = 10_000;
const KEYS_TRIED_MAX = 10_000;

/** Waits until the fleet is whole; what is still missing after that, or null. */
export async function becomesWhole(fleet: Fleet, limitMs: number = CALM_LIMIT_MS): Promise<string | null> {
  const endMs = fleet.nowMs + limitMs;
  for (;;) {
    const missing = whatIsMissing(fleet);
    if (missing === null) return null;
    if (fleet.nowMs >= endMs) return missing;
    await fleet.clock.runFor(LOOK_EVERY_MS);
  }
}

/** A fresh write and a linearizable read of every shard, through every node; what fails, or null. */
export async function servesEverywhere(fleet: Fleet): Promise<string | null> {
  const { lives } = fleet;
  const failures: string[] = [];
  const done = Promise.all(lives.map((life) => serves(life, failures)));
  if (!(await fleet.settle(done, REQUEST_LIMIT_MS)))
    return `requests do not end within ${REQUEST_LIMIT_MS} ms`;
  return failures[0] ?? null;
}

async function serves(life: FleetLife, failures: string[]): Promise<void> {
  const { cache, router } = life.node;
  const keys = keyOfEveryShard(router.shardCount, (key) => router.shardOf(key));
  await Promise.all(
    keys.map(async (key, shard) => {
      const mine = `${key}/${life.name}`;
      try {
        await cache.put(mine, life.name, { timeoutMs: REQUEST_TIMEOUT_MS });
        const read = await cache.consistentGet(mine, { timeoutMs: REQUEST_TIMEOUT_MS });
        if (read !== life.name)
          failures.push(`${life.name} reads ${read} from shard ${shard} after its own write`);
      } catch (error) {
        const replica = life.node.groups.get(groupOfShard(shardId(shard)));
        failures.push(
          `shard ${shard} through ${life.name} (${replica?.raft.role ?? "no replica"}): ${String(error)}`,
        );
      }
    }),
  );
}

/** Tags that lead to each shard: the braces are what is hashed. */
function keyOfEveryShard(shards: number, shardOf: (key: string) => number): readonly string[] {
  const keys = new Array<string>(shards).fill("");
  let found = 0;
  for (let tag = 0; found < shards && tag < KEYS_TRIED_MAX; tag++) {
    const key = `{${tag}}`;
    const shard = shardOf(key);
    if (keys[shard] !== "") continue;
    keys[shard] = key;
    found++;
  }
  return keys;
}
