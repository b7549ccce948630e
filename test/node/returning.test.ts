/**
 * What becomes of a durable node that comes back: after all of them stopped, at another address, after its cluster went on
 * without it, on a damaged disk, in the middle of a founding.
 */
import { describe, expect, test } from "vitest";
import { SYSTEM_GROUP } from "../../src/base/ids.ts";
import { Random } from "../../src/base/random.ts";
import { type ClusterMap, findMember } from "../../src/cluster/cluster-map.ts";
import { VirtualDisk } from "../../src/sim/virtual-disk.ts";
import { VirtualLogStore } from "../../src/sim/virtual-log-store.ts";
import { VirtualCluster, type VirtualMember } from "../support/virtual-cluster.ts";

const SEEDS = [1, 2, 3];
const OPTIONS = { shards: 4, deadGraceMs: 2_000 };

async function founded(seed: number, options = OPTIONS): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(seed);
  for (const machine of SEEDS) await cluster.startDurable(machine, SEEDS, options);
  expect(await cluster.until(() => cluster.ready && cluster.settledWith(3), 30_000)).toBe(true);
  return cluster;
}

const increment = (cluster: VirtualCluster, member: VirtualMember, key = "n"): Promise<unknown> =>
  cluster.settle(member.node.cache.increment(key, 1));

const read = (cluster: VirtualCluster, member: VirtualMember, key = "n"): Promise<string | null> =>
  cluster.settle(member.node.cache.consistentGet(key));

const idsOf = (members: readonly VirtualMember[]): string[] => members.map(({ node }) => node.nodeId);

/** The map of every living node knows every living node by its present process and address. */
function isKnown(cluster: VirtualCluster): boolean {
  return cluster.living.every(({ node: { control } }) =>
    cluster.living.every(({ node }) => {
      const member = control.map === null ? null : findMember(control.map, node.nodeId);
      return (
        member?.boot === node.boot && member.address.host === node.address.host && member.state === "alive"
      );
    }),
  );
}

describe("a durable fleet", () => {
  test("that lost its power as a whole goes on with every acknowledged write", async () => {
    const cluster = await founded(1);
    const before = [...cluster.living];
    const { clusterId } = (before[0] as VirtualMember).node;
    for (let count = 0; count < 30; count++) await increment(cluster, before[count % 3] as VirtualMember);
    for (const member of before) cluster.kill(member, "power-lost");
    await cluster.run(20_000);
    const after: VirtualMember[] = [];
    for (const machine of [3, 1, 2]) after.push(await cluster.startDurable(machine, SEEDS, OPTIONS));
    expect(await cluster.until(() => cluster.ready && isKnown(cluster), 20_000)).toBe(true);
    expect(idsOf(after).sort()).toEqual(idsOf(before).sort());
    expect(new Set(after.map(({ node }) => node.clusterId))).toEqual(new Set([clusterId]));
    for (const member of after) expect(await read(cluster, member)).toBe("30");
    expect(await increment(cluster, after[0] as VirtualMember)).toBe(31);
  });

  test("serves again with a majority, without waiting for the rest", async () => {
    const cluster = await founded(2, { ...OPTIONS, deadGraceMs: 60_000 });
    const [first] = cluster.living;
    await increment(cluster, first as VirtualMember);
    for (const member of [...cluster.living]) cluster.kill(member);
    const [one] = [
      await cluster.startDurable(2, SEEDS, OPTIONS),
      await cluster.startDurable(3, SEEDS, OPTIONS),
    ];
    expect(await cluster.until(() => cluster.ready, 20_000)).toBe(true);
    expect(await read(cluster, one as VirtualMember)).toBe("1");
  });

  test("finds itself again when every machine has another address", async () => {
    const cluster = await founded(3);
    for (let count = 0; count < 5; count++) await increment(cluster, cluster.living[0] as VirtualMember);
    const before = idsOf(cluster.living);
    for (const member of [...cluster.living]) cluster.kill(member);
    for (const machine of SEEDS)
      await cluster.startDurable(machine + 10, [11, 12, 13], OPTIONS, { disk: cluster.disk(machine) });
    expect(await cluster.until(() => cluster.ready && isKnown(cluster), 60_000)).toBe(true);
    expect(idsOf(cluster.living)).toEqual(before);
    expect(await read(cluster, cluster.living[1] as VirtualMember)).toBe("5");
  });

  test("never lets a key expire early over a restart, and lets it expire", async () => {
    const cluster = await founded(4);
    const [first] = cluster.living;
    await cluster.settle((first as VirtualMember).node.cache.put("brief", "x", { ttlMs: 10_000 }));
    const setAtMs = cluster.clock.nowMs();
    for (const member of [...cluster.living]) cluster.kill(member);
    await cluster.run(4_000);
    for (const machine of SEEDS) await cluster.startDurable(machine, SEEDS, OPTIONS);
    expect(await cluster.until(() => cluster.ready, 20_000)).toBe(true);
    const [via] = cluster.living;
    while (cluster.clock.nowMs() < setAtMs + 9_900) {
      expect(await read(cluster, via as VirtualMember, "brief")).toBe("x");
      await cluster.run(100);
    }
    await cluster.run(9_000);
    expect(await read(cluster, via as VirtualMember, "brief")).toBeNull();
  });
});

describe("a durable node", () => {
  test("alone and without seeds comes back as the same cluster with its keys", async () => {
    const cluster = new VirtualCluster(5);
    const first = await cluster.startDurable(1, [], OPTIONS);
    expect(await cluster.until(() => cluster.ready, 10_000)).toBe(true);
    await increment(cluster, first);
    cluster.kill(first);
    const second = await cluster.startDurable(1, [], OPTIONS);
    expect(await cluster.until(() => cluster.ready && isKnown(cluster), 10_000)).toBe(true);
    expect([second.node.nodeId, second.node.clusterId]).toEqual([first.node.nodeId, first.node.clusterId]);
    expect(second.node.boot).not.toBe(first.node.boot);
    expect(await read(cluster, second)).toBe("1");
  });

  test("that moved is accepted at its new address, while the others still think it is at the old one", async () => {
    const cluster = await founded(6, { ...OPTIONS, deadGraceMs: 60_000 });
    const moving = cluster.living[2] as VirtualMember;
    cluster.kill(moving, "power-lost");
    await cluster.startDurable(9, SEEDS, OPTIONS, { disk: cluster.disk(3) });
    expect(await cluster.until(() => cluster.ready && isKnown(cluster), 60_000)).toBe(true);
    expect(await increment(cluster, cluster.living[2] as VirtualMember)).toBe(1);
  });

  // Found by simulation: refused under the nonce of its former life, it left with its replicas, and two shards lost their majority.
  test("that is asked to leave before it hears that the map knows it again is drained", async () => {
    const cluster = await founded(10, { ...OPTIONS, deadGraceMs: 60_000 });
    const others = (): VirtualMember[] => cluster.living.filter((member) => member !== back);
    const followers = cluster.living.filter(({ node }) => node.groups.get(SYSTEM_GROUP)?.isLeader !== true);
    const former = followers.at(-1) as VirtualMember;
    cluster.kill(former);
    const back = await cluster.startDurable(1 + cluster.members.indexOf(former), SEEDS, OPTIONS);
    const bootIn = ({ node }: VirtualMember) =>
      findMember(node.control.map as ClusterMap, back.node.nodeId)?.boot;
    const { boot } = back.node;
    const isKnownAgain = (): boolean => others().some((member) => bootIn(member) === boot);
    expect(await cluster.until(isKnownAgain, 10_000)).toBe(true);
    expect(bootIn(back)).not.toBe(boot);
    await cluster.settle(back.node.leave(async () => {}));
    expect(back.log.filter((line) => line.includes(" warn leaving"))).toEqual([]);
    expect(others().map(({ node }) => node.control.map?.removed)).toEqual([
      [back.node.nodeId],
      [back.node.nodeId],
    ]);
  });

  test("that is asked to leave before the map knows it again is drained", async () => {
    const cluster = await founded(11, { ...OPTIONS, deadGraceMs: 60_000 });
    const [first] = cluster.living as [VirtualMember, ...VirtualMember[]];
    cluster.kill(cluster.living[2] as VirtualMember);
    const back = await cluster.startDurable(3, SEEDS, OPTIONS);
    await cluster.settle(back.node.leave(async () => {}));
    expect(back.log.filter((line) => line.includes(" warn leaving"))).toEqual([]);
    expect(first.node.control.map?.removed).toContain(back.node.nodeId);
  });

  test("whose cluster went on without it is told so, and disturbs nobody", async () => {
    const cluster = await founded(7);
    const spare = await cluster.startDurable(4, SEEDS, OPTIONS);
    expect(await cluster.until(() => cluster.ready && cluster.settledWith(3), 30_000)).toBe(true);
    const lost = cluster.living[1] as VirtualMember;
    cluster.kill(lost);
    const isRemoved = (): boolean => spare.node.control.map?.removed.includes(lost.node.nodeId) === true;
    expect(await cluster.until(isRemoved, 60_000)).toBe(true);
    // Leaderships are spread anew first.
    await cluster.run(10_000);
    const terms = termsOf(spare);
    const back = await cluster.startDurable(2, SEEDS, OPTIONS);
    expect(back.node.nodeId).toBe(lost.node.nodeId);
    expect(await cluster.until(() => back.node.removed, 20_000)).toBe(true);
    await cluster.run(5_000);
    expect(termsOf(spare)).toEqual(terms);
  });

  test("on a damaged disk does not start, and a fresh one takes its place", async () => {
    const cluster = await founded(8);
    await increment(cluster, cluster.living[0] as VirtualMember);
    const broken = cluster.living[2] as VirtualMember;
    cluster.kill(broken);
    // Of the node's own record, and of every header, nothing may be lost: the first record is all of that.
    cluster.disk(3).read();
    cluster.disk(3).flipBitAt(18);
    await expect(cluster.startDurable(3, SEEDS, OPTIONS)).rejects.toMatchObject({
      code: "CREMA_STORE_DAMAGED",
    });
    const disk = new VirtualDisk(cluster.clock, new Random(8, 8));
    const fresh = await cluster.startDurable(3, SEEDS, OPTIONS, { disk });
    expect(fresh.node.nodeId).not.toBe(broken.node.nodeId);
    expect(await cluster.until(() => cluster.ready && cluster.settledWith(3), 60_000)).toBe(true);
    expect(await read(cluster, fresh)).toBe("1");
  });

  test("whose disk lost the data of some shard votes on, is filled again under its own id, and says so", async () => {
    const cluster = await founded(8);
    for (let count = 0; count < 40; count++)
      await increment(cluster, cluster.living[0] as VirtualMember, `key:${count}`);
    const broken = cluster.living[2] as VirtualMember;
    await cluster.settle(broken.node.cache.put("long", "x".repeat(40_000)));
    await cluster.run(1_000);
    cluster.kill(broken);
    const disk = cluster.disk(3);
    disk.read();
    // Within the long value: what came after it is short.
    disk.flipBitAt(disk.size - 20_000);
    const past = await new VirtualLogStore(disk, cluster.clock).load();
    expect(past.damaged.map(({ what }) => what)).toEqual([
      expect.stringMatching(/record \d+: entries .* are damaged/),
    ]);
    const back = await cluster.startDurable(3, SEEDS, OPTIONS);
    expect(back.node.nodeId).toBe(broken.node.nodeId);
    expect(await cluster.until(() => cluster.ready && cluster.settledWith(3), 60_000)).toBe(true);
    for (let count = 0; count < 40; count++) expect(await read(cluster, back, `key:${count}`)).toBe("1");
    expect(await read(cluster, back, "long")).toBe("x".repeat(40_000));
  });

  test("whose disk breaks stops its groups and loses nothing; with a sound one and a restart it is back", async () => {
    const cluster = await founded(9, { ...OPTIONS, deadGraceMs: 60_000 });
    const full = cluster.living[0] as VirtualMember;
    const other = cluster.living[1] as VirtualMember;
    cluster.disk(1).broken = true;
    for (let count = 0; count < 40; count++) await increment(cluster, other, `key:${count}`);
    expect(full.node.groups.failedGroups.size).toBeGreaterThan(0);
    cluster.kill(full);
    cluster.disk(1).broken = false;
    await cluster.startDurable(1, SEEDS, OPTIONS);
    expect(await cluster.until(() => cluster.ready && cluster.settledWith(3), 30_000)).toBe(true);
    for (let count = 0; count < 40; count++) expect(await read(cluster, other, `key:${count}`)).toBe("1");
  });

  test("whose disk is full hands over what it leads, and goes on without a restart when there is space", async () => {
    const cluster = await founded(9, { ...OPTIONS, deadGraceMs: 60_000 });
    const full = cluster.living[0] as VirtualMember;
    const other = cluster.living[1] as VirtualMember;
    cluster.disk(1).full = true;
    const leads = (): number => [...full.node.groups.groups()].filter(({ isLeader }) => isLeader).length;
    for (let count = 0; count < 40; count++) await increment(cluster, other, `key:${count}`);
    expect(await cluster.until(() => leads() === 0, 10_000)).toBe(true);
    expect(full.node.notReadyReason()).toContain("read-only");
    expect(full.node.groups.failedGroups.size).toBe(0);
    for (let count = 0; count < 40; count++) expect(await read(cluster, full, `key:${count}`)).toBe("1");
    cluster.disk(1).full = false;
    expect(await cluster.until(() => cluster.ready && cluster.settledWith(3), 30_000)).toBe(true);
    expect(await cluster.until(() => leads() > 0, 30_000)).toBe(true);
  });
});

describe("durable nodes that restart while they found a cluster", () => {
  // No disk knew of the system group yet, and nobody founded it again: shards that served, and a map that nobody could change.
  test("become whole when they died as soon as they had founded", async () => {
    for (let delayMs = 0; delayMs <= 60; delayMs += 2) {
      const cluster = new VirtualCluster(100 + delayMs);
      for (const machine of SEEDS) {
        cluster.disk(machine).setConditions({ syncMeanMs: 5 });
        await cluster.startDurable(machine, SEEDS, OPTIONS);
      }
      const founder = (): VirtualMember | undefined =>
        cluster.living.find(({ node }) => node.clusterId !== null);
      while (cluster.living.length > 1) {
        expect(await cluster.until(() => founder() !== undefined, 30_000)).toBe(true);
        await cluster.run(delayMs);
        cluster.kill(founder() as VirtualMember, "power-lost");
      }
      for (const member of [...cluster.living]) cluster.kill(member, "power-lost");
      for (const machine of SEEDS) await cluster.startDurable(machine, SEEDS, OPTIONS);
      const whole = (): boolean => cluster.ready && cluster.settledWith(3) && isKnown(cluster);
      expect(await cluster.until(whole, 60_000), `died ${delayMs} ms after founding`).toBe(true);
    }
  }, 60_000);

  test("found one cluster, whoever of them restarts, all included", async () => {
    const clusters = Number(process.env.FOUNDING_SEEDS ?? 20);
    for (let seed = 1; seed <= clusters; seed++) {
      const cluster = new VirtualCluster(seed);
      const random = new Random(seed, 0xf0);
      for (const machine of SEEDS) cluster.disk(machine).setConditions({ syncMeanMs: 20, slowRate: 0.1 });
      const seen = new Set<string>();
      const note = (member: VirtualMember): void => {
        member.node.events.add((event) => {
          if (event.type === "founded" || event.type === "joined") seen.add(event.clusterId);
        });
      };
      for (const machine of SEEDS) note(await cluster.startDurable(machine, SEEDS, OPTIONS));
      for (let round = 0; round < 6; round++) {
        await cluster.run(random.nextBelow(500));
        const dying = random.shuffle([...cluster.living]).slice(0, 1 + random.nextBelow(3));
        for (const member of dying) cluster.kill(member);
        for (const member of dying) {
          await cluster.run(random.nextBelow(200));
          note(await cluster.startDurable(Number(member.address.host.split(".")[3]), SEEDS, OPTIONS));
        }
      }
      const whole = (): boolean => cluster.ready && cluster.settledWith(3) && isKnown(cluster);
      expect(await cluster.until(whole, 60_000), `schedule ${seed} ends`).toBe(true);
      expect([...seen], `schedule ${seed}`).toHaveLength(1);
    }
  }, 600_000);
});

function termsOf({ node }: VirtualMember): number[] {
  return [...node.groups.groups()].map(({ raft }) => raft.term);
}
