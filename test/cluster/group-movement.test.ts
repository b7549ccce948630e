import { describe, expect, it } from "vitest";
import type { NodeId } from "../../src/base/ids.ts";
import { type GroupMovement, groupMovement } from "../../src/cluster/group-movement.ts";
import type { GroupReport } from "../../src/cluster/group-report.ts";
import { MemberFacts } from "../../src/cluster/member-facts.ts";
import { identity, VirtualCluster } from "./virtual-cluster.ts";
import { node, nodes, VirtualGroup } from "./virtual-group.ts";

/** Five members, of which 4 and 5 are dead. */
function facts(): MemberFacts {
  const cluster = new VirtualCluster(
    [1, 2, 3, 4, 5].map((name) => identity(name)),
    1,
  );
  for (const name of [4, 5]) {
    const { nodeId, boot } = identity(name);
    cluster.setGossip(name, "dead");
    cluster.apply({ type: "set-member-state", nodeId, boot, state: "dead" });
  }
  return new MemberFacts(cluster.situation());
}

describe("groupMovement", () => {
  const cases: readonly (readonly [string, readonly NodeId[], Partial<GroupReport>, GroupMovement])[] = [
    ["is settled where its voters are as wanted", nodes(1, 2, 3), {}, "settled"],
    ["is settled whatever the order", nodes(3, 1, 2), {}, "settled"],
    ["moves while its configuration is joint", nodes(1, 2, 3), { votersOutgoing: nodes(1) }, "moving"],
    ["moves while a live wanted replica is no voter", nodes(1, 2, 3), { voters: nodes(1, 2) }, "moving"],
    ["moves while a voter is in surplus", nodes(1, 2), {}, "moving"],
    ["moves while it has a learner that nobody wants", nodes(1, 2, 3), { learners: nodes(4) }, "moving"],
    ["is settled when what lacks is dead", nodes(1, 2, 4), { voters: nodes(1, 2) }, "settled"],
    [
      "is settled when what lacks is a dead learner",
      nodes(1, 2, 4),
      { voters: nodes(1, 2), learners: nodes(4) },
      "settled",
    ],
    ["is settled when an unwanted voter stands in for a dead replica", nodes(1, 2, 4), {}, "settled"],
    ["moves when more stand in than are dead", nodes(1, 4), {}, "moving"],
    ["is stuck without a live majority, wanted or not", nodes(1, 2, 3), { voters: nodes(1, 4, 5) }, "stuck"],
  ];

  for (const [title, wanted, report, expected] of cases) {
    it(title, () => {
      const group = new VirtualGroup(nodes(1, 2, 3));
      expect(groupMovement({ ...group.report(1), ...report }, wanted, facts())).toBe(expected);
    });
  }

  it("moves, or is stuck, as the wanted replicas live when nobody has reported", () => {
    expect(groupMovement(undefined, nodes(1, 2, 4), facts())).toBe("moving");
    expect(groupMovement(undefined, [node(1), ...nodes(4, 5)], facts())).toBe("stuck");
  });
});
