/**
 * What "In Search of an Understandable Consensus Algorithm" (extended version) says of terms and elections: §5.1, §5.2, §5.4.1,
 * Figure 2. One test per sentence that safety rests on.
 */
import { describe, expect, test } from "vitest";
import { Cluster, nodeOf } from "./cluster.ts";
import {
  answers,
  append,
  appended,
  heartbeat,
  heartbeatAnswer,
  preVote,
  preVoted,
  vote,
  voted,
} from "./messages.ts";

/** Node 1 of three, with a log of these terms, in the term of the last one or later. */
function follower(terms: readonly number[], inTerm = terms[terms.length - 1] ?? 0) {
  const cluster = Cluster.of(3);
  const host = cluster.host(1);
  answers(host, append({ from: 2, to: 1, term: inTerm }, [0, 0], terms));
  host.raft.forgetLeader();
  answers(host);
  return host;
}

describe("§5.1 terms", () => {
  test.each([
    ["append-request", append({ from: 2, to: 1, term: 5 }, [0, 0], [])],
    ["heartbeat", heartbeat({ from: 2, to: 1, term: 5 })],
    ["append-response", appended({ from: 2, to: 1, term: 5 }, 0)],
    ["heartbeat-response", heartbeatAnswer({ from: 2, to: 1, term: 5 })],
    ["vote-response", voted({ from: 2, to: 1, term: 5 }, false)],
    ["a refused pre-vote", preVoted({ from: 2, to: 1, term: 5 }, false)],
  ])(
    "if one server's current term is smaller than the other's, it updates to the larger value: %s",
    (_type, message) => {
      const cluster = Cluster.of(3);
      const host = cluster.elect(1);
      answers(host, message);
      expect(host.raft.term).toBe(5);
    },
  );

  test("if a candidate or leader discovers that its term is out of date, it immediately reverts to follower state", () => {
    const leader = Cluster.of(3).elect(1);
    answers(leader, heartbeatAnswer({ from: 2, to: 1, term: 9 }));
    expect(leader.raft.role).toBe("follower");

    const candidate = Cluster.of(3).host(1);
    candidate.raft.campaign();
    answers(candidate, preVoted({ from: 2, to: 1, term: 1 }));
    expect(candidate.raft.role).toBe("candidate");
    answers(candidate, voted({ from: 3, to: 1, term: 9 }, false));
    expect(candidate.raft.role).toBe("follower");
    expect(candidate.raft.term).toBe(9);
  });

  test("if a server receives a request with a stale term number, it rejects the request, and says its own term", () => {
    const host = follower([4]);
    const stale = [
      append({ from: 3, to: 1, term: 3 }, [0, 0], [3]),
      heartbeat({ from: 3, to: 1, term: 3 }),
      vote({ from: 3, to: 1, term: 3 }, [9, 3]),
      preVote({ from: 3, to: 1, term: 3 }, [9, 3]),
    ];
    for (const request of stale) {
      const [answer, ...more] = answers(host, request);
      expect(more).toEqual([]);
      expect(answer).toMatchObject({ to: nodeOf(3), term: 4 });
      expect(answer).not.toMatchObject({ granted: true });
      expect(answer).not.toMatchObject({ rejected: false });
    }
  });

  test("a pre-vote changes nobody's term", () => {
    const host = follower([1]);
    answers(host, preVote({ from: 2, to: 1, term: 7 }, [9, 7]));
    expect(host.raft.term).toBe(1);
  });
});

describe("§5.2 leader election", () => {
  test("a server remains in follower state as long as it receives valid RPCs from a leader", () => {
    const host = follower([1]);
    for (let tick = 0; tick < 100; tick++) {
      host.raft.tick();
      answers(host, heartbeat({ from: 2, to: 1, term: 1 }));
    }
    expect(host.raft.role).toBe("follower");
    expect(host.raft.term).toBe(1);
  });

  test("a follower that receives no communication over the election timeout begins an election, within [n, 2n) ticks", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const host = Cluster.of(3, { seed }).host(1);
      answers(host, heartbeat({ from: 2, to: 1, term: 1 }));
      let ticks = 0;
      while (host.raft.role === "follower") {
        host.raft.tick();
        ticks++;
      }
      expect(ticks).toBeGreaterThanOrEqual(10);
      expect(ticks).toBeLessThan(20);
    }
  });

  test("election timeouts are randomised: two followers rarely draw the same", () => {
    const waits = new Set<number>();
    for (let seed = 1; seed <= 100; seed++) {
      const host = Cluster.of(3, { seed }).host(1);
      let ticks = 0;
      while (host.raft.role === "follower") {
        host.raft.tick();
        ticks++;
      }
      waits.add(ticks);
    }
    expect(waits.size).toBe(10);
  });

  test("to begin an election, a follower increments its current term and votes for itself, once a majority encouraged it", () => {
    const host = follower([1]);
    host.raft.campaign();
    expect(host.raft.term).toBe(1);
    answers(host, preVoted({ from: 2, to: 1, term: 2 }));
    expect(host.raft.role).toBe("candidate");
    expect(host.raft.status()).toMatchObject({ term: 2, vote: nodeOf(1) });
  });

  test("a candidate wins an election if it receives votes from a majority", () => {
    const cluster = Cluster.of(5);
    const host = cluster.host(1);
    host.raft.campaign();
    answers(host, preVoted({ from: 2, to: 1, term: 1 }), preVoted({ from: 3, to: 1, term: 1 }));
    answers(host, voted({ from: 2, to: 1, term: 1 }));
    expect(host.raft.role).toBe("candidate");
    answers(host, voted({ from: 2, to: 1, term: 1 }));
    expect(host.raft.role, "the same vote twice counts once").toBe("candidate");
    answers(host, voted({ from: 3, to: 1, term: 1 }));
    expect(host.raft.role).toBe("leader");
  });

  test("a candidate does not count its own vote before it is durable", () => {
    const cluster = Cluster.of(3);
    const host = cluster.host(1);
    host.persistsAtOnce = false;
    host.raft.campaign();
    expect(answers(host, preVoted({ from: 2, to: 1, term: 1 })), "nor asks for others before").toEqual([
      expect.objectContaining({ type: "pre-vote-request" }),
      expect.objectContaining({ type: "pre-vote-request" }),
    ]);
    answers(host, voted({ from: 2, to: 1, term: 1 }));
    expect(host.raft.role).toBe("candidate");
    host.persist();
    expect(host.raft.role).toBe("leader");
  });

  test("each server will vote for at most one candidate in a given term, on a first-come-first-served basis", () => {
    const host = follower([1]);
    expect(answers(host, vote({ from: 2, to: 1, term: 2 }, [1, 1]))).toMatchObject([{ granted: true }]);
    expect(answers(host, vote({ from: 3, to: 1, term: 2 }, [9, 1]))).toMatchObject([{ granted: false }]);
    expect(answers(host, vote({ from: 2, to: 1, term: 2 }, [1, 1])), "asked again").toMatchObject([
      { granted: true },
    ]);
  });

  test("a vote is remembered across a crash, and given only once it is", () => {
    const host = follower([1]);
    host.persistsAtOnce = false;
    expect(answers(host, vote({ from: 2, to: 1, term: 2 }, [1, 1]))).toEqual([]);
    host.persist();
    expect(answers(host)).toMatchObject([{ type: "vote-response", granted: true }]);
    host.restart();
    host.persistsAtOnce = true;
    expect(answers(host, vote({ from: 3, to: 1, term: 2 }, [9, 1]))).toMatchObject([{ granted: false }]);
  });

  test("a candidate that hears from a leader of its term returns to follower state", () => {
    const host = Cluster.of(3).host(1);
    host.raft.campaign();
    answers(host, preVoted({ from: 2, to: 1, term: 1 }));
    answers(host, append({ from: 2, to: 1, term: 1 }, [0, 0], [1]));
    expect(host.raft.role).toBe("follower");
    expect(host.raft.leader).toBe(nodeOf(2));
  });

  test("a candidate that hears from a leader of an earlier term continues in candidate state", () => {
    const host = Cluster.of(3).host(1);
    host.raft.campaign();
    answers(host, preVoted({ from: 2, to: 1, term: 1 }));
    answers(host, append({ from: 2, to: 1, term: 0 }, [0, 0], []));
    expect(host.raft.role).toBe("candidate");
  });

  test("whoever claims to lead a term that has another leader is not believed", () => {
    const host = follower([1]);
    answers(host, heartbeat({ from: 2, to: 1, term: 1 }));
    expect(answers(host, append({ from: 3, to: 1, term: 1 }, [1, 1], [1]))).toEqual([]);
    expect(host.raft.leader).toBe(nodeOf(2));

    const leader = Cluster.of(3).elect(1);
    answers(leader, append({ from: 3, to: 1, term: 1 }, [0, 0], [1]));
    expect(leader.raft.role).toBe("leader");
  });

  test("a leader that no majority answers for an election timeout steps down", () => {
    const cluster = Cluster.of(3);
    const leader = cluster.elect(1);
    for (let tick = 0; tick < 9; tick++) leader.raft.tick();
    answers(leader);
    expect(leader.raft.role).toBe("leader");
    leader.raft.tick();
    expect(leader.raft.role).toBe("follower");
    expect(leader.raft.term, "in its own term").toBe(1);
  });

  test("a leader that a majority answers stays, whatever the others do", () => {
    const cluster = Cluster.of(3);
    const leader = cluster.elect(1);
    cluster.isolate(3);
    cluster.tick(200);
    expect(leader.raft.role).toBe("leader");
    expect(leader.raft.status().progress.get(nodeOf(3))?.recentActive).toBe(false);
  });
});

describe("§5.4.1 election restriction", () => {
  test.each([
    ["an equal log", [2, 3], true],
    ["a longer log of the same last term", [3, 3], true],
    ["a shorter log of a later last term", [1, 4], true],
    ["a shorter log of the same last term", [1, 3], false],
    ["a longer log of an earlier last term", [9, 2], false],
  ] as const)("the voter denies its vote if its own log is more up-to-date: %s", (_title, last, granted) => {
    expect(answers(follower([1, 3], 4), vote({ from: 2, to: 1, term: 5 }, last))).toMatchObject([
      { granted },
    ]);
    expect(answers(follower([1, 3], 4), preVote({ from: 2, to: 1, term: 5 }, last))).toMatchObject([
      { granted },
    ]);
  });
});

describe("§6 disruptive servers", () => {
  test("servers disregard vote requests when they believe a current leader exists, and keep their term", () => {
    const host = follower([1]);
    answers(host, heartbeat({ from: 2, to: 1, term: 1 }));
    expect(answers(host, vote({ from: 3, to: 1, term: 2 }, [9, 1]))).toEqual([]);
    expect(answers(host, preVote({ from: 3, to: 1, term: 2 }, [9, 1]))).toEqual([]);
    expect(host.raft.term).toBe(1);
  });

  test("a leader disregards them too", () => {
    const leader = Cluster.of(3).elect(1);
    expect(answers(leader, vote({ from: 3, to: 1, term: 2 }, [9, 1]))).toEqual([]);
    expect(leader.raft.role).toBe("leader");
  });

  test("they believe so for the minimum election timeout after hearing from it", () => {
    const host = follower([1]);
    answers(host, heartbeat({ from: 2, to: 1, term: 1 }));
    for (let tick = 0; tick < 9; tick++) host.raft.tick();
    expect(answers(host, vote({ from: 3, to: 1, term: 2 }, [9, 1]))).toEqual([]);
    host.raft.tick();
    expect(answers(host, vote({ from: 3, to: 1, term: 2 }, [9, 1])).at(-1)).toMatchObject({ granted: true });
  });

  test("not when the leader itself asked for the election", () => {
    const host = follower([1]);
    answers(host, heartbeat({ from: 2, to: 1, term: 1 }));
    expect(answers(host, vote({ from: 3, to: 1, term: 2 }, [9, 1], true))).toMatchObject([{ granted: true }]);
  });

  test("a candidate of a later term that the others ignore is freed by the answer it gives to their leader", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    // Node 3 is stuck in term 5, which it alone knows of.
    answers(cluster.host(3), voted({ from: 2, to: 3, term: 5 }, false));
    cluster.tick(60);
    expect(cluster.leaders).toHaveLength(1);
    const terms = [1, 2, 3].map((number) => cluster.raft(number).term);
    expect(new Set(terms).size).toBe(1);
    expect(terms[0]).toBeGreaterThan(5);
  });
});

test("a learner, a stranger and a replica without configuration never campaign, but answer when asked", () => {
  const cluster = Cluster.of(3);
  cluster.elect(1);
  cluster.add(4);
  cluster.add(5);
  cluster.raft(1).proposeMembership({ type: "simple", steps: [{ type: "add-learner", node: nodeOf(4) }] });
  cluster.settle();
  for (const number of [4, 5]) {
    const host = cluster.host(number);
    host.raft.forgetLeader();
    host.raft.campaign();
    for (let tick = 0; tick < 100; tick++) host.raft.tick();
    expect(host.raft.role).toBe("follower");
    expect(answers(host, vote({ from: 2, to: number, term: 7 }, [9, 6])).at(-1)).toMatchObject({
      granted: true,
    });
  }
});
