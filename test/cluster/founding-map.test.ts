import { describe, expect, it } from "vitest";
import { foundingMap } from "../../src/cluster/founding-map.ts";
import { CLUSTER, identityOf, idOf, mapOf } from "./example-map.ts";

describe("the founding map", () => {
  it("of one founder places everything on it", () => {
    const map = mapOf(1, 4);
    expect(map.version).toBe(1);
    expect(map.systemVoters).toEqual([idOf(1)]);
    expect(map.shards).toEqual(Array(4).fill({ founding: [idOf(1)], wanted: [idOf(1)] }));
    expect(map.settings.rebalancePaused).toBe(false);
  });

  it("founds every shard where it is wanted, on as many distinct founders as the replication factor asks", () => {
    const map = mapOf(5, 16, 3);
    expect(map.shards.length).toBe(16);
    for (const { founding, wanted } of map.shards) {
      expect(founding).toEqual(wanted);
      expect(new Set(wanted).size).toBe(3);
    }
    expect(map.systemVoters.length).toBe(5);
    expect(
      map.members.every(({ state, joinedAtVersion }) => state === "alive" && joinedAtVersion === 1),
    ).toBe(true);
  });

  it("does not depend on the order of the founders: every founder makes the same one", () => {
    const founders = [3, 1, 4, 2].map((number) => identityOf(number));
    const input = { clusterId: CLUSTER, shardCount: 16, replicationFactor: 3 };
    const one = foundingMap({ ...input, founders });
    const other = foundingMap({ ...input, founders: [...founders].reverse() });
    expect(one).toEqual(other);
  });

  it("of nine founders keeps the system group at five", () => {
    expect(mapOf(9).systemVoters.length).toBe(5);
  });
});
