/** Linearizable reads: §8 of the paper, §6.4 of the dissertation. And the lease that some choose instead. */
import { describe, expect, test } from "vitest";
import { bytesOf, Cluster, type Host, nodeOf } from "./cluster.ts";
import { answers, appended, heartbeatAnswer, preVote, vote } from "./messages.ts";

describe("ReadIndex", () => {
  test("a read is granted only after a majority answered a heartbeat that left after it was asked", () => {
    const cluster = Cluster.of(5);
    const leader = cluster.elect(1);
    leader.raft.readIndex(1);
    const round = answers(leader);
    expect(round).toHaveLength(4);
    expect(round[0]).toMatchObject({ type: "heartbeat", readRound: 1 });
    answers(
      leader,
      heartbeatAnswer({ from: 2, to: 1, term: 1 }, 1),
      heartbeatAnswer({ from: 2, to: 1, term: 1 }, 1),
    );
    expect(leader.reads, "one of four others, twice").toEqual([]);
    answers(leader, heartbeatAnswer({ from: 3, to: 1, term: 1 }, 0));
    expect(leader.reads, "an answer to an earlier heartbeat").toEqual([]);
    answers(leader, heartbeatAnswer({ from: 3, to: 1, term: 1 }, 1));
    expect(leader.reads).toEqual([{ context: 1, index: 1 }]);
  });

  test("an answer to a round that was never asked counts for nothing", () => {
    const leader = Cluster.of(3).elect(1);
    answers(leader, heartbeatAnswer({ from: 2, to: 1, term: 1 }, 99));
    leader.raft.readIndex(1);
    answers(leader);
    expect(leader.reads).toEqual([]);
  });

  test("a round whose heartbeats were lost is asked again with the next heartbeat", () => {
    const cluster = Cluster.of(3);
    const leader = cluster.elect(1);
    leader.raft.readIndex(1);
    answers(leader);
    cluster.tick(1);
    expect(leader.reads).toEqual([{ context: 1, index: 1 }]);
  });

  test("the answer of a learner is none", () => {
    const cluster = Cluster.of(3);
    cluster.add(4);
    const leader = cluster.elect(1);
    leader.raft.proposeMembership({ type: "simple", steps: [{ type: "add-learner", node: nodeOf(4) }] });
    cluster.settle();
    for (const number of [2, 3]) cluster.isolate(number);
    leader.raft.readIndex(1);
    cluster.settle();
    expect(leader.reads).toEqual([]);
  });

  test("reads that nobody can grant any more are given back", () => {
    const cluster = Cluster.of(3);
    const leader = cluster.elect(1);
    cluster.isolate(1);
    leader.raft.readIndex(1);
    cluster.settle();
    leader.raft.readIndex(2);
    for (let tick = 0; tick < 20; tick++) leader.raft.tick();
    cluster.settle();
    expect(leader.readsLost).toEqual([1, 2]);
    expect(leader.reads).toEqual([]);
  });
});

describe("lease reads", () => {
  const lease = { raft: { leaseReads: true } };

  function leaderWithLease(): { cluster: Cluster; leader: Host } {
    const cluster = Cluster.of(3, lease);
    const leader = cluster.elect(1);
    cluster.tick(1);
    return { cluster, leader };
  }

  test("are granted at once within the lease, which a quorum of heartbeat answers renews", () => {
    const { leader } = leaderWithLease();
    leader.raft.readIndex(1);
    answers(leader);
    expect(leader.reads).toHaveLength(1);
  });

  test("are not granted before any quorum has answered", () => {
    const cluster = Cluster.of(3, lease);
    const leader = cluster.elect(1);
    leader.raft.readIndex(1);
    answers(leader);
    expect(leader.reads).toEqual([]);
  });

  test("are not granted one tick short of an election timeout after the last answered heartbeat left", () => {
    const { cluster, leader } = leaderWithLease();
    cluster.isolate(1);
    for (let tick = 0; tick < 8; tick++) leader.raft.tick();
    answers(leader);
    leader.raft.readIndex(1);
    answers(leader);
    expect(leader.reads).toHaveLength(1);
    leader.raft.tick();
    answers(leader);
    leader.raft.readIndex(2);
    answers(leader);
    expect(leader.raft.role, "still leading").toBe("leader");
    expect(leader.reads).toHaveLength(1);
  });

  test("count the lease from when a heartbeat left, however late it was answered", () => {
    const { cluster, leader } = leaderWithLease();
    cluster.isolate(1);
    leader.raft.tick();
    const late = answers(leader).flatMap((message) =>
      message.type === "heartbeat"
        ? [heartbeatAnswer({ from: Number.parseInt(message.to, 16), to: 1, term: 1 }, message.readRound)]
        : [],
    );
    for (let tick = 0; tick < 8; tick++) {
      leader.raft.tick();
      answers(leader);
    }
    answers(leader, ...late);
    leader.raft.tick();
    answers(leader);
    leader.raft.readIndex(1);
    answers(leader);
    expect(leader.reads).toEqual([]);
  });

  test("fall back to a round once leadership has been handed to somebody who may still campaign", () => {
    const { leader } = leaderWithLease();
    expect(leader.raft.transferLeader(nodeOf(2)).type).toBe("started");
    answers(leader);
    for (let tick = 0; tick < 10; tick++) {
      leader.raft.tick();
      for (const message of answers(leader)) {
        if (message.type === "heartbeat") {
          answers(leader, heartbeatAnswer({ from: 3, to: 1, term: 1 }, message.readRound));
        }
      }
    }
    expect(leader.raft.status().transferee).toBeNull();
    leader.raft.readIndex(1);
    answers(leader);
    expect(leader.reads).toEqual([]);
  });

  test("fall back to a round after quiescence, in which no time was counted", () => {
    const cluster = Cluster.of(3, { raft: { leaseReads: true, quiesceAfterHeartbeats: 4 } });
    const leader = cluster.elect(1);
    cluster.tick(3);
    leader.raft.readIndex(0);
    cluster.settle();
    expect(leader.reads.splice(0), "the lease was held").toHaveLength(1);
    cluster.tick(5);
    expect(leader.raft.quiesced).toBe(true);
    leader.raft.readIndex(1);
    answers(leader);
    expect(leader.reads).toEqual([]);
    cluster.settle();
  });

  test("a follower whose host gives up the leader keeps its lease, and campaigns only when it has run out", () => {
    const { cluster } = leaderWithLease();
    const host = cluster.host(2);
    host.raft.forgetLeader();
    host.raft.campaign();
    for (let tick = 0; tick < 9; tick++) host.raft.tick();
    expect(answers(host).filter((message) => message.type === "pre-vote-request")).toEqual([]);
    for (let tick = 0; tick < 6; tick++) host.raft.tick();
    expect(answers(host).filter((message) => message.type === "pre-vote-request")).not.toEqual([]);
  });

  test("a replica that restarts grants no vote for an election timeout: a lease may rest on its former life", () => {
    const { cluster } = leaderWithLease();
    const host = cluster.host(2);
    host.restart();
    const request = vote({ from: 3, to: 2, term: 7 }, [9, 1]);
    expect(answers(host, request)).toEqual([]);
    for (let tick = 0; tick < 10; tick++) host.raft.tick();
    host.raft.forgetLeader();
    expect(answers(host, request).at(-1)).toMatchObject({ granted: true });
  });
});

describe("quiescence", () => {
  const quiet = { raft: { quiesceAfterHeartbeats: 3 } };

  test("an idle group sends nothing and counts no time", () => {
    const cluster = Cluster.of(3, quiet);
    cluster.elect(1);
    cluster.propose("a");
    cluster.tick(6);
    for (const host of cluster.hosts.values()) expect(host.raft.quiesced).toBe(true);
    for (let tick = 0; tick < 1_000; tick++) {
      for (const host of cluster.hosts.values()) {
        host.raft.tick();
        expect(host.raft.hasReady()).toBe(false);
      }
    }
  });

  test("a group with a member that is behind or silent does not rest", () => {
    const cluster = Cluster.of(3, quiet);
    cluster.elect(1);
    cluster.isolate(3);
    cluster.propose("a");
    cluster.tick(50);
    expect(cluster.raft(1).quiesced).toBe(false);
  });

  test("a follower that does not hold everything does not obey, and wakes the others in time", () => {
    const cluster = Cluster.of(3, quiet);
    const leader = cluster.elect(1);
    cluster.tick(2);
    leader.raft.tick();
    const lullaby = leader.process();
    expect(leader.raft.quiesced).toBe(true);
    for (const envelope of lullaby) if (envelope.message.to === nodeOf(2)) cluster.deliver(envelope);
    expect(cluster.raft(2).quiesced).toBe(true);
    expect(cluster.raft(3).quiesced).toBe(false);
    cluster.tick(40);
    expect(cluster.leaders).toEqual([1]);
    expect(cluster.raft(1).term, "woken by a pre-vote, at no cost").toBe(1);
    expect(cluster.raft(3).quiesced).toBe(true);
  });

  test.each([
    ["a proposal", (host: Host) => void host.raft.propose([bytesOf("a")])],
    ["a read", (host: Host) => void host.raft.readIndex(1)],
    ["a change", (host: Host) => void host.raft.proposeMembership({ type: "simple", steps: [] })],
    ["the host", (host: Host) => host.raft.wake()],
  ])("%s wakes the leader, and it wakes the others", (_what, act) => {
    const cluster = Cluster.of(3, quiet);
    const leader = cluster.elect(1);
    cluster.tick(6);
    act(leader);
    cluster.settle();
    for (const host of cluster.hosts.values()) expect(host.raft.quiesced).toBe(false);
  });

  test("late answers do not wake the leader, nor elections of those who are no members", () => {
    const cluster = Cluster.of(3, quiet);
    const leader = cluster.elect(1);
    cluster.tick(6);
    answers(leader, heartbeatAnswer({ from: 2, to: 1, term: 1 }), appended({ from: 2, to: 1, term: 1 }, 1));
    answers(leader, preVote({ from: 9, to: 1, term: 1 }, [1, 1]));
    expect(leader.raft.quiesced).toBe(true);
  });

  test("a leader that is told of the silence of its majority steps down within half an election timeout", () => {
    const cluster = Cluster.of(3, quiet);
    const leader = cluster.elect(1);
    cluster.tick(6);
    cluster.isolate(1);
    leader.raft.reportSilent(nodeOf(2));
    leader.raft.tick();
    leader.raft.reportSilent(nodeOf(3));
    let ticks = 0;
    for (; leader.raft.role === "leader"; ticks++) leader.raft.tick();
    expect(ticks).toBeGreaterThanOrEqual(2);
    expect(ticks).toBeLessThanOrEqual(5);
    expect(leader.raft.term, "alone it asks for no vote").toBe(1);
  });

  test("a leader that is told of a silence leads on when a majority answers, and sleeps again when all do", () => {
    const cluster = Cluster.of(3, quiet);
    const leader = cluster.elect(1);
    cluster.tick(6);
    cluster.isolate(3);
    for (const number of [2, 3]) leader.raft.reportSilent(nodeOf(number));
    cluster.tick(8);
    expect([leader.raft.role, leader.raft.quiesced, leader.raft.term]).toEqual(["leader", false, 1]);
    cluster.heal();
    cluster.tick(6);
    expect([leader.raft.role, leader.raft.quiesced, leader.raft.term]).toEqual(["leader", true, 1]);
  });

  test("the silence of a stranger wakes nobody", () => {
    const cluster = Cluster.of(3, quiet);
    const leader = cluster.elect(1);
    cluster.tick(6);
    leader.raft.reportSilent(nodeOf(9));
    cluster.raft(2).reportSilent(nodeOf(1));
    expect([leader.raft.quiesced, cluster.raft(2).quiesced]).toEqual([true, true]);
  });

  test("a leader woken by a silence has no lease until a quorum has answered", () => {
    const cluster = Cluster.of(3, { raft: { leaseReads: true, quiesceAfterHeartbeats: 3 } });
    const leader = cluster.elect(1);
    cluster.tick(6);
    leader.raft.reportSilent(nodeOf(2));
    cluster.isolate(1);
    expect(leader.raft.readIndex(1)).toBe("queued");
    leader.process();
    expect(leader.reads).toEqual([]);
  });

  test("a suspicion of the leader leads to another one within an election timeout", () => {
    const cluster = Cluster.of(3, quiet);
    cluster.elect(1);
    cluster.tick(6);
    cluster.isolate(1);
    for (const number of [2, 3]) cluster.raft(number).forgetLeader();
    for (let tick = 0; tick < 10 && cluster.leaders.length < 2; tick++) {
      for (const number of [2, 3]) cluster.raft(number).tick();
      cluster.settle();
    }
    expect(cluster.leaders.filter((number) => number !== 1)).toHaveLength(1);
  });
});
