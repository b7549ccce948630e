import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type GroupId, groupId, type NodeId, SYSTEM_GROUP } from "../../src/base/ids.ts";
import type { GroupReport } from "../../src/cluster/group-report.ts";
import { unsafeToStop } from "../../src/cluster/safe-to-stop.ts";
import { identity, VirtualCluster } from "./virtual-cluster.ts";
import { node, nodes } from "./virtual-group.ts";

function clusterOf(size: number, shards = 8): VirtualCluster {
  return new VirtualCluster(
    Array.from({ length: size }, (_, at) => identity(at + 1)),
    shards,
  );
}

function living(size: number): ReadonlySet<NodeId> {
  return new Set(Array.from({ length: size }, (_, at) => node(at + 1)));
}

/** The reports with that of one group changed. */
function changed({ reports }: VirtualCluster, group: GroupId, change: Partial<GroupReport>) {
  const report = reports.get(group);
  if (report === undefined) throw new Error("no such group");
  return new Map(reports).set(group, { ...report, ...change });
}

describe("stopping a node", () => {
  it("is safe for every node of a healthy cluster of three and more", () => {
    for (const size of [3, 4, 5, 7]) {
      const cluster = clusterOf(size);
      for (let name = 1; name <= size; name++) {
        expect(unsafeToStop(cluster.map, cluster.reports, living(size), node(name))).toBeNull();
      }
    }
  });

  it("is never safe in a cluster of one or two", () => {
    const one = clusterOf(1);
    expect(unsafeToStop(one.map, one.reports, living(1), node(1))).toMatch(/only node/);
    const two = clusterOf(2);
    expect(unsafeToStop(two.map, two.reports, living(2), node(1))).toMatch(/two nodes/);
  });

  it("concerns nobody when the node is no member", () => {
    const cluster = clusterOf(3);
    expect(unsafeToStop(cluster.map, cluster.reports, living(3), node(9))).toBeNull();
  });

  it("is not safe while any group is below full tolerance, even one that the node has no part in", () => {
    const cluster = clusterOf(7);
    const group = [...cluster.groups].find(
      ([id, { configuration }]) => id > 0 && !configuration.voters.includes(node(1)),
    )?.[0];
    if (group === undefined) throw new Error("node 1 is everywhere");
    const voters = cluster.reports.get(group)?.voters ?? [];
    const cases: readonly (readonly [Partial<GroupReport>, RegExp])[] = [
      [{ leader: null }, /has no leader/],
      [{ leader: node(99) }, /has no leader/],
      [{ votersOutgoing: voters }, /changing its voters/],
      [{ lagging: voters.slice(0, 1) }, /lags behind/],
      [{ voters: voters.slice(1) }, /moving/],
    ];
    for (const [change, reason] of cases) {
      const told = unsafeToStop(cluster.map, changed(cluster, group, change), living(7), node(1));
      expect(told).toMatch(reason);
      expect(told).toMatch(`shard ${group - 1}`);
    }
    const missing = cluster.reports;
    missing.delete(group);
    expect(unsafeToStop(cluster.map, missing, living(7), node(1))).toMatch(/not been heard of/);
  });

  it("is not safe while another voter is away, and says whom it misses", () => {
    const cluster = clusterOf(3);
    const reason = unsafeToStop(cluster.map, cluster.reports, new Set(nodes(1, 2)), node(1));
    expect(reason).toMatch(node(3));
    expect(reason).toMatch(/the system group .* more groups/);
  });

  it("is not safe for a voter of a group that could lose nobody", () => {
    const cluster = clusterOf(4);
    const map = {
      ...cluster.map,
      shards: cluster.map.shards.map((shard, at) => (at === 0 ? { ...shard, wanted: nodes(1, 2) } : shard)),
    };
    const reports = changed(cluster, groupId(1), { voters: nodes(1, 2), leader: node(1) });
    expect(unsafeToStop(map, reports, living(4), node(1))).toBe("shard 0 would have 1 of 2 voters left");
    expect(unsafeToStop(map, reports, living(4), node(3))).toBeNull();
  });

  it("when told safe, leaves every group a live majority", () => {
    let safe = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 7 }),
        fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 2 }),
        fc.option(fc.record({ group: fc.nat(8), without: fc.nat(4) })),
        (size, name, away, hole) => {
          fc.pre(name <= size);
          const cluster = clusterOf(size);
          const alive = new Set([...living(size)].filter((id) => !away.some((other) => node(other) === id)));
          let { reports } = cluster;
          if (hole !== null) {
            const voters = reports.get(groupId(hole.group))?.voters ?? [];
            reports = changed(cluster, groupId(hole.group), {
              voters: voters.filter((_, at) => at !== hole.without),
            });
          }
          if (unsafeToStop(cluster.map, reports, alive, node(name)) !== null) return;
          safe++;
          for (const { voters } of reports.values()) {
            const left = voters.filter((voter) => alive.has(voter) && voter !== node(name));
            expect(left.length * 2).toBeGreaterThan(voters.length);
          }
        },
      ),
      { numRuns: 500 },
    );
    expect(safe).toBeGreaterThan(20);
  });

  it("lets no second node go while the first is away", () => {
    const cluster = clusterOf(5);
    expect(unsafeToStop(cluster.map, cluster.reports, living(5), node(1))).toBeNull();
    const rest = new Set(nodes(2, 3, 4, 5));
    for (const next of rest) expect(unsafeToStop(cluster.map, cluster.reports, rest, next)).not.toBeNull();
    expect(cluster.reports.get(SYSTEM_GROUP)?.voters).toContain(node(1));
  });
});
