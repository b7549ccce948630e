import { describe, expect, it } from "vitest";
import { type GroupId, groupId, SYSTEM_GROUP, shardId } from "../../src/base/ids.ts";
import type { GroupReport } from "../../src/cluster/group-report.ts";
import { rebalanceProgress } from "../../src/cluster/rebalance-progress.ts";
import { identity, VirtualCluster } from "./virtual-cluster.ts";
import { node, nodes } from "./virtual-group.ts";

/** A cluster of `size` that has come to rest. */
function clusterOf(size: number, shards = 16, options = {}): VirtualCluster {
  const cluster = new VirtualCluster(
    Array.from({ length: size }, (_, at) => identity(at + 1)),
    shards,
    options,
  );
  cluster.nowMs = 60_000;
  return cluster;
}

function pause(cluster: VirtualCluster, rebalancePaused: boolean): void {
  cluster.apply({ type: "set-settings", settings: { rebalancePaused } });
}

/** What the leader of shard 0 says, changed. */
function changed(cluster: VirtualCluster, change: Partial<GroupReport>): Map<GroupId, GroupReport> {
  const report = cluster.reports.get(groupId(1));
  if (report === undefined) throw new Error("no such group");
  return new Map(cluster.reports).set(groupId(1), { ...report, ...change });
}

describe("the progress of rebalancing", () => {
  it("says of a cluster at rest that every node carries what the plan gives it", () => {
    const progress = rebalanceProgress(clusterOf(3));
    expect(progress).toMatchObject({
      paused: false,
      shards: { settled: 16, moving: 0, waiting: 0, paused: 0, stuck: 0 },
      moves: [],
      replicasToMove: 0,
      leadersToMove: 0,
    });
    for (const share of progress.nodes) {
      expect(share).toMatchObject({ replicas: 16, replicasPlanned: 16 });
      expect(share.leaders).toBe(share.leadersPlanned);
    }
  });

  it("tells what moves, what waits for room, and how much is to go, until nothing is", () => {
    const cluster = clusterOf(3, 16, { movesMax: 2 });
    cluster.join(identity(4));
    const before = rebalanceProgress(cluster);
    expect(before.shards).toEqual({ settled: 4, moving: 0, waiting: 12, paused: 0, stuck: 0 });
    expect(before.replicasToMove).toBe(12);
    expect(before.nodes.find(({ nodeId }) => nodeId === node(4))).toEqual({
      nodeId: node(4),
      replicas: 0,
      replicasPlanned: 12,
      leaders: 0,
      leadersPlanned: 4,
    });
    const phases = new Set<string | null>();
    let toGo = before.replicasToMove;
    for (let tick = 0; tick < 2_000 && toGo > 0; tick++) {
      cluster.tick();
      const progress = rebalanceProgress(cluster);
      for (const { shard, phase } of progress.moves) if (shard !== null) phases.add(phase);
      expect(
        progress.moves.filter(({ phase }) => phase !== null && phase !== "leader-transfer").length,
      ).toBeLessThanOrEqual(3);
      expect(progress.replicasToMove).toBeLessThanOrEqual(toGo);
      toGo = progress.replicasToMove;
      expect(Object.values(progress.shards).reduce((sum, count) => sum + count)).toBe(16);
    }
    expect([...phases]).toEqual(expect.arrayContaining([null, "catching-up", "joint"]));
    for (let tick = 0; tick < 100; tick++) cluster.tick();
    expect(rebalanceProgress(cluster)).toMatchObject({ moves: [], replicasToMove: 0, leadersToMove: 0 });
  });

  it("tells what the pause holds back, and what is done all the same", () => {
    const cluster = clusterOf(3);
    pause(cluster, true);
    cluster.join(identity(4));
    for (let tick = 0; tick < 50; tick++) cluster.tick();
    expect(rebalanceProgress(cluster)).toMatchObject({
      paused: true,
      shards: { settled: 4, moving: 0, waiting: 0, paused: 12, stuck: 0 },
      replicasToMove: 12,
    });
    const [held] = rebalanceProgress(cluster).moves.filter(({ shard }) => shard !== null);
    expect(held).toMatchObject({ state: "paused", phase: null, from: nodes(1, 2, 3) });
    expect(held?.to).toContain(node(4));

    cluster.setGossip(3, "dead");
    for (let tick = 0; tick < 400; tick++) cluster.tick();
    const repaired = rebalanceProgress(cluster);
    expect(repaired.shards).toMatchObject({ moving: 0, paused: 0, settled: 16 });
    expect(repaired.nodes.find(({ nodeId }) => nodeId === node(4))).toMatchObject({ replicas: 16 });
  });

  it("names the step that a moving shard is in", () => {
    const cluster = clusterOf(3);
    const others = { gossip: cluster.gossip, map: cluster.map };
    const phaseWith = (change: Partial<GroupReport>) =>
      rebalanceProgress({ ...others, reports: changed(cluster, change) }).moves.find(
        ({ shard }) => shard === 0,
      );
    expect(phaseWith({})).toBeUndefined();
    expect(phaseWith({ voters: nodes(1, 2) })).toMatchObject({ state: "moving", phase: "starting" });
    const learning = [{ nodeId: node(3), entriesBehind: 7, snapshot: true }];
    expect(phaseWith({ voters: nodes(1, 2), learners: nodes(3), learning })).toMatchObject({
      state: "moving",
      phase: "catching-up",
      from: nodes(1, 2),
      learning,
    });
    expect(phaseWith({ votersOutgoing: nodes(1, 2, 4) })).toMatchObject({
      phase: "joint",
      from: nodes(1, 2, 4),
    });
    expect(phaseWith({ learners: nodes(4) })).toMatchObject({ phase: "removing" });
    const preferred = cluster.map.shards[0]?.wanted[0];
    const other = nodes(1, 2, 3).find((id) => id !== preferred) ?? node(9);
    expect(phaseWith({ leader: other })).toMatchObject({
      state: "moving",
      phase: "leader-transfer",
      leader: other,
    });

    const unheard = new Map(cluster.reports);
    unheard.delete(groupId(1));
    expect(rebalanceProgress({ ...others, reports: unheard }).moves[0]).toMatchObject({
      shard: shardId(0),
      phase: "unheard",
      from: [],
    });
  });

  it("says of a shard without a live majority that it is stuck", () => {
    const cluster = clusterOf(3);
    cluster.setGossip(2, "dead");
    cluster.setGossip(3, "dead");
    expect(rebalanceProgress(cluster).shards).toMatchObject({ stuck: 16, settled: 0 });
    expect(rebalanceProgress(cluster).moves[0]).toMatchObject({ shard: null, state: "stuck", phase: null });
  });

  it("counts the system group apart from the shards", () => {
    const cluster = clusterOf(3, 1);
    const reports = new Map(cluster.reports);
    reports.delete(SYSTEM_GROUP);
    const progress = rebalanceProgress({ map: cluster.map, gossip: cluster.gossip, reports });
    expect(progress.moves).toMatchObject([{ shard: null, state: "moving", phase: "unheard" }]);
    expect(progress.shards).toMatchObject({ settled: 1, moving: 0 });
  });
});
