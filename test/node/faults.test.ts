/**
 * What a fleet does to its nodes, on whole nodes in virtual time.
 */
import { describe, expect, test } from "vitest";
import { CremaError } from "../../src/base/errors.ts";
import { groupId } from "../../src/base/ids.ts";
import type { NodeOptions } from "../../src/node/options.ts";
import type { VirtualMember } from "../support/virtual-cluster.ts";
import { VirtualCluster } from "../support/virtual-cluster.ts";

async function clusterOf(
  seed: number,
  size: number,
  options: Partial<NodeOptions> = {},
): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(seed);
  cluster.start(1, [], options);
  expect(await cluster.until(() => cluster.ready, 3_000)).toBe(true);
  for (let machine = 2; machine <= size; machine++) cluster.start(machine, [1], options);
  const settled = await cluster.until(
    () =>
      cluster.ready &&
      cluster.settledWith(Math.min(3, size)) &&
      cluster.living.every(({ node }) => node.control.map?.members.length === size),
    60_000,
  );
  if (!settled)
    console.log(
      cluster.members
        .flatMap(({ log }) => log)
        .slice(-60)
        .join("\n"),
    );
  expect(settled).toBe(true);
  return cluster;
}

/** Increments through `via` until stopped; counts what was acknowledged and what stayed ambiguous. */
class Counter {
  acknowledged = 0;
  ambiguous = 0;
  failed = 0;
  readonly errors: string[] = [];
  #stopped = false;
  #running = 0;

  run(via: readonly VirtualMember[], keys: number, lanes: number): void {
    for (let lane = 0; lane < lanes; lane++) {
      this.#running++;
      void this.#loop(via, keys, lane).finally(() => this.#running--);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  get running(): boolean {
    return this.#running > 0;
  }

  async #loop(via: readonly VirtualMember[], keys: number, lane: number): Promise<void> {
    for (let turn = lane; !this.#stopped; turn++) {
      const member = via[turn % via.length] as VirtualMember;
      try {
        await member.node.cache.increment(`counter:${turn % keys}`);
        this.acknowledged++;
      } catch (error) {
        const ambiguous = error instanceof CremaError && error.ambiguous;
        if (ambiguous) this.ambiguous++;
        else this.failed++;
        this.errors.push(String(error));
      }
    }
  }
}

async function total(cluster: VirtualCluster, via: VirtualMember, keys: number): Promise<number> {
  let sum = 0;
  for (let key = 0; key < keys; key++) {
    sum += Number((await cluster.settle(via.node.cache.consistentGet(`counter:${key}`))) ?? 0);
  }
  return sum;
}

describe("a node that dies under load", () => {
  for (const seed of [101, 102, 103]) {
    test(`leaves no acknowledged increment behind, doubles none, and is replaced (seed ${seed})`, async () => {
      const cluster = await clusterOf(seed, 4);
      const victim = cluster.members[seed % 4] as VirtualMember;
      const survivors = cluster.members.filter((member) => member !== victim);
      const counter = new Counter();
      counter.run(survivors, 40, 16);
      await cluster.run(500);
      cluster.kill(victim);
      const killedAtMs = cluster.clock.nowMs();
      expect(await cluster.until(() => cluster.leaders().every((leader) => leader !== null), 5_000)).toBe(
        true,
      );
      const replaced = await cluster.until(() => cluster.settledWith(3), 40_000);
      if (!replaced) console.log(survivors.map(({ log }) => log.slice(-30).join("\n")).join("\n---\n"));
      expect(replaced).toBe(true);
      expect(cluster.clock.nowMs() - killedAtMs).toBeLessThan(40_000);
      counter.stop();
      await cluster.until(() => !counter.running, 10_000);
      expect(counter.errors).toEqual([]);
      const sum = await total(cluster, survivors[0] as VirtualMember, 40);
      expect(sum).toBe(counter.acknowledged);
    });
  }

  test("that held a minority of a three-node cluster stops nothing for longer than 5 s", async () => {
    const cluster = await clusterOf(111, 3);
    const [victim, ...survivors] = cluster.members;
    cluster.kill(victim as VirtualMember, "power-lost");
    const writes = Array.from({ length: 64 }, (_, key) =>
      (survivors[0] as VirtualMember).node.cache.put(`k:${key}`, "v", { timeoutMs: 8_000 }),
    );
    await cluster.settle(Promise.all(writes), 5_000);
  });
});

// Found by simulation: gossip tells each news once, and a node behind a load balancer that asks only ready ones is never asked.
test("a node that came to doubt a leader believes it again, without a request, when nobody else is heard of", async () => {
  const cluster = await clusterOf(208, 5);
  const outsider = cluster.members.find(({ node }) => node.groups.get(groupId(1)) === undefined);
  if (outsider === undefined) throw new Error("five nodes, three replicas");
  const { node } = outsider;
  await cluster.run(2_000);
  const { leader } = node.leaders.get(groupId(1));
  if (leader === null) throw new Error("the leader is known");
  node.leaders.doubt(groupId(1), leader);
  expect(node.notReadyReason()).not.toBeNull();
  expect(await cluster.until(() => node.notReadyReason() === null, 1_500)).toBe(true);
});

describe("a node that leaves", () => {
  // Found by simulation: the map took it back as alive and forgot that it was leaving.
  test("leaves all the same when it was given up for dead meanwhile and came back", async () => {
    const cluster = await clusterOf(207, 4, { drainTimeoutMs: 600_000 });
    const [first, leaver] = cluster.members as [VirtualMember, VirtualMember];
    const { nodeId, boot } = leaver.node;
    const stateOf = (): string | undefined =>
      first.node.control.map?.members.find((member) => member.nodeId === nodeId)?.state;
    let left = false;
    void leaver.node
      .leave(async () => {})
      .then(() => {
        left = true;
      });
    expect(await cluster.until(() => stateOf() === "draining", 1_000)).toBe(true);
    // What the leader of the system group does for one that was dead and is heard again.
    const revived = { type: "set-member-state", nodeId, boot, state: "alive" } as const;
    await cluster.settle(first.node.control.system.propose(revived, 1_000));
    expect(left).toBe(false);
    expect(await cluster.until(() => left, 25_000)).toBe(true);
    leaver.alive = false;
    expect(await cluster.until(() => stateOf() === undefined && cluster.settledWith(3), 30_000)).toBe(true);
  });

  test("fails no request of anybody, and its replicas are elsewhere before it goes", async () => {
    const cluster = await clusterOf(201, 4);
    const leaver = cluster.members[1] as VirtualMember;
    const counter = new Counter();
    counter.run(
      cluster.members.filter((member) => member !== leaver),
      40,
      12,
    );
    await cluster.run(300);
    const startedAtMs = cluster.clock.nowMs();
    const leaving = leaver.node.leave(async () => {});
    await cluster.settle(leaving, 25_000);
    leaver.alive = false;
    expect(cluster.clock.nowMs() - startedAtMs).toBeLessThan(25_000);
    const left = cluster.living.flatMap(({ node }) => [...node.groups.groups()]);
    for (const { raft } of left.filter(({ isLeader }) => isLeader)) {
      expect(raft.configuration.voters).toHaveLength(3);
      expect(raft.configuration.voters).not.toContain(leaver.node.nodeId);
    }
    counter.stop();
    await cluster.until(() => !counter.running, 10_000);
    expect(counter.errors).toEqual([]);
    expect(await total(cluster, cluster.members[0] as VirtualMember, 40)).toBe(counter.acknowledged);
    expect(cluster.living.every(({ node }) => node.control.map?.members.length === 3)).toBe(true);
  });

  test("shrinks a cluster of three to two, then to one, without losing a key", async () => {
    const cluster = await clusterOf(202, 3);
    const [first, second, third] = cluster.members as [VirtualMember, VirtualMember, VirtualMember];
    for (let key = 0; key < 50; key++) await cluster.settle(first.node.cache.put(`k:${key}`, String(key)));
    await cluster.settle(
      first.node.leave(async () => {}),
      26_000,
    );
    first.alive = false;
    expect(await cluster.until(() => cluster.settledWith(2), 10_000)).toBe(true);
    await cluster.settle(
      second.node.leave(async () => {}),
      26_000,
    );
    second.alive = false;
    expect(await cluster.until(() => cluster.settledWith(1), 10_000)).toBe(true);
    for (let key = 0; key < 50; key++) {
      expect(await cluster.settle(third.node.cache.consistentGet(`k:${key}`))).toBe(String(key));
    }
  });
});

describe("whether it is safe to stop a node", () => {
  test("is denied from the moment another one is gone, before gossip knows and though all groups have leaders", async () => {
    const cluster = new VirtualCluster(204);
    cluster.start(1, [], { shards: 1 });
    await cluster.until(() => cluster.ready, 3_000);
    for (const machine of [2, 3]) cluster.start(machine, [1]);
    const leads = ({ node }: VirtualMember): boolean =>
      [...node.groups.groups()].some(({ isLeader }) => isLeader);
    const safe = async ({ node }: VirtualMember): Promise<boolean> =>
      (await cluster.settle(node.view.unsafeToStopReason())) === null;
    expect(await cluster.until(() => cluster.ready && cluster.settledWith(3), 30_000)).toBe(true);
    await cluster.run(3_000);
    const victim = cluster.members.find((member) => !leads(member)) as VirtualMember;
    const others = cluster.members.filter((member) => member !== victim);
    for (const other of others) expect(await safe(other)).toBe(true);
    cluster.kill(victim);
    for (let moment = 0; moment < 50; moment++) {
      await cluster.run(20);
      for (const other of others) expect(await safe(other), `moment ${moment}`).toBe(false);
    }
  });
});

describe("a cluster that is stopped as a whole", () => {
  test("does not wait for its drains: there is nobody left to take anything over", async () => {
    const cluster = await clusterOf(203, 3);
    const startedAtMs = cluster.clock.nowMs();
    await cluster.settle(Promise.all(cluster.members.map(({ node }) => node.leave(async () => {}))), 25_000);
    expect(cluster.clock.nowMs() - startedAtMs).toBeLessThan(5_000);
  });
});

describe("a node that was taken in and given up before it heard of it", () => {
  test("learns that its id is spent", async () => {
    const cluster = await clusterOf(402, 3);
    const late = cluster.start(4, [1], { deadGraceMs: 0 });
    // Its request to join arrives, the answer does not.
    expect(await cluster.until(() => cluster.members[0]?.node.control.map?.members.length === 4, 5_000)).toBe(
      true,
    );
    expect(late.node.control.isListed).toBe(false);
    for (const other of cluster.members)
      if (other !== late) cluster.network.partition(late.address, other.address);
    const others = cluster.members.filter((member) => member !== late);
    const gone = (): boolean => others.every(({ node }) => node.control.map?.members.length === 3);
    expect(await cluster.until(gone, 90_000)).toBe(true);
    let told = false;
    late.node.onRemoved = () => {
      told = true;
    };
    cluster.network.heal();
    expect(await cluster.until(() => told, 30_000)).toBe(true);
  });
});

describe("a leader that is cut off", () => {
  test("never answers a linearizable read, and its old value is not what the others say", async () => {
    const cluster = await clusterOf(301, 3);
    const [one, two, three] = cluster.members as [VirtualMember, VirtualMember, VirtualMember];
    await cluster.settle(one.node.cache.put("key", "old"));
    const shard = one.node.router.shardOf("key");
    const leader = cluster.members.find(
      ({ node }) => node.shards.group(shard)?.isLeader === true,
    ) as VirtualMember;
    const others = [one, two, three].filter((member) => member !== leader);
    for (const other of others) cluster.network.partition(leader.address, other.address);
    const stale = leader.node.cache.consistentGet("key", { timeoutMs: 4_000 }).then(
      (value) => `answered ${value}`,
      (error: unknown) => (error instanceof CremaError ? error.code : String(error)),
    );
    await cluster.settle(
      (others[0] as VirtualMember).node.cache.put("key", "new", { timeoutMs: 10_000 }),
      10_000,
    );
    expect(await cluster.settle((others[1] as VirtualMember).node.cache.consistentGet("key"))).toBe("new");
    expect(await cluster.settle(stale)).not.toContain("answered");
    await cluster.run(3_000);
    expect(leader.node.shards.group(shard)?.isLeader).toBe(false);
    cluster.network.heal();
    expect(await cluster.until(() => cluster.ready && cluster.settledWith(3), 30_000)).toBe(true);
    expect(await cluster.settle(leader.node.cache.consistentGet("key"))).toBe("new");
  });
});

describe("a node that says farewell", () => {
  test("does not stumble over its seeds being looked up meanwhile", async () => {
    const cluster = await clusterOf(401, 2);
    const leaver = cluster.members[1] as VirtualMember;
    leaver.node.gossip.leave();
    expect(() => leaver.node.gossip.join([cluster.address(1)])).not.toThrow();
  });
});
