/**
 * A majority that is lost for good, and what an operator can do about it, on whole nodes in virtual time.
 */
import { describe, expect, test } from "vitest";
import { CremaError } from "../../src/base/errors.ts";
import { SYSTEM_GROUP } from "../../src/base/ids.ts";
import type { RecoveryPlan } from "../../src/cluster/recovery-plan.ts";
import { VirtualCluster, type VirtualMember } from "../support/virtual-cluster.ts";

const KEYS = 60;
/** Until gossip has given up whoever died: `lan` takes this long in a small fleet. */
const GIVEN_UP_MS = 30_000;

async function fleetOf(seed: number, size: number): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(seed);
  await cluster.startDurable(1);
  expect(await cluster.until(() => cluster.ready, 3_000)).toBe(true);
  for (let machine = 2; machine <= size; machine++) await cluster.startDurable(machine, [1]);
  const whole = (): boolean =>
    cluster.ready &&
    cluster.settledWith(Math.min(3, size)) &&
    cluster.living.every(({ node }) => node.control.map?.members.length === size);
  expect(await cluster.until(whole, 60_000)).toBe(true);
  const writer = cluster.members[0] as VirtualMember;
  await cluster.settle(
    Promise.all(Array.from({ length: KEYS }, (_, at) => writer.node.cache.put(`key:${at}`, `value:${at}`))),
  );
  return cluster;
}

async function refusalOf(cluster: VirtualCluster, work: Promise<unknown>): Promise<CremaError> {
  const error = await cluster.settle(
    work.then(
      () => null,
      (reason: unknown) => reason,
    ),
  );
  if (!(error instanceof CremaError)) throw new Error(`not refused: ${String(error)}`);
  return error;
}

/** Kills them, and waits until `survivor` may act on it. */
async function lose(
  cluster: VirtualCluster,
  victims: readonly VirtualMember[],
  survivor: VirtualMember,
): Promise<RecoveryPlan> {
  for (const victim of victims) cluster.kill(victim, "power-lost");
  const early = await cluster.settle(survivor.node.control.recovery.plan());
  expect(early.obstacle).toContain("still hears of");
  const gone = (): boolean =>
    cluster.living.every(({ node }) =>
      victims.every(({ node: { nodeId } }) => node.gossip.member(nodeId)?.state === "dead"),
    );
  expect(await cluster.until(gone, GIVEN_UP_MS)).toBe(true);
  return cluster.settle(survivor.node.control.recovery.plan());
}

describe("recovery of groups that lost their majority", () => {
  for (const seed of [501, 502, 503]) {
    test(`lets the survivors go on with what they hold, and refuses the lost (seed ${seed})`, async () => {
      const cluster = await fleetOf(seed, 5);
      const victims = cluster.members.slice(0, 3);
      const survivor = cluster.members[3] as VirtualMember;
      const { recovery } = survivor.node.control;
      const plan = await lose(cluster, victims, survivor);
      expect(plan).toMatchObject({ obstacle: null, lost: victims.map(({ node }) => node.nodeId).sort() });
      expect(plan.steps[0]?.group).toBe(SYSTEM_GROUP);
      const emptied = plan.steps.filter(({ lastIndex }) => lastIndex === 0).length;

      expect(await refusalOf(cluster, recovery.run([]))).toMatchObject({ code: "CREMA_RECOVERY_REFUSED" });
      await cluster.settle(recovery.run(plan.lost));

      const whole = (): boolean =>
        cluster.ready && cluster.settledWith(2) && survivor.node.control.map?.members.length === 2;
      expect(await cluster.until(whole, 60_000)).toBe(true);
      let missing = 0;
      for (let at = 0; at < KEYS; at++) {
        const value = await cluster.settle(survivor.node.cache.consistentGet(`key:${at}`));
        if (value === null) missing++;
        else expect(value).toBe(`value:${at}`);
      }
      // Only a shard of which no replica was left has lost anything.
      if (emptied === 0) expect(missing).toBe(0);
      else expect(missing).toBeGreaterThan(0);
      await cluster.settle(survivor.node.cache.put("after", "recovery"));

      const returned = await cluster.startDurable(1, [4]);
      expect(await cluster.until(() => returned.node.removed, 20_000)).toBe(true);
      expect(await cluster.settle(survivor.node.cache.consistentGet("after"))).toBe("recovery");
      const again = await cluster.settle(recovery.plan());
      expect(again).toMatchObject({ lost: [], obstacle: null, steps: [] });
    });
  }

  // The operator was wrong: they were cut off, went on without the survivor, and meet it again.
  for (const seed of [511, 512, 513]) {
    test(`holds against a majority that lives after all: it is told, and stops nobody (seed ${seed})`, async () => {
      const cluster = await fleetOf(seed, 3);
      const [first, second, survivor] = cluster.members as [VirtualMember, VirtualMember, VirtualMember];
      for (const other of [first, second]) cluster.network.partition(other.address, survivor.address);
      const givenUp = (): boolean =>
        [first, second].every(
          ({ node }) =>
            survivor.node.gossip.member(node.nodeId)?.state === "dead" &&
            node.gossip.member(survivor.node.nodeId)?.state === "dead",
        );
      expect(await cluster.until(givenUp, GIVEN_UP_MS)).toBe(true);
      const plan = await cluster.settle(survivor.node.control.recovery.plan());
      await cluster.settle(survivor.node.control.recovery.run(plan.lost));
      for (let at = 0; at < KEYS; at++) {
        await cluster.settle(survivor.node.cache.put(`key:${at}`, `after:${at}`));
        for (let times = 0; times < 3; times++)
          await cluster.settle(first.node.cache.put(`key:${at}`, `elsewhere:${at}`));
      }
      // They elect leaders again and again, in terms of their own.
      for (const candidate of [first, second, first, second]) {
        for (const group of candidate.node.groups.groups()) {
          group.raft.campaign();
          candidate.node.groups.markDirty(group.id);
        }
        await cluster.run(2_500);
      }
      cluster.network.heal();

      expect(await cluster.until(() => first.node.removed && second.node.removed, 60_000)).toBe(true);
      expect([...survivor.node.groups.failedGroups]).toEqual([]);
      expect(await cluster.until(() => survivor.node.notReadyReason() === null, 5_000)).toBe(true);
      for (let at = 0; at < KEYS; at++)
        expect(await cluster.settle(survivor.node.cache.consistentGet(`key:${at}`))).toBe(`after:${at}`);
      await cluster.settle(survivor.node.cache.put("key:1", "goes on"));
    });
  }

  test("touches nothing while every group has its majority", async () => {
    const cluster = await fleetOf(521, 4);
    const survivor = cluster.members[3] as VirtualMember;
    const plan = await lose(cluster, cluster.members.slice(0, 1), survivor);
    expect(plan.steps).toEqual([]);
    const before = survivor.node.control.map?.version;
    await cluster.settle(survivor.node.control.recovery.run(plan.lost));
    expect(survivor.node.control.map?.version).toBe(before);
  });
});
