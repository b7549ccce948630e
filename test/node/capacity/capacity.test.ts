/**
 * Whole clusters at their limits, in virtual time: what goes, who decides it, and what stays.
 */
import { describe, expect, test } from "vitest";
import { groupId } from "../../../src/base/ids.ts";
import type { NodeOptions } from "../../../src/node/options.ts";
import { ShardMachine } from "../../../src/node/shard-machine.ts";
import { VirtualCluster, type VirtualMember } from "../../support/virtual-cluster.ts";

const SHARDS = 4;

/** `machines` nodes that hold every shard, at rest. */
async function clusterOf(
  seed: number,
  machines: number,
  options: Partial<NodeOptions> | ((machine: number) => Partial<NodeOptions>),
): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(seed);
  const optionsOf = typeof options === "function" ? options : () => options;
  cluster.start(1, [], { shards: SHARDS, ...optionsOf(1) });
  await cluster.until(() => cluster.ready, 5_000);
  for (let machine = 2; machine <= machines; machine++) cluster.start(machine, [1], optionsOf(machine));
  const settled = await cluster.until(
    () => cluster.ready && cluster.settledWith(Math.min(3, machines)),
    60_000,
  );
  expect(settled).toBe(true);
  return cluster;
}

function member(cluster: VirtualCluster, index: number): VirtualMember {
  const found = cluster.living[index % cluster.living.length];
  if (found === undefined) throw new Error("nobody lives");
  return found;
}

function machinesOf({ node }: VirtualMember): readonly ShardMachine[] {
  return [...node.groups.groups()].flatMap(({ machine }) =>
    machine instanceof ShardMachine ? [machine] : [],
  );
}

/** Keys on this member, counted anew. */
function keysOn(of: VirtualMember): number {
  return machinesOf(of).reduce((sum, { cache }) => sum + cache.entryCount, 0);
}

function bytesOn(of: VirtualMember): number {
  return machinesOf(of).reduce((sum, { cache }) => sum + cache.accountedBytes, 0);
}

/** Asserts that replicas which have applied as much hold the same, and that there were some to compare. */
function expectEqualReplicas(cluster: VirtualCluster): void {
  let compared = 0;
  for (let shard = 0; shard < SHARDS; shard++) {
    const digests = new Map<number, string>();
    for (const { node } of cluster.living) {
      const machine = node.groups.get(groupId(shard + 1))?.machine;
      if (!(machine instanceof ShardMachine)) continue;
      const { appliedIndex } = machine.cache;
      const digest = machine.cache.digest();
      if (digests.has(appliedIndex)) compared++;
      expect(digests.get(appliedIndex) ?? digest).toBe(digest);
      digests.set(appliedIndex, digest);
    }
  }
  expect(compared).toBeGreaterThan(0);
}

/** Writes `keys`, many at a time, through all members by turns. */
async function writeAll(cluster: VirtualCluster, keys: readonly string[], value = "v"): Promise<void> {
  for (let first = 0; first < keys.length; first += 50) {
    const some = keys.slice(first, first + 50);
    await cluster.settle(
      Promise.all(
        some.map((key, at) => member(cluster, first + at).node.cache.put(key, `${value} of ${key}`)),
      ),
    );
  }
}

function names(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}:${at}`);
}

async function countPresent(cluster: VirtualCluster, keys: readonly string[], value = "v"): Promise<number> {
  const found = await cluster.settle(
    Promise.all(keys.map((key, at) => member(cluster, at).node.cache.consistentGet(key))),
  );
  for (const [at, text] of found.entries()) if (text !== null) expect(text).toBe(`${value} of ${keys[at]}`);
  return found.filter((text) => text !== null).length;
}

describe("a node at its limit of keys", () => {
  test.each(["lru", "lfu"] as const)("keeps within it by committed removals (%s)", async (evictionPolicy) => {
    const cluster = await clusterOf(1, 3, { maxEntries: 300, evictionPolicy });
    const keys = names("key", 1_500);
    await writeAll(cluster, keys);
    await cluster.run(1_000);
    for (const each of cluster.living) {
      expect(keysOn(each)).toBeLessThanOrEqual(300);
      // Not emptied either: a removal aims a little below the limit.
      expect(keysOn(each)).toBeGreaterThan(270);
      expect(each.node.capacity.held.entries).toBe(keysOn(each));
    }
    expectEqualReplicas(cluster);
    expect(await countPresent(cluster, keys)).toBe(keysOn(member(cluster, 0)));
    const { counters } = member(cluster, 0).node.metrics();
    expect(counters.cache_evictions_total).toBe(1_500 - keysOn(member(cluster, 0)));
  });

  test("loses nothing while it stays below the limit", async () => {
    const cluster = await clusterOf(2, 3, { maxEntries: 300 });
    const keys = names("key", 299);
    await writeAll(cluster, keys);
    await cluster.run(1_000);
    expect(await countPresent(cluster, keys)).toBe(299);
  });

  test("lets go of what nobody uses, and keeps what is read at replicas that do not lead", async () => {
    const cluster = await clusterOf(3, 3, { maxEntries: 400 });
    const hot = names("hot", 100);
    await writeAll(cluster, hot);
    for (let round = 0; round < 15; round++) {
      await writeAll(cluster, names(`cold ${round}`, 60));
      // Every shard is led elsewhere for two of the three readers: most of these reads the leader sees as hints only.
      const reader = member(cluster, round);
      await cluster.settle(Promise.all(hot.map((key) => reader.node.cache.get(key))));
      await cluster.run(1_200);
    }
    expect(member(cluster, 0).node.metrics().counters.use_hints_received_total).toBeGreaterThan(0);
    // The hand may come by twice between two hints.
    expect(await countPresent(cluster, hot)).toBeGreaterThan(95);
    for (const each of cluster.living) expect(keysOn(each)).toBeLessThanOrEqual(400);
  });

  test("asks the leaders of its shards when they have no limit of their own", async () => {
    const cluster = await clusterOf(4, 3, (machine) => (machine === 3 ? { maxEntries: 200 } : {}));
    await writeAll(cluster, names("key", 1_000));
    await cluster.run(2_000);
    for (const each of cluster.living) expect(keysOn(each)).toBeLessThanOrEqual(200);
    expect(keysOn(member(cluster, 2))).toBeGreaterThan(150);
    expect(member(cluster, 2).node.metrics().counters.capacity_asks_total).toBeGreaterThan(0);
    expectEqualReplicas(cluster);
  });

  test("tells when the limit was reached, once", async () => {
    const cluster = await clusterOf(5, 1, { maxEntries: 100 });
    const heard: string[] = [];
    member(cluster, 0).node.events.add(({ type }) => {
      if (type.startsWith("capacity")) heard.push(type);
    });
    await writeAll(cluster, names("key", 500));
    await cluster.run(500);
    await cluster.settle(member(cluster, 0).node.cache.clear());
    await cluster.run(500);
    expect(heard).toEqual(["capacity-reached", "capacity-left"]);
  });

  test("goes on when its leaders die, with the same limit", async () => {
    const cluster = await clusterOf(6, 3, { maxEntries: 200 });
    await writeAll(cluster, names("before", 500));
    cluster.kill(member(cluster, 0));
    await cluster.until(() => cluster.leaders().every((leader) => leader !== null), 30_000);
    await writeAll(cluster, names("after", 500));
    await cluster.run(2_000);
    for (const each of cluster.living) expect(keysOn(each)).toBeLessThanOrEqual(200);
    expectEqualReplicas(cluster);
  });
});

describe("a node at its limit of bytes", () => {
  test("keeps within it, whatever the size of values", async () => {
    const limit = 2 * 1024 * 1024;
    const cluster = await clusterOf(7, 3, { maxMemoryBytes: limit });
    let peak = 0;
    for (let at = 0; at < 300; at++) {
      const value = "x".repeat(1 + (at % 7) * 12_000);
      await cluster.settle(member(cluster, at).node.cache.put(`key:${at}`, value));
      for (const each of cluster.living) peak = Math.max(peak, bytesOn(each));
    }
    await cluster.run(500);
    for (const each of cluster.living) {
      expect(bytesOn(each)).toBeLessThanOrEqual(limit);
      expect(bytesOn(each)).toBeGreaterThan(limit * 0.9);
      expect(each.node.capacity.held.bytes).toBe(bytesOn(each));
    }
    // One write at a time: never further above than that write, and the one before it that was not yet made up for.
    expect(peak).toBeLessThanOrEqual(limit + 2 * (6 * 12_000 + 200));
    expectEqualReplicas(cluster);
  });
});

describe("a node that removes nothing", () => {
  test("refuses what would make it grow, and nothing else", async () => {
    const cluster = await clusterOf(8, 3, { maxEntries: 100, evictionPolicy: "none" });
    const keys = names("key", 100);
    await writeAll(cluster, keys);
    // The leader of the shard that is asked may be the last to hear of the last key.
    await cluster.run(100);
    const { cache } = member(cluster, 1).node;
    await expect(cluster.settle(cache.put("one more", "1"))).rejects.toMatchObject({
      code: "CREMA_CAPACITY",
      retryable: true,
      ambiguous: false,
    });
    expect(await cluster.settle(cache.put("key:5", "again"))).not.toBeNull();
    expect(await cluster.settle(cache.consistentGet("key:5"))).toBe("again");
    expect(await cluster.settle(cache.consistentGet("one more"))).toBeNull();
    expect(await cluster.settle(cache.delete("key:7"))).toBe(true);
    // Others that hold the shard may have asked for a hold before the removal reached them.
    await cluster.run(3_000);
    expect(await cluster.settle(cache.put("one more", "1"))).not.toBeNull();
    await cluster.run(1_000);
    for (const each of cluster.living) expect(keysOn(each)).toBe(100);
    expect(member(cluster, 0).node.metrics().counters.cache_evictions_total).toBe(0);
  });

  test("goes not one key beyond its limit in a burst", async () => {
    const cluster = await clusterOf(9, 1, { maxEntries: 100, evictionPolicy: "none" });
    const { cache } = member(cluster, 0).node;
    const outcomes = await cluster.settle(
      Promise.allSettled(names("key", 500).map((key) => cache.put(key, "1"))),
    );
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(100);
    expect(keysOn(member(cluster, 0))).toBe(100);
  });

  test("is spared also by leaders that are not full themselves", async () => {
    const cluster = await clusterOf(10, 3, (machine) =>
      machine === 3 ? { maxEntries: 100, evictionPolicy: "none" } : {},
    );
    const { cache } = member(cluster, 0).node;
    let refused = 0;
    for (const key of names("key", 300)) {
      try {
        await cluster.settle(cache.put(key, "1"));
      } catch (error) {
        expect(error).toMatchObject({ code: "CREMA_CAPACITY" });
        refused++;
      }
      await cluster.run(20);
    }
    expect(refused).toBeGreaterThan(100);
    // What was written until the leaders had heard of it: two sweeps and a call, at fifty writes a second.
    expect(keysOn(member(cluster, 2))).toBeLessThan(130);
  });
});

describe("keys that nobody uses", () => {
  const idleTtlMs = 4_000;

  test("are removed after the idle time, not before; those in use stay", async () => {
    const cluster = await clusterOf(11, 3, { idleTtlMs });
    await cluster.run(idleTtlMs);
    const used = names("used", 20);
    const unused = names("unused", 20);
    await writeAll(cluster, [...used, ...unused]);
    const writtenAtMs = cluster.clock.nowMs();
    // A follower hears a moment later than the client that a write is committed.
    expect(await cluster.until(() => keysOn(member(cluster, 0)) === 40, 500)).toBe(true);
    while (cluster.clock.nowMs() < writtenAtMs + idleTtlMs - 700) {
      expect(keysOn(member(cluster, 0))).toBe(40);
      // Local reads at one node: the leaders of most shards know of them by hints.
      await cluster.settle(Promise.all(used.map((key) => member(cluster, 2).node.cache.get(key))));
      await cluster.run(500);
    }
    for (let round = 0; round < 6; round++) {
      await cluster.settle(Promise.all(used.map((key) => member(cluster, 2).node.cache.get(key))));
      await cluster.run(500);
    }
    expect(await countPresent(cluster, unused)).toBe(0);
    expect(await countPresent(cluster, used)).toBe(20);
    expect(member(cluster, 0).node.metrics().counters.cache_idle_expirations_total).toBe(20);
    expectEqualReplicas(cluster);
  });

  test("are taken for used by a new leader: it removes nothing before it has led for a whole idle time", async () => {
    const cluster = await clusterOf(12, 3, { idleTtlMs });
    await cluster.run(2 * idleTtlMs);
    const keys = names("key", 40);
    await writeAll(cluster, keys);
    const writtenAtMs = cluster.clock.nowMs();
    const before = reigns(cluster);
    await cluster.run(idleTtlMs / 2);
    cluster.kill(member(cluster, 0));
    await cluster.until(() => cluster.leaders().every((leader) => leader !== null), 30_000);
    expect(cluster.clock.nowMs()).toBeLessThan(writtenAtMs + idleTtlMs);

    await cluster.run(writtenAtMs + idleTtlMs + 1_000 - cluster.clock.nowMs());
    const changed = reigns(cluster).map((reign, shard) => reign !== before[shard]);
    expect(new Set(changed).size).toBe(2);
    const { router, shards } = member(cluster, 0).node;
    // TYPE is no use, so looking does not prolong anything.
    const present = (): readonly string[] =>
      keys.filter((key) => shards.readLocal(router.shardOf(key), { type: "type-of", key }) === "string");
    expect(present()).toEqual(keys.filter((key) => changed[router.shardOf(key)]));
    await cluster.run(3 * idleTtlMs);
    expect(present()).toEqual([]);
  });
});

/** Who leads each shard, and in which term. */
function reigns(cluster: VirtualCluster): readonly string[] {
  return cluster.leaders().map((leader, shard) => {
    const found = cluster.living.find(({ node }) => node.nodeId === leader);
    return `${leader} ${found?.node.groups.get(groupId(shard + 1))?.raft.term}`;
  });
}
