import { describe, expect, it } from "vitest";
import type { NodeId } from "../../src/base/ids.ts";
import type { ClusterNode } from "../../src/node/cluster-node.ts";
import { notReadyReason, ReadinessWatch } from "../../src/node/readiness.ts";

const SOMEBODY = "00000000000000aa" as NodeId;

/** A member of a cluster of `shardCount` shards, all but those of `leaderless` groups led by somebody. */
function memberOf(shardCount: number, leaderless: ReadonlySet<number>) {
  let asked = 0;
  const node = {
    closed: false,
    leaving: false,
    removed: false,
    storeFailure: null,
    standing: { diskFull: null },
    control: { map: { shardCount }, isListed: true },
    groups: { failedGroups: new Set(), get: () => ({ raft: { leader: SOMEBODY } }) },
    leaderOf: (group: number) => {
      asked++;
      return leaderless.has(group) ? null : SOMEBODY;
    },
  } as unknown as ClusterNode;
  return { node, asked: () => asked };
}

describe("the readiness of a node of 1,024 shards", () => {
  it("comes when every shard has a leader, and is told once", () => {
    const leaderless = new Set([1, 700, 1_024]);
    const { node } = memberOf(1_024, leaderless);
    const watch = new ReadinessWatch(node);
    for (const group of [700, 1, 1_024]) {
      expect(watch.change()).toBeNull();
      leaderless.delete(group);
    }
    expect(watch.change()).toBe(true);
    expect(watch.change()).toBeNull();
    expect(notReadyReason(node)).toBeNull();
  });

  it("ends within sixteen looks at 64 shards each, whichever shard has lost its leader", () => {
    for (const lost of [1, 64, 65, 1_000, 1_024]) {
      const leaderless = new Set<number>();
      const { node, asked } = memberOf(1_024, leaderless);
      const watch = new ReadinessWatch(node);
      expect(watch.change()).toBe(true);
      leaderless.add(lost);
      const before = asked();
      let looks = 0;
      let change: boolean | null = null;
      while (change === null && looks < 17) {
        change = watch.change();
        looks++;
      }
      expect(change).toBe(false);
      expect(looks).toBeLessThanOrEqual(16);
      expect(asked() - before).toBeLessThanOrEqual(1_024);
      expect(notReadyReason(node)).toBe("no leader known for 1 of 1024 shards");
      leaderless.delete(lost);
      expect(watch.change()).toBe(true);
    }
  });

  it("ends at once for reasons of the node itself", () => {
    const { node } = memberOf(1_024, new Set());
    const watch = new ReadinessWatch(node);
    watch.change();
    Object.assign(node.standing, { diskFull: "the disk is full" });
    expect(watch.change()).toBe(false);
  });
});
