/**
 * A shard whose majority is gone says so at once, tells nothing stale meanwhile, and goes on when the majority is back.
 */
import { describe, expect, test } from "vitest";
import { CremaError } from "../../src/base/errors.ts";
import { memberSilent } from "../../src/node/group-quorum.ts";
import { VirtualCluster, type VirtualMember } from "../support/virtual-cluster.ts";

/** Clients would wait for so long. */
const TIMEOUT_MS = 5_000;
/** Gossip has given up both machines, and the leader that was left has stepped down. */
const NOTICED_WITHIN_MS = 15_000;

async function threeOf(seed: number): Promise<{
  cluster: VirtualCluster;
  survivor: VirtualMember;
  others: readonly [VirtualMember, VirtualMember];
}> {
  const cluster = new VirtualCluster(seed);
  await cluster.startDurable(1);
  expect(await cluster.until(() => cluster.ready, 3_000)).toBe(true);
  for (const machine of [2, 3]) await cluster.startDurable(machine, [1]);
  expect(await cluster.until(() => cluster.ready && cluster.settledWith(3), 60_000)).toBe(true);
  const [survivor, second, third] = cluster.members as [VirtualMember, VirtualMember, VirtualMember];
  return { cluster, survivor, others: [second, third] };
}

/** What `work` fails with, and how long that took. */
async function failureOf(
  cluster: VirtualCluster,
  work: Promise<unknown>,
): Promise<{ error: CremaError; tookMs: number }> {
  const beganMs = cluster.clock.nowMs();
  const error = await cluster.settle(
    work.then(
      () => null,
      (reason: unknown) => reason,
    ),
  );
  if (!(error instanceof CremaError)) throw new Error(`it should have failed, and did with ${String(error)}`);
  return { error, tookMs: cluster.clock.nowMs() - beganMs };
}

function withoutQuorum({ node }: VirtualMember): number {
  return node.metrics().gauges.shards_without_quorum ?? Number.NaN;
}

describe("a node that is left alone by a majority of the voters", () => {
  test("refuses writes and linearizable reads at once, answers local reads, and goes on when they return", async () => {
    const { cluster, survivor, others } = await threeOf(431);
    const { cache } = survivor.node;
    await cluster.settle(cache.put("key", "value"));
    // Until the replica here has heard that it is committed.
    await cluster.until(
      () => survivor.node.shards.group(survivor.node.router.shardOf("key"))?.raft.quiesced === true,
      10_000,
    );
    expect(withoutQuorum(survivor)).toBe(0);
    for (const other of others) cluster.kill(other, "power-lost");
    expect(await cluster.until(() => withoutQuorum(survivor) === 16, NOTICED_WITHIN_MS)).toBe(true);

    for (const ask of [
      () => cache.put("key", "other", { timeoutMs: TIMEOUT_MS }),
      () => cache.consistentGet("key", { timeoutMs: TIMEOUT_MS }),
    ]) {
      const { error, tookMs } = await failureOf(cluster, ask());
      expect(error).toMatchObject({ code: "CREMA_NO_QUORUM", retryable: true, ambiguous: false });
      expect(error.message).toContain(`only ${survivor.node.nodeId} answers`);
      expect(tookMs).toBeLessThan(500);
    }
    expect(await cluster.settle(cache.get("key"))).toBe("value");
    expect(survivor.node.notReadyReason()).toContain("a majority of the voters does not answer");

    for (const machine of [2, 3]) await cluster.startDurable(machine, [1]);
    expect(await cluster.until(() => cluster.ready, 15_000)).toBe(true);
    expect(await cluster.settle(cache.consistentGet("key"))).toBe("value");
    await cluster.settle(cache.put("key", "after"));
    expect(withoutQuorum(survivor)).toBe(0);
  });

  test("knows since when it is a member, for what it believed before is believed a moment later", async () => {
    const { cluster, survivor, others } = await threeOf(435);
    const joinedAtMs = others.map(({ node }) => node.enteredAtMs);
    for (const atMs of joinedAtMs) {
      expect(atMs).toBeGreaterThan(survivor.node.enteredAtMs);
      expect(atMs).toBeLessThan(cluster.clock.nowMs());
    }
    expect(survivor.node.enteredAtMs).toBeGreaterThanOrEqual(0);
  });

  // Found by simulation: gossip suspected two voters for nine seconds, whom the follower heard all the time.
  test("is not taken for one by gossip alone: whoever follows a leader asks it", async () => {
    const { cluster, survivor } = await threeOf(434);
    const { node } = survivor;
    const isFollower = (key: string): boolean =>
      node.shards.group(node.router.shardOf(key))?.isLeader === false;
    const key = Array.from({ length: 200 }, (_, at) => `key:${at}`).find(isFollower);
    if (key === undefined) throw new Error("no node leads every shard");
    await cluster.settle(node.cache.put(key, "before"));
    const heard = node.gossip.member.bind(node.gossip);
    node.gossip.member = (id) => {
      const member = heard(id);
      return member === undefined || id === node.nodeId
        ? member
        : { ...member, state: "suspect", stateChangedAtMs: 0 };
    };
    memberSilent(node);
    for (let round = 0; round < 10; round++) {
      await cluster.settle(node.cache.put(key, String(round), { timeoutMs: TIMEOUT_MS }));
      await cluster.run(200);
    }
    expect(withoutQuorum(survivor)).toBe(0);
    expect(node.notReadyReason()).toBeNull();
  });

  // Found by simulation: a node that had been cut off suspected two voters for 40 ms, and refused what the leader would have answered.
  test("believes a suspicion only when it has lasted: one that is refuted at once costs no request", async () => {
    const { cluster, survivor, others } = await threeOf(433);
    for (const other of others) cluster.kill(other, "power-lost");
    const doubtsBoth = (): boolean =>
      others.every(({ node }) => survivor.node.gossip.member(node.nodeId)?.state !== "alive");
    expect(await cluster.until(doubtsBoth, NOTICED_WITHIN_MS)).toBe(true);
    const suspectedAtMs = cluster.clock.nowMs();
    expect(withoutQuorum(survivor)).toBe(0);
    expect(await cluster.until(() => withoutQuorum(survivor) === 16, NOTICED_WITHIN_MS)).toBe(true);
    expect(cluster.clock.nowMs() - suspectedAtMs).toBeGreaterThan(500);
    expect(cluster.clock.nowMs() - suspectedAtMs).toBeLessThan(2_500);
  });

  test("keeps a write that it may have applied waiting, and calls it ambiguous", async () => {
    const { cluster, survivor, others } = await threeOf(432);
    const { node } = survivor;
    const led = node.router.shardCount;
    expect(led).toBe(16);
    const key = Array.from({ length: 200 }, (_, at) => `key:${at}`).find(
      (candidate) => node.shards.group(node.router.shardOf(candidate))?.isLeader === true,
    );
    if (key === undefined) throw new Error("every node leads some shards");
    await cluster.settle(node.cache.put(key, "before"));
    for (const other of others) cluster.kill(other, "power-lost");
    const { error } = await failureOf(cluster, node.cache.put(key, "maybe", { timeoutMs: TIMEOUT_MS }));
    expect(error).toMatchObject({ code: "CREMA_TIMEOUT", ambiguous: true });
  });
});
