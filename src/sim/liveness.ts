/**
 * After the storm: the network is healed, every process runs, and then things must become well within a bounded time. A
 * system that is merely safe could stop for ever; here it is shown that it goes on.
 */
import { CremaError } from "../base/errors.ts";
import { groupOfShard, shardId } from "../base/ids.ts";
import { whatIsMissing } from "./calm.ts";
import type { Fleet, FleetLife } from "./fleet.ts";

/** Until every group is whole, all agree on the map, and nobody waits. The longest part is giving up the dead. */
const CALM_LIMIT_MS = 180_000;
const LOOK_EVERY_MS = 50;
const REQUEST_TIMEOUT_MS = 5_000;
const REQUEST_LIMIT_MS = 10_000;
/** A node over its limits asks around several times within this. */
const LIMITS_LIMIT_MS = 10_000;
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

/** What a fleet at its limits may do with a fresh write. */
export interface Leniency {
  /** Whether a leader has chosen `key` for removal. */
  evicted(key: string): boolean;
  /** Growth may be refused. */
  readonly refuses: boolean;
}

const STRICT: Leniency = { evicted: () => false, refuses: false };

/** Waits until every node is back within its limits; which is not, or null. */
export async function keepsLimits(fleet: Fleet): Promise<string | null> {
  const tooMuch = (): FleetLife | undefined =>
    fleet.lives.find(({ node: { capacity } }) => capacity.limits.isOver(capacity.held));
  const kept = await fleet.clock.runUntil(() => tooMuch() === undefined, LIMITS_LIMIT_MS);
  const life = tooMuch();
  if (kept || life === undefined) return null;
  const { bytes, entries } = life.node.capacity.held;
  return `${life.name} still holds ${entries} keys and ${bytes} bytes`;
}

/** A fresh write and a linearizable read of every shard, through every node; what fails, or null. */
export async function servesEverywhere(fleet: Fleet, leniency: Leniency = STRICT): Promise<string | null> {
  const { lives } = fleet;
  const failures: string[] = [];
  const done = Promise.all(lives.map((life) => serves(life, leniency, failures)));
  if (!(await fleet.settle(done, REQUEST_LIMIT_MS)))
    return `requests do not end within ${REQUEST_LIMIT_MS} ms`;
  return failures[0] ?? null;
}

async function serves(life: FleetLife, leniency: Leniency, failures: string[]): Promise<void> {
  const { cache, router } = life.node;
  const keys = keyOfEveryShard(router.shardCount, (key) => router.shardOf(key));
  await Promise.all(
    keys.map(async (key, shard) => {
      const mine = `${key}/${life.name}`;
      try {
        await cache.put(mine, life.name, { timeoutMs: REQUEST_TIMEOUT_MS });
        const read = await cache.consistentGet(mine, { timeoutMs: REQUEST_TIMEOUT_MS });
        if (read !== life.name && !(read === null && leniency.evicted(mine)))
          failures.push(`${life.name} reads ${read} from shard ${shard} after its own write`);
      } catch (error) {
        if (leniency.refuses && error instanceof CremaError && isRefusal(error)) return;
        const replica = life.node.groups.get(groupOfShard(shardId(shard)));
        failures.push(
          `shard ${shard} through ${life.name} (${replica?.raft.role ?? "no replica"}): ${String(error)}`,
        );
      }
    }),
  );
}

/** A write whose first attempt was lost on its way and whose later ones are refused stays unknown, and says so. */
function isRefusal({ code, ambiguous }: CremaError): boolean {
  return code === "CREMA_CAPACITY" || (code === "CREMA_TIMEOUT" && ambiguous);
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
