/**
 * A fleet that grows at once from one node to many: found when the first fleets of sixty and more were simulated.
 */
import { expect, test } from "vitest";
import { groupId } from "../../src/base/ids.ts";
import { VirtualCluster, type VirtualMember } from "../support/virtual-cluster.ts";

const NODES = 24;
const SHARDS = 48;

async function grown(seed: number, onLook: (cluster: VirtualCluster) => void): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(seed);
  cluster.start(1, [], { shards: SHARDS });
  expect(await cluster.until(() => cluster.ready, 3_000)).toBe(true);
  for (let machine = 2; machine <= NODES; machine++) cluster.start(machine, [1], { shards: SHARDS });
  const whole = (): boolean =>
    cluster.ready &&
    cluster.settledWith(3) &&
    cluster.living.every(({ node }) => node.control.map?.members.length === NODES);
  let isWhole = false;
  for (let looks = 0; looks < 600 && !isWhole; looks++) {
    await cluster.run(100);
    onLook(cluster);
    isWhole = whole();
  }
  expect(isWhole).toBe(true);
  return cluster;
}

test("no node that was ready is unready while replicas and leaders move to where they belong", async () => {
  const wereReady = new Set<VirtualMember>();
  const lapses: string[] = [];
  await grown(601, (cluster) => {
    for (const member of cluster.living) {
      const reason = member.node.notReadyReason();
      if (reason === null) wereReady.add(member);
      else if (wereReady.has(member)) lapses.push(`${member.node.options.name}: ${reason}`);
    }
  });
  expect(wereReady.size).toBe(NODES);
  expect(lapses).toEqual([]);
});

test("members say nothing new of themselves when the map changes, and followers can elect without dialling first", async () => {
  const cluster = await grown(602, () => {});
  // Born, given doors, taken into a cluster: each is said once. The map has changed a hundred times.
  expect(cluster.living[0]?.node.control.map?.version).toBeGreaterThan(20);
  for (const { node } of cluster.living)
    for (const { incarnation } of node.gossip.members()) expect(incarnation).toBeLessThanOrEqual(3);
  for (const { node } of cluster.living)
    for (const group of node.groups.groups())
      for (const voter of group.raft.configuration.voters)
        if (voter !== node.nodeId) expect(node.links.isUp(voter)).toBe(true);

  const victim = cluster.living.find(({ node }) => node.groups.get(groupId(1))?.isLeader === true);
  if (victim === undefined) throw new Error("every shard is led");
  cluster.kill(victim, "power-lost");
  expect(await cluster.until(() => cluster.leaders().every((leader) => leader !== null), 3_000)).toBe(true);
});
