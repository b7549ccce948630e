import { describe, expect, test } from "vitest";
import { logIndex } from "../../src/base/ids.ts";
import { bytesOf, Cluster, dataApplied, nodeOf } from "./cluster.ts";

describe("a group of three", () => {
  test("elects a leader within three election timeouts and no second one", () => {
    const cluster = Cluster.of(3);
    cluster.tick(30);
    expect(cluster.leaders).toHaveLength(1);
  });

  test("applies a proposal on every replica without a tick", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.propose("a", "b");
    for (const host of cluster.hosts.values()) expect(dataApplied(host)).toEqual(["a", "b"]);
  });

  test("does not raise its term while all is well", () => {
    const cluster = Cluster.of(3);
    cluster.elect(2);
    const { term } = cluster.raft(2);
    cluster.tick(500);
    expect(cluster.leaders).toEqual([2]);
    expect(cluster.raft(2).term).toBe(term);
  });

  test("brings a replica that slept through a compaction up to date by snapshot", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.propose("a");
    cluster.isolate(3);
    cluster.propose("b");
    cluster.propose("c");
    cluster.host(1).compact(cluster.raft(1).applied);
    cluster.heal();
    cluster.tick(40);
    expect(dataApplied(cluster.host(3))).toEqual(["a", "b", "c"]);
    cluster.propose("d");
    expect(dataApplied(cluster.host(3))).toEqual(["a", "b", "c", "d"]);
  });

  test("grants a read after one round without a tick", () => {
    const cluster = Cluster.of(3);
    const leader = cluster.elect(1);
    cluster.propose("a");
    expect(leader.raft.readIndex(1)).toBe("queued");
    expect(leader.raft.hasReady()).toBe(true);
    expect(leader.reads).toEqual([]);
    cluster.settle();
    expect(leader.reads).toEqual([{ context: 1, index: leader.raft.commit }]);
  });

  test("hands leadership over without losing a proposal", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.propose("a");
    expect(cluster.raft(1).transferLeader(nodeOf(2))).toEqual({ type: "started" });
    expect(cluster.raft(1).propose([bytesOf("x")])).toEqual({ type: "transferring" });
    cluster.settle();
    expect(cluster.leaders).toEqual([2]);
    cluster.propose("b");
    expect(dataApplied(cluster.host(3))).toEqual(["a", "b"]);
  });

  test("replaces a member by one joint change that leaves by itself", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.add(4);
    const learner = cluster
      .raft(1)
      .proposeMembership({ type: "simple", steps: [{ type: "add-learner", node: nodeOf(4) }] });
    expect(learner.type).toBe("proposed");
    cluster.settle();
    const change = cluster.raft(1).proposeMembership({
      type: "joint",
      steps: [
        { type: "add-voter", node: nodeOf(4) },
        { type: "remove", node: nodeOf(3) },
      ],
    });
    expect(change.type).toBe("proposed");
    cluster.settle();
    expect(cluster.raft(4).configuration).toEqual({
      voters: [1, 2, 4].map(nodeOf),
      votersOutgoing: [],
      learners: [],
      learnersNext: [],
      autoLeave: false,
    });
    cluster.propose("a");
    expect(dataApplied(cluster.host(4))).toEqual(["a"]);
  });

  test("a compacted log keeps its base, and reports itself as such", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.propose("a", "b", "c");
    const raft = cluster.raft(1);
    raft.compact(logIndex(3));
    expect(raft.firstIndex).toBe(4);
    expect(raft.status().baseIndex).toBe(3);
    expect(raft.snapshotMetadata(logIndex(3)).term).toBe(raft.term);
  });

  test("a leader knows how far all others hold its log, learners too; who does not lead knows of nobody who lacks anything", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.propose("a", "b");
    const { lastIndex } = cluster.raft(1);
    expect(cluster.raft(1).heldByAll).toBe(lastIndex);
    expect(cluster.raft(2).heldByAll).toBe(Number.POSITIVE_INFINITY);
    cluster.isolate(3);
    cluster.propose("c");
    expect(cluster.raft(1).heldByAll).toBe(lastIndex);
    cluster.heal();
    cluster.tick(30);
    cluster.settle();
    expect(cluster.raft(1).heldByAll).toBe(cluster.raft(1).lastIndex);
    cluster.add(4);
    cluster.isolate(4);
    cluster.raft(1).proposeMembership({ type: "simple", steps: [{ type: "add-learner", node: nodeOf(4) }] });
    cluster.settle();
    expect(cluster.raft(1).heldByAll).toBe(0);
    cluster.heal();
    cluster.tick(30);
    cluster.settle();
    expect(cluster.raft(1).heldByAll).toBe(cluster.raft(1).lastIndex);
    // Who is removed and does not hear of it is told so for a while, but lacks nothing any more.
    cluster.isolate(3);
    cluster.raft(1).proposeMembership({ type: "simple", steps: [{ type: "remove", node: nodeOf(3) }] });
    cluster.settle();
    expect(cluster.raft(1).heldByAll).toBe(cluster.raft(1).lastIndex);
  });
});

test("a lone voter leads, commits and reads by itself as soon as its log is durable", () => {
  const cluster = Cluster.of(1);
  const host = cluster.host(1);
  host.persistsAtOnce = false;
  host.raft.campaign();
  cluster.settle();
  expect(host.raft.role).toBe("candidate");
  host.persist();
  cluster.settle();
  expect(host.raft.role).toBe("leader");
  expect(host.raft.readIndex(1)).toBe("not-ready");
  host.persist();
  cluster.settle();
  expect(host.raft.readIndex(2)).toBe("queued");
  cluster.settle();
  expect(host.reads).toEqual([{ context: 2, index: 1 }]);
});
