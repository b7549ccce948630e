/**
 * The cache as a program uses it, on a cluster of five: whichever node is asked, with a replica of the shard or not.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { CremaError } from "../../src/base/errors.ts";
import type { ReplySink } from "../../src/node/door.ts";
import { promisedReply } from "../../src/node/promised-reply.ts";
import type { WatchChange } from "../../src/node/watch-queue.ts";
import { VirtualCluster, type VirtualMember } from "../support/virtual-cluster.ts";

const cluster = new VirtualCluster(7);
let members: readonly VirtualMember[] = [];

beforeAll(async () => {
  cluster.start(1);
  await cluster.until(() => cluster.ready, 3_000);
  for (const machine of [2, 3, 4, 5]) cluster.start(machine, [1]);
  expect(await cluster.until(() => cluster.ready && cluster.settledWith(3), 60_000)).toBe(true);
  members = cluster.members;
});

/** The leader of `key`'s shard, a follower, and a node without a replica. */
function rolesFor(key: string): { leader: VirtualMember; follower: VirtualMember; outsider: VirtualMember } {
  const shard = (members[0] as VirtualMember).node.router.shardOf(key);
  const find = (test: (member: VirtualMember) => boolean): VirtualMember => {
    const found = members.find(test);
    if (found === undefined) throw new Error(`no such member for ${key}`);
    return found;
  };
  return {
    leader: find(({ node }) => node.shards.group(shard)?.isLeader === true),
    follower: find(({ node }) => node.shards.group(shard)?.isLeader === false),
    outsider: find(({ node }) => node.shards.group(shard) === undefined),
  };
}

describe("through the leader, a follower, and a node without a replica", () => {
  for (const role of ["leader", "follower", "outsider"] as const) {
    test(`every call answers the same (${role})`, async () => {
      const key = `api:${role}`;
      const { cache } = rolesFor(key)[role].node;
      const settle = <T>(work: Promise<T>): Promise<T> => cluster.settle(work);
      expect(await settle(cache.contains(key))).toBe(false);
      const first = await settle(cache.put(key, "Zoë"));
      expect(await settle(cache.consistentGet(key))).toBe("Zoë");
      expect(await settle(cache.put(key, "x", { ifAbsent: true }))).toBeNull();
      expect(await settle(cache.cas(key, 999_999, "x"))).toBeNull();
      const second = await settle(cache.cas(key, first?.version ?? 0, new Uint8Array([0, 255, 128])));
      expect(second?.version).toBeGreaterThan(first?.version ?? 0);
      expect(await settle(cache.consistentGetBytes(key))).toEqual(new Uint8Array([0, 255, 128]));
      expect(await settle(cache.contains(key))).toBe(true);
      expect(await settle(cache.getVersioned(key))).toMatchObject({ version: second?.version, ttlMs: null });
      expect(await settle(cache.delete(key))).toBe(true);
      expect(await settle(cache.delete(key))).toBe(false);
      expect(await settle(cache.increment(key, 5))).toBe(5);
      expect(await settle(cache.increment(key, -7))).toBe(-2);
      await settle(cache.delete(key));
    });

    test(`a key with a time-to-live goes when it is due, never before, by a committed entry (${role})`, async () => {
      const key = `ttl:${role}`;
      const { cache } = rolesFor(key)[role].node;
      await cluster.settle(cache.putWithTtl(key, "short", 2_000));
      await cluster.settle(cache.putWithTtl(`${key}:long`, "long", 60_000));
      await cluster.run(1_900);
      expect(await cluster.settle(cache.consistentGet(key))).toBe("short");
      await cluster.run(200);
      expect(await cluster.settle(cache.consistentGet(key))).toBeNull();
      expect(await cluster.settle(cache.consistentGet(`${key}:long`))).toBe("long");
      const shard = (members[0] as VirtualMember).node.router.shardOf(key);
      await cluster.run(1_000);
      for (const { node } of members)
        expect(node.shards.machine(shard)?.cache.query({ type: "get", key }, null) ?? null).toBeNull();
    });
  }

  test("a plain overwrite ends the time-to-live", async () => {
    const { cache } = rolesFor("overwritten").follower.node;
    await cluster.settle(cache.putWithTtl("overwritten", "short", 500));
    await cluster.settle(cache.put("overwritten", "for ever"));
    await cluster.run(2_000);
    expect(await cluster.settle(cache.consistentGet("overwritten"))).toBe("for ever");
  });

  test("a read sees every write asked before it, answered or not", async () => {
    const { cache } = rolesFor("pipeline").outsider.node;
    const answers: number[] = [];
    const work = [];
    for (let turn = 0; turn < 50; turn++) {
      work.push(cache.put("pipeline", String(turn)));
      work.push(cache.consistentGet("pipeline").then((value) => answers.push(Number(value) - turn)));
    }
    await cluster.settle(Promise.all(work));
    expect(answers).toHaveLength(50);
    expect(Math.min(...answers)).toBeGreaterThanOrEqual(0);
  });

  test("arguments that cannot be are rejected, never thrown", async () => {
    const { cache } = (members[0] as VirtualMember).node;
    const bad: [Promise<unknown>, new (message: string) => Error][] = [
      [cache.put("key", "x", { ifAbsent: true, ifPresent: true }), TypeError],
      [cache.put("key", "x", { keepTtl: true, ttlMs: 1 }), TypeError],
      [cache.put("key", 5 as unknown as string), TypeError],
      [cache.put("key", "x", { ttlMs: -1 }), RangeError],
      [cache.putWithTtl("key", "x", 0), RangeError],
      [cache.cas("key", -1, "x"), RangeError],
      [cache.increment("key", 0.5), RangeError],
      [cache.expire("key", Number.NaN), RangeError],
    ];
    for (const [call, type] of bad) await expect(call).rejects.toBeInstanceOf(type);
  });

  test("keys and values beyond the limits are refused by name, before anything is sent", async () => {
    const { cache } = (members[0] as VirtualMember).node;
    const codeOf = (work: Promise<unknown>): Promise<string> =>
      cluster.settle(
        work.then(
          () => "stored",
          (error: unknown) => (error instanceof CremaError ? error.code : String(error)),
        ),
      );
    expect(await codeOf(cache.put("", "x"))).toBe("CREMA_KEY_INVALID");
    expect(await codeOf(cache.put("k".repeat(65_536), "x"))).toBe("CREMA_KEY_INVALID");
    expect(await codeOf(cache.put("k".repeat(65_535), "x"))).toBe("stored");
    expect(await codeOf(cache.put("large", "v".repeat(16 * 1024 * 1024 + 1)))).toBe("CREMA_VALUE_TOO_LARGE");
    expect(await codeOf(cache.put("large", "v".repeat(16 * 1024 * 1024)))).toBe("stored");
    expect(await codeOf(cache.increment("large"))).toBe("CREMA_WRONG_TYPE");
  });
});

describe("large values", () => {
  test("of several shards led by one node cross its links in one turn, in frames of bearable size", async () => {
    const { node } = members.find((member) => ledKeys(member).length >= 3) as VirtualMember;
    const keys = ledKeys({ node }).slice(0, 3);
    // Opens the sessions, so that what follows is proposed in one turn; together it is beyond what one frame may hold.
    await cluster.settle(Promise.all(keys.map((key) => node.cache.put(key, "small"))));
    const value = "v".repeat(15 * 1024 * 1024);
    const writes = keys.map((key) => node.cache.put(key, value, { timeoutMs: 20_000 }));
    await cluster.settle(Promise.all(writes), 20_000);
    for (const member of members) {
      expect(member.node.links.counters.malformed).toBe(0);
      expect(member.node.links.counters.linksLost).toBe(0);
    }
    for (const key of keys) {
      expect((await cluster.settle(node.cache.consistentGet(key)))?.length).toBe(value.length);
      await cluster.settle(node.cache.delete(key));
    }
  });

  test("that one request or one answer cannot carry are refused by size, and harm nobody", async () => {
    const value = "v".repeat(10 * 1024 * 1024);
    const keys = ["{huge}1", "{huge}2", "{huge}3"];
    const { leader, outsider } = rolesFor("{huge}1");
    const shard = leader.node.router.shardOf("{huge}1");
    const ask = (start: (sink: ReplySink) => void): Promise<unknown> =>
      cluster.settle(
        promisedReply(start).catch((error: unknown) => (error instanceof CremaError ? error.code : error)),
        20_000,
      );
    for (const { node } of [leader, outsider]) {
      const pairs = keys.map((key): [string, string] => [key, value]);
      const command = { type: "set-many", pairs, onlyIfAllAbsent: false } as const;
      expect(await ask((sink) => node.router.write(shard, command, 10_000, sink))).toBe(
        "CREMA_VALUE_TOO_LARGE",
      );
    }
    for (const key of keys)
      await cluster.settle(leader.node.cache.put(key, value, { timeoutMs: 10_000 }), 20_000);
    const query = { type: "get-many", keys } as const;
    const remote = await ask((sink) => outsider.node.router.read(shard, query, "linearizable", 10_000, sink));
    expect(remote).toBe("CREMA_VALUE_TOO_LARGE");
    for (const key of keys) await cluster.settle(outsider.node.cache.delete(key));
  });

  /** One key of every shard that the node leads. */
  function ledKeys({ node }: Pick<VirtualMember, "node">): readonly string[] {
    const byShard = new Map<number, string>();
    for (let number = 0; number < 500; number++) {
      const shard = node.router.shardOf(`large:${number}`);
      if (node.shards.group(shard)?.isLeader === true) byShard.set(shard, `large:${number}`);
    }
    return [...byShard.values()];
  }
});

describe("watching", () => {
  test("shows every change under the prefix in order, through any node, with expiries and deletes", async () => {
    for (const role of ["leader", "follower", "outsider"] as const) {
      const key = `watched:${role}`;
      const watcher = rolesFor(key)[role].node;
      const writer = rolesFor(key).leader.node;
      const seen: WatchChange[] = [];
      const watch = watcher.watches.watch(key);
      const reading = (async () => {
        for await (const change of watch) seen.push(change);
      })();
      await cluster.run(100);
      await cluster.settle(writer.cache.put(key, "1"));
      await cluster.settle(writer.cache.put("elsewhere", "2"));
      await cluster.settle(writer.cache.putWithTtl(key, "3", 300));
      await cluster.run(1_500);
      await cluster.settle(writer.cache.put(key, "4"));
      await cluster.settle(writer.cache.delete(key));
      await cluster.until(() => seen.length >= 5, 5_000);
      await watch.return?.();
      await cluster.settle(reading);
      expect(seen.map(({ type, value }) => [type, value])).toEqual([
        ["put", "1"],
        ["put", "3"],
        ["expire", null],
        ["put", "4"],
        ["delete", null],
      ]);
      const revisions = seen.map(({ revision }) => revision);
      expect(revisions).toEqual([...revisions].sort((one, other) => one - other));
    }
  });

  test("resumes after a revision without a gap, and says so when that is too long ago", async () => {
    const key = "resumed";
    const { leader, outsider } = rolesFor(key);
    const shard = leader.node.router.shardOf(key);
    await cluster.settle(leader.node.cache.put(key, "before"));
    const from = { [shard]: leader.node.shards.machine(shard)?.cache.revision ?? 0 };
    for (let turn = 0; turn < 20; turn++) await cluster.settle(leader.node.cache.put(key, String(turn)));
    const seen: (string | null)[] = [];
    const watch = outsider.node.watches.watch(key, { from });
    const reading = (async () => {
      for await (const change of watch) seen.push(change.value);
    })();
    await cluster.until(() => seen.length >= 20, 5_000);
    expect(seen).toEqual(Array.from({ length: 20 }, (_, turn) => String(turn)));
    await watch.return?.();
    await cluster.settle(reading);

    for (let turn = 0; turn < 1_100; turn++) void leader.node.cache.put(key, String(turn));
    await cluster.run(1_000);
    const late = outsider.node.watches.watch(key, { from });
    const outcome = late.next().then(
      () => "delivered",
      (error: unknown) => (error instanceof CremaError ? error.code : "?"),
    );
    expect(await cluster.settle(outcome)).toBe("CREMA_WATCH_LAGGED");
  });

  test("goes on through another replica when the one it listens to dies", async () => {
    const key = "survives";
    const { outsider } = rolesFor(key);
    const seen: (string | null)[] = [];
    const watch = outsider.node.watches.watch(key);
    const reading = (async () => {
      for await (const change of watch) seen.push(change.value);
    })();
    await cluster.run(200);
    await cluster.settle(outsider.node.cache.put(key, "1"));
    const shard = outsider.node.router.shardOf(key);
    const [replica] = outsider.node.control.map?.shards[shard]?.wanted ?? [];
    const victim = members.find(({ node }) => node.nodeId === replica) as VirtualMember;
    cluster.kill(victim);
    await cluster.settle(outsider.node.cache.put(key, "2", { timeoutMs: 10_000 }));
    await cluster.until(() => seen.length >= 2, 10_000);
    expect(seen).toEqual(["1", "2"]);
    await watch.return?.();
    await cluster.settle(reading);
  });
});

describe("the whole cluster", () => {
  test("counts and clears over all shards", async () => {
    const { cache } = (cluster.living[0] as VirtualMember).node;
    await cluster.settle(cache.clear());
    for (let key = 0; key < 200; key++) void cache.put(`n:${key}`, "v");
    await cluster.run(500);
    expect(await cluster.settle(cache.entryCount())).toBe(200);
    const stats = await cluster.settle(cache.stats());
    expect(stats.shards.filter(({ keys }) => keys > 0).length).toBeGreaterThan(10);
    expect(await cluster.settle(cache.clear())).toBe(200);
    expect(await cluster.settle(cache.entryCount())).toBe(0);
  });
});
