/**
 * Reads that this node's replica answers by itself: `get` and `getBytes` where there is one, `peek` and `peekBytes` always.
 */
import { beforeAll, describe, expect, test, vi } from "vitest";
import { CremaError } from "../../src/base/errors.ts";
import { groupOfShard, type ShardId } from "../../src/base/ids.ts";
import type { Query } from "../../src/cache/query.ts";
import { RaftGroup } from "../../src/host/raft-group.ts";
import type { ClusterNode } from "../../src/node/cluster-node.ts";
import type { AbortSignalLike } from "../../src/node/promised-reply.ts";
import { OUTSTANDING_MAX } from "../../src/node/router.ts";
import { binaryFromText } from "../../src/wire/binary-text.ts";
import { VirtualCluster, type VirtualMember } from "../support/virtual-cluster.ts";

const cluster = new VirtualCluster(71);
let members: readonly VirtualMember[] = [];

beforeAll(async () => {
  cluster.start(1);
  await cluster.until(() => cluster.ready, 3_000);
  for (const machine of [2, 3, 4, 5]) cluster.start(machine, [1]);
  expect(await cluster.until(() => cluster.ready && cluster.settledWith(3), 60_000)).toBe(true);
  members = cluster.members;
});

/** The leader of `key`'s shard, a follower, and a node without a replica. */
function rolesFor(key: string): { leader: ClusterNode; follower: ClusterNode; outsider: ClusterNode } {
  const binaryKey = binaryFromText(key);
  const find = (leads: boolean | undefined): ClusterNode => {
    const found = members.find(
      ({ node }) => node.shards.group(node.router.shardOf(binaryKey))?.isLeader === leads,
    );
    if (found === undefined) throw new Error(`no such member for ${key}`);
    return found.node;
  };
  return { leader: find(true), follower: find(false), outsider: find(undefined) };
}

/** Stored, and applied by every replica. */
async function stored(key: string, value: string | Uint8Array): Promise<void> {
  await cluster.settle(rolesFor(key).leader.cache.put(key, value));
  await cluster.run(500);
}

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error instanceof CremaError ? error.code : error;
  }
  return "nothing";
}

/** How `work` ends before anything else happens in the cluster. Throws what is thrown instead of rejected. */
function endOf(work: Promise<unknown>): Promise<unknown> {
  return work.catch((error: unknown) => (error instanceof CremaError ? error.code : error));
}

describe("at a node with a replica", () => {
  for (const role of ["leader", "follower"] as const) {
    test(`text, bytes and absent keys are answered at once (${role})`, async () => {
      const texts = {
        plain: "Alice",
        empty: "",
        Zoë: "München, 東京, 🎉",
        "{tag}of a long key, which has a tag": "x",
      };
      for (const [key, text] of Object.entries(texts)) {
        await stored(key, text);
        const { cache } = rolesFor(key)[role];
        expect(cache.peek(key)).toBe(text);
        expect(cache.peekBytes(key)).toEqual(new Uint8Array(Buffer.from(text)));
        expect(await cache.get(key)).toBe(text);
        expect(await cache.getBytes(key)).toEqual(new Uint8Array(Buffer.from(text)));
      }
      await stored("bytes", new Uint8Array([0, 127, 128, 255]));
      expect(rolesFor("bytes")[role].cache.peekBytes("bytes")).toEqual(new Uint8Array([0, 127, 128, 255]));
      const { cache } = rolesFor("absent")[role];
      expect(cache.peek("absent")).toBeNull();
      expect(cache.peekBytes("absent")).toBeNull();
      expect(await cache.get("absent")).toBeNull();
    });

    test(`a key whose time is over is absent, before and after its removal (${role})`, async () => {
      const key = `short:${role}`;
      const { leader, [role]: node } = rolesFor(key);
      await cluster.settle(leader.cache.putWithTtl(key, "short", 2_000));
      await cluster.run(500);
      expect(node.cache.peek(key)).toBe("short");
      await cluster.run(3_000);
      expect(node.cache.peek(key)).toBeNull();
      expect(await node.cache.get(key)).toBeNull();
    });

    test(`counters, statistics and use are those of a local read (${role})`, async () => {
      await stored("counted", "1");
      const node = rolesFor("counted")[role];
      const shard = node.router.shardOf("counted");
      const uses: [ShardId, Query][] = [];
      node.shards.onLocalRead = (at, query) => uses.push([at, query]);
      const counts = () => {
        const { reads, localReads, failures } = node.router.counters;
        const { hits = 0, misses = 0 } = node.shards.machine(shard)?.cache.statistics ?? {};
        return [reads, localReads, failures, hits, misses, uses.length];
      };
      const costOf = async (work: () => unknown): Promise<readonly number[]> => {
        const before = counts();
        await work();
        return counts().map((count, at) => count - (before[at] as number));
      };
      const absent = keyBeside(node, shard);
      for (const call of ["get", "getBytes", "peek", "peekBytes"] as const) {
        expect(await costOf(() => node.cache[call]("counted"))).toEqual([1, 1, 0, 1, 0, 1]);
        expect(await costOf(() => node.cache[call](absent))).toEqual([1, 1, 0, 0, 1, 1]);
      }
      expect(uses[0]).toEqual([shard, { type: "get", key: "counted" }]);
      node.shards.onLocalRead = null;
    });
  }

  /** An absent key of `shard`. */
  function keyBeside(node: ClusterNode, shard: ShardId): string {
    for (let number = 0; ; number++) {
      if (node.router.shardOf(`beside:${number}`) === shard) return `beside:${number}`;
    }
  }

  test("what is not committed yet is not seen", async () => {
    await stored("pending", "old");
    const { leader } = rolesFor("pending");
    const writing = leader.cache.put("pending", "new");
    expect(leader.cache.peek("pending")).toBe("old");
    expect(await leader.cache.get("pending")).toBe("old");
    await cluster.settle(writing);
    expect(leader.cache.peek("pending")).toBe("new");
  });
});

describe("at a node without a replica", () => {
  test("peek says undefined and counts nothing; get asks another node", async () => {
    await stored("elsewhere", "there");
    const { outsider } = rolesFor("elsewhere");
    const before = { ...outsider.router.counters };
    expect(outsider.cache.peek("elsewhere")).toBeUndefined();
    expect(outsider.cache.peekBytes("elsewhere")).toBeUndefined();
    expect(outsider.router.counters).toEqual(before);
    expect(await cluster.settle(outsider.cache.get("elsewhere"))).toBe("there");
    expect(await cluster.settle(outsider.cache.getBytes("elsewhere"))).toEqual(
      new Uint8Array(Buffer.from("there")),
    );
    expect(outsider.router.counters).toEqual({ ...before, reads: before.reads + 2 });
  });
});

describe("at a node that has just received its first snapshot", () => {
  test("nothing is read before it is installed: an empty replica would say of every key that there is none", async () => {
    const growing = new VirtualCluster(74);
    const { node: founder } = growing.start(1);
    await growing.until(() => growing.ready, 3_000);
    await growing.settle(founder.cache.put("key", "value"));
    const group = groupOfShard(founder.router.shardOf("key"));
    const seen: unknown[] = [];
    const { restoreFrom } = RaftGroup.prototype;
    const spy = vi.spyOn(RaftGroup.prototype, "restoreFrom").mockImplementation(function (
      this: RaftGroup<unknown>,
      ...given: Parameters<typeof restoreFrom>
    ) {
      restoreFrom.apply(this, given);
      if (this.id === group) seen.push(joiner.cache.peek("key"));
    });
    const { node: joiner } = growing.start(2, [1]);
    await growing.until(() => seen.length > 0, 60_000);
    spy.mockRestore();
    expect(seen).toEqual([undefined]);
    await growing.until(() => joiner.cache.peek("key") !== undefined, 5_000);
    expect(joiner.cache.peek("key")).toBe("value");
  });
});

describe("what cannot be read", () => {
  test("no key: peek throws, get rejects, neither counts", async () => {
    const { cache, router } = (members[0] as VirtualMember).node;
    const before = { ...router.counters };
    for (const key of ["", "k".repeat(65_536)]) {
      expect(thrownBy(() => cache.peek(key))).toBe("CREMA_KEY_INVALID");
      expect(thrownBy(() => cache.peekBytes(key))).toBe("CREMA_KEY_INVALID");
      expect(await endOf(cache.get(key))).toBe("CREMA_KEY_INVALID");
      expect(await endOf(cache.getBytes(key))).toBe("CREMA_KEY_INVALID");
    }
    const noText = 5 as unknown as string;
    expect(thrownBy(() => cache.peek(noText))).toBeInstanceOf(TypeError);
    expect(await endOf(cache.get(noText))).toBeInstanceOf(TypeError);
    expect(router.counters).toEqual(before);
  });

  test("aborted before: get rejects and nothing is asked, but a key that is none is told first", async () => {
    await stored("aborted", "1");
    const { cache, router } = rolesFor("aborted").leader;
    const signal = AbortSignal.abort();
    const before = { ...router.counters };
    expect(await endOf(cache.get("aborted", { signal }))).toBe("CREMA_ABORTED");
    expect(await endOf(cache.get("", { signal }))).toBe("CREMA_KEY_INVALID");
    expect(await endOf(cache.put("aborted", "2", { signal }))).toBe("CREMA_ABORTED");
    expect(router.counters).toEqual(before);
    expect(await cache.get("aborted", { signal: new AbortController().signal })).toBe("1");
  });

  test("not a member yet: CREMA_NOT_READY", async () => {
    const lonely = new VirtualCluster(72);
    const { cache } = lonely.start(2, [1]).node;
    await lonely.run(1_000);
    expect(thrownBy(() => cache.peek("key"))).toBe("CREMA_NOT_READY");
    expect(await endOf(cache.get("key"))).toBe("CREMA_NOT_READY");
    expect(await endOf(cache.put("key", "value"))).toBe("CREMA_NOT_READY");
  });

  test("too many requests wait, or the node is closed: refused and counted, replica or not", async () => {
    const alone = new VirtualCluster(73);
    const { node } = alone.start(1);
    await alone.until(() => alone.ready, 3_000);
    await alone.settle(node.cache.put("key", "value"));
    const sink = { reply: () => {}, fail: () => {} };
    const shard = node.router.shardOf("key");
    for (let count = 0; count < OUTSTANDING_MAX; count++)
      node.router.read(shard, { type: "count" }, "linearizable", 60_000, sink);
    expect(node.router.outstanding).toBe(OUTSTANDING_MAX);
    const refusedWith = async (code: string): Promise<void> => {
      const { reads, localReads, failures } = node.router.counters;
      expect(thrownBy(() => node.cache.peek("key"))).toBe(code);
      expect(await endOf(node.cache.get("key"))).toBe(code);
      expect(node.router.counters).toMatchObject({ reads: reads + 2, localReads, failures: failures + 2 });
    };
    await refusedWith("CREMA_BUSY");
    await node.close();
    await refusedWith("CREMA_CLOSED");
  });
});

describe("a signal", () => {
  test("ends the waiting for a write, which may be applied; and is let go of once there is an answer", async () => {
    const { cache } = rolesFor("signalled").outsider;
    const signal = new CountingSignal();
    expect(await cluster.settle(cache.put("signalled", "1", { signal }))).not.toBeNull();
    expect(await cluster.settle(cache.get("signalled", { signal }))).toBe("1");
    await cluster.settle(cache.put("signalled", "no number", { signal }));
    const wrong = await cluster.settle(endOf(cache.increment("signalled", 1, { signal })));
    expect(wrong).toBe("CREMA_WRONG_TYPE");
    expect(signal.listeners.size).toBe(0);
    const writing = cache.put("signalled", "2", { signal });
    expect(signal.listeners.size).toBe(1);
    signal.abort();
    await expect(writing).rejects.toMatchObject({ code: "CREMA_ABORTED", ambiguous: true });
    await cluster.run(1_000);
    expect(signal.listeners.size).toBe(0);
    expect(await cluster.settle(cache.consistentGet("signalled"))).toBe("2");
  });

  class CountingSignal implements AbortSignalLike {
    aborted = false;
    readonly listeners = new Set<() => void>();

    addEventListener(_type: "abort", listener: () => void): void {
      this.listeners.add(listener);
    }

    removeEventListener(_type: "abort", listener: () => void): void {
      this.listeners.delete(listener);
    }

    abort(): void {
      this.aborted = true;
      for (const listener of [...this.listeners]) listener();
    }
  }
});
