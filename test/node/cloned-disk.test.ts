/**
 * A disk that was copied while its node lived, and is started elsewhere: one id must not vote twice.
 */
import { expect, test } from "vitest";
import { VirtualCluster, type VirtualMember } from "../support/virtual-cluster.ts";
import { VoteWitness } from "../support/vote-witness.ts";

async function threeOf(
  seed: number,
  witness: VoteWitness,
): Promise<{ cluster: VirtualCluster; members: readonly VirtualMember[] }> {
  const cluster = new VirtualCluster(seed);
  const { probe } = witness;
  await cluster.startDurable(1, [], {}, { probe });
  expect(await cluster.until(() => cluster.ready, 3_000)).toBe(true);
  for (const machine of [2, 3]) await cluster.startDurable(machine, [1], {}, { probe });
  expect(await cluster.until(() => cluster.ready && cluster.settledWith(3), 60_000)).toBe(true);
  return { cluster, members: [...cluster.members] };
}

for (const seed of [701, 702, 703]) {
  test(`a copy that is started beside its living node ends before it has said anything (seed ${seed})`, async () => {
    const witness = new VoteWitness();
    const { cluster, members } = await threeOf(seed, witness);
    const [first, , original] = members as [VirtualMember, VirtualMember, VirtualMember];
    const disk = cluster.disk(3).cutAt(Number.POSITIVE_INFINITY);
    const copy = await cluster.startDurable(4, [1], {}, { disk, probe: witness.probe });
    let reason = "";
    copy.node.onDisplaced = (told) => {
      reason = told;
    };
    expect(copy.node.nodeId).toBe(original.node.nodeId);
    expect(await cluster.until(() => copy.node.closed, 2_000)).toBe(true);
    expect(reason).toContain("held by two live processes");
    expect([...copy.node.groups.groups()]).toEqual([]);
    copy.alive = false;

    // Whoever leads goes: an election in every group, with the original's vote only.
    await cluster.run(1_000);
    cluster.kill(first);
    expect(await cluster.until(() => cluster.leaders().every((leader) => leader !== null), 5_000)).toBe(true);
    expect(original.node.closed).toBe(false);
    expect(witness.violations).toEqual([]);
  });
}

test("a node whose machine has another address now is itself, when nobody answers at the old one", async () => {
  const witness = new VoteWitness();
  const { cluster, members } = await threeOf(711, witness);
  const original = members[2] as VirtualMember;
  cluster.kill(original, "power-lost");
  const moved = await cluster.startDurable(4, [1], {}, { disk: cluster.disk(3), probe: witness.probe });
  expect(moved.node.nodeId).toBe(original.node.nodeId);
  expect(await cluster.until(() => cluster.ready && cluster.settledWith(3), 30_000)).toBe(true);
  expect(witness.violations).toEqual([]);
});
