/**
 * What "In Search of an Understandable Consensus Algorithm" (extended version) says of log replication, commitment and compaction:
 * §5.3, §5.4.2, §5.5, §7, Figures 2, 7 and 8. One test per sentence that safety rests on.
 */
import { describe, expect, test } from "vitest";
import { logIndex, term } from "../../src/base/ids.ts";
import { configurationOf } from "../../src/raft/configuration.ts";
import type { RaftMessage } from "../../src/raft/messages.ts";
import { bytesOf, Cluster, dataApplied, type Host, nodeOf } from "./cluster.ts";
import { answers, append, appended, heartbeat, heartbeatAnswer, logOf, vote } from "./messages.ts";

function follower(terms: readonly number[], inTerm: number): Host {
  const host = Cluster.of(3).host(1);
  let previous = 0;
  terms.forEach((value, at) => {
    answers(host, append({ from: 2, to: 1, term: value }, [at, previous], [value]));
    previous = value;
  });
  answers(host, heartbeat({ from: 2, to: 1, term: inTerm }));
  return host;
}

describe("§5.3 log replication", () => {
  test("a leader appends to its log first, then issues the entry in parallel to each of the others", () => {
    const cluster = Cluster.of(3);
    const leader = cluster.elect(1);
    leader.raft.propose([bytesOf("a")]);
    const sent = answers(leader);
    expect(logOf(leader)).toBe("1/1 1/2");
    expect(sent).toMatchObject([
      { type: "append-request", to: nodeOf(2), entries: [{ index: 2 }] },
      { type: "append-request", to: nodeOf(3), entries: [{ index: 2 }] },
    ]);
  });

  test("all proposals of one turn travel in one request per follower", () => {
    const leader = Cluster.of(3).elect(1);
    for (const text of ["a", "b", "c"]) leader.raft.propose([bytesOf(text)]);
    expect(answers(leader)).toMatchObject([{ entries: { length: 3 } }, { entries: { length: 3 } }]);
  });

  test("the leader retries indefinitely while a follower is slow or loses messages", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.isolate(3);
    cluster.propose("a", "b");
    cluster.tick(100);
    cluster.heal();
    cluster.tick(25);
    expect(dataApplied(cluster.host(3))).toEqual(["a", "b"]);
  });

  test("if the follower does not find an entry with the same index and term, it refuses the new entries", () => {
    const host = follower([1, 1], 2);
    expect(answers(host, append({ from: 2, to: 1, term: 2 }, [2, 2], [2]))).toMatchObject([
      { rejected: true, index: 2, hintIndex: 2, hintTerm: 1 },
    ]);
    expect(answers(host, append({ from: 2, to: 1, term: 2 }, [5, 1], [2]))).toMatchObject([
      { rejected: true, index: 5, hintIndex: 2, hintTerm: 1 },
    ]);
    expect(logOf(host)).toBe("1/1 1/2");
  });

  test("if an existing entry conflicts with a new one, it and all that follow it are deleted", () => {
    const host = follower([1, 1, 2, 2, 2], 3);
    answers(host, append({ from: 2, to: 1, term: 3 }, [2, 1], [3]));
    expect(logOf(host)).toBe("1/1 1/2 3/3");
  });

  test("an old request that says nothing new deletes nothing", () => {
    const host = follower([1, 1, 1], 1);
    expect(answers(host, append({ from: 2, to: 1, term: 1 }, [0, 0], [1]))).toMatchObject([
      { rejected: false, index: 1 },
    ]);
    expect(logOf(host)).toBe("1/1 1/2 1/3");
  });

  test("commitIndex = min(leaderCommit, index of last new entry)", () => {
    const host = follower([1, 1, 1], 1);
    answers(host, append({ from: 2, to: 1, term: 1 }, [0, 0], [1], 9));
    expect(host.raft.commit).toBe(1);
    answers(host, append({ from: 2, to: 1, term: 1 }, [1, 1], [1, 1], 2));
    expect(host.raft.commit).toBe(2);
  });

  test("a heartbeat of a follower that holds less than it says commits no more than it holds", () => {
    const host = follower([1], 1);
    answers(host, heartbeat({ from: 2, to: 1, term: 1 }, 7));
    expect(host.raft.commit).toBe(1);
  });

  test("an acknowledgement leaves only once the entries are durable; a refusal leaves at once", () => {
    const host = follower([1], 1);
    host.persistsAtOnce = false;
    expect(answers(host, append({ from: 2, to: 1, term: 1 }, [1, 1], [1]))).toEqual([]);
    expect(answers(host, append({ from: 2, to: 1, term: 1 }, [9, 1], [1]))).toMatchObject([
      { rejected: true },
    ]);
    host.persist();
    expect(answers(host)).toMatchObject([{ rejected: false, index: 2 }]);
  });

  test("an acknowledgement repeated while an earlier one still waits does not overtake it", () => {
    const host = follower([1], 1);
    host.persistsAtOnce = false;
    answers(host, append({ from: 2, to: 1, term: 1 }, [1, 1], [1]));
    expect(answers(host, append({ from: 2, to: 1, term: 1 }, [1, 1], [1]))).toEqual([]);
  });

  // Figure 7: the leader of term 8 has terms 1 1 1 4 4 5 5 6 6 6.
  test.each([
    ["a", [1, 1, 1, 4, 4, 5, 5, 6, 6]],
    ["b", [1, 1, 1, 4]],
    ["c", [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]],
    ["d", [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]],
    ["e", [1, 1, 1, 4, 4, 4, 4]],
    ["f", [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]],
  ])("Figure 7: the leader brings follower (%s) into agreement with its own log", (_name, terms) => {
    const cluster = Cluster.of(3);
    const fill = (host: Host, log: readonly number[]) => {
      let previous = 0;
      log.forEach((value, at) => {
        answers(host, append({ from: 3, to: host.number, term: value }, [at, previous], [value]));
        previous = value;
      });
      answers(host, heartbeat({ from: 3, to: host.number, term: 7 }));
    };
    const [leader, other] = [cluster.host(1), cluster.host(2)];
    fill(leader, [1, 1, 1, 4, 4, 5, 5, 6, 6, 6]);
    fill(other, terms);
    fill(cluster.host(3), [1, 1, 1]);
    cluster.network = [];
    for (const host of cluster.hosts.values()) host.raft.forgetLeader();
    leader.raft.campaign();
    cluster.tick(3);
    expect(leader.raft.role).toBe("leader");
    expect(logOf(other)).toBe(logOf(leader));
    expect(logOf(other)).toMatch(/6\/10 8\/11$/);
  });

  test("whole terms are skipped at a refusal: the number of refusals is that of conflicting terms, not of entries", () => {
    const leader = Cluster.of(3).host(1);
    answers(leader, append({ from: 2, to: 1, term: 1 }, [0, 0], [1]));
    answers(leader, append({ from: 2, to: 1, term: 9 }, [1, 1], new Array(50).fill(9)));
    const lagging = Cluster.of(3).host(3);
    answers(lagging, append({ from: 2, to: 3, term: 1 }, [0, 0], [1]));
    answers(lagging, append({ from: 2, to: 3, term: 5 }, [1, 1], new Array(20).fill(5)));
    answers(lagging, append({ from: 2, to: 3, term: 6 }, [21, 5], new Array(40).fill(6)));
    leader.raft.forgetLeader();
    leader.raft.campaign();
    answers(leader, {
      type: "pre-vote-response",
      from: nodeOf(2),
      to: nodeOf(1),
      term: term(10),
      granted: true,
    });
    let toLagging = answers(leader, {
      type: "vote-response",
      from: nodeOf(2),
      to: nodeOf(1),
      term: term(10),
      granted: true,
    });
    let refusals = 0;
    for (let turn = 0; turn < 20; turn++) {
      const back = answers(lagging, ...toLagging.filter((message) => message.to === nodeOf(3)));
      refusals += back.filter((message) => message.type === "append-response" && message.rejected).length;
      toLagging = answers(leader, ...back);
    }
    expect(refusals).toBeLessThanOrEqual(2);
    expect(logOf(lagging)).toBe(logOf(leader));
  });
});

describe("§5.3 commitment", () => {
  test("an entry is committed once the leader has replicated it on a majority; the leader's own log counts when durable", () => {
    const cluster = Cluster.of(3);
    const leader = cluster.elect(1);
    leader.persistsAtOnce = false;
    leader.raft.propose([bytesOf("a")]);
    answers(leader, appended({ from: 2, to: 1, term: 1 }, 2));
    expect(leader.raft.commit).toBe(1);
    leader.persist();
    expect(leader.raft.commit).toBe(2);
  });

  test("two followers commit for a leader whose own disk is slow, but it applies nothing that it could forget", () => {
    const cluster = Cluster.of(3);
    const leader = cluster.elect(1);
    leader.persistsAtOnce = false;
    leader.raft.propose([bytesOf("a")]);
    answers(leader, appended({ from: 2, to: 1, term: 1 }, 2), appended({ from: 3, to: 1, term: 1 }, 2, 2));
    expect(leader.raft.commit).toBe(2);
    expect(dataApplied(leader)).toEqual([]);
    leader.persist();
    answers(leader);
    expect(dataApplied(leader)).toEqual(["a"]);
  });

  test("an answer that claims more than the leader has, or speaks of another acquaintance, counts for nothing", () => {
    const cluster = Cluster.of(3);
    const leader = cluster.elect(1);
    leader.raft.propose([bytesOf("a")]);
    answers(leader);
    answers(leader, appended({ from: 2, to: 1, term: 1 }, 99), appended({ from: 2, to: 1, term: 1 }, 2, 7));
    answers(leader, appended({ from: 9, to: 1, term: 1 }, 2));
    expect(leader.raft.commit).toBe(1);
  });

  test("committed entries are handed out in log order, once each, in bounded slices", () => {
    const cluster = Cluster.of(1, { raft: { committedBytesPerReadyMax: 100 } });
    const leader = cluster.elect(1);
    leader.raft.propose(Array.from({ length: 20 }, (_, at) => bytesOf(`${at}`)));
    let readies = 0;
    const seen: number[] = [];
    leader.process((ready) => {
      if (ready.committed.length > 0) readies++;
      seen.push(...ready.committed.map((entry) => entry.index));
    });
    expect(seen).toEqual(Array.from({ length: 20 }, (_, at) => at + 2));
    expect(readies).toBeGreaterThan(5);
  });
});

describe("§5.4.2 entries of previous terms", () => {
  test("Figure 8: an entry of an earlier term on a majority is not committed by counting replicas", () => {
    const cluster = Cluster.of(5);
    const leader = cluster.host(1);
    // S1 led term 2 and replicated 2/2 to S2 only; now it leads term 4.
    answers(
      leader,
      append({ from: 5, to: 1, term: 1 }, [0, 0], [1]),
      append({ from: 5, to: 1, term: 2 }, [1, 1], [2]),
    );
    answers(leader, heartbeat({ from: 5, to: 1, term: 3 }));
    leader.raft.forgetLeader();
    leader.raft.campaign();
    const granted = (type: "pre-vote-response" | "vote-response", from: number): RaftMessage => ({
      type,
      from: nodeOf(from),
      to: nodeOf(1),
      term: term(4),
      granted: true,
    });
    answers(leader, granted("pre-vote-response", 2), granted("pre-vote-response", 3));
    answers(leader, granted("vote-response", 2), granted("vote-response", 3));
    expect(leader.raft.role).toBe("leader");
    answers(leader, appended({ from: 2, to: 1, term: 4 }, 2), appended({ from: 3, to: 1, term: 4 }, 2, 2));
    expect(leader.raft.commit, "2/2 is on three of five").toBe(0);
    answers(leader, appended({ from: 2, to: 1, term: 4 }, 3), appended({ from: 3, to: 1, term: 4 }, 3, 2));
    expect(leader.raft.commit, "the no-op of term 4 stands above it").toBe(3);
  });
});

describe("§5.5 crashes", () => {
  test("requests are idempotent: everything may arrive twice", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.raft(1).propose([bytesOf("a"), bytesOf("b")]);
    for (let turn = 0; turn < 6; turn++) {
      cluster.process();
      const batch = cluster.network;
      cluster.network = [];
      for (const envelope of [...batch, ...batch]) cluster.deliver(envelope);
    }
    cluster.settle();
    for (const host of cluster.hosts.values()) expect(dataApplied(host)).toEqual(["a", "b"]);
  });

  test("a replica that restarts hands out what is committed again, from its base on", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.propose("a", "b", "c");
    cluster.tick(1);
    const host = cluster.host(2);
    host.compact(2);
    host.restart();
    cluster.settle();
    expect(host.raft.firstIndex).toBe(3);
    expect(dataApplied(host)).toEqual(["a", "b", "c"]);
  });

  test("a commit index alone is not written at once, but not lost for ever either", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.propose("a");
    expect(cluster.host(2).disk.hardState.commit).toBe(1);
    cluster.tick(1);
    expect(cluster.host(2).disk.hardState.commit).toBe(2);
  });
});

describe("§7 log compaction", () => {
  const metadata = (index: number, inTerm: number) => ({
    index: logIndex(index),
    term: term(inTerm),
    configuration: configurationOf([1, 2, 3].map(nodeOf)),
  });
  const install = (host: Host, index: number, inTerm: number): RaftMessage => ({
    type: "install-snapshot",
    from: nodeOf(2),
    to: host.node,
    term: term(3),
    snapshot: metadata(index, inTerm),
  });

  test("if the snapshot contains information not already in the log, the follower discards its entire log", () => {
    const host = follower([1, 1, 2, 2], 3);
    host.receive({ message: install(host, 3, 3), state: [] });
    expect(answers(host)).toMatchObject([{ type: "append-response", rejected: false, index: 3 }]);
    expect(host.raft.status()).toMatchObject({
      baseIndex: 3,
      lastIndex: 3,
      lastTerm: 3,
      commit: 3,
      applied: 3,
    });
    expect(logOf(host)).toBe("");
  });

  test("if it describes a prefix of its log, the entries that follow are retained, and the prefix is committed", () => {
    const host = follower([1, 1, 2, 2], 3);
    host.receive({ message: install(host, 3, 2), state: [] });
    answers(host);
    expect(host.raft.status()).toMatchObject({ baseIndex: 0, lastIndex: 4, commit: 3 });
    expect(host.applied.map((applied) => applied.index)).toEqual([1, 2, 3]);
  });

  test("an old snapshot changes nothing and is answered with the commit index", () => {
    const host = follower([1, 1, 2, 2], 3);
    answers(host, heartbeat({ from: 2, to: 1, term: 3 }, 4));
    host.compact(3);
    host.receive({ message: install(host, 2, 1), state: [] });
    expect(answers(host)).toMatchObject([{ rejected: false, index: 4 }]);
    expect(host.raft.status()).toMatchObject({ baseIndex: 3, commit: 4, lastIndex: 4 });
  });

  test("a snapshot is acknowledged only once it is durable", () => {
    const host = follower([1], 3);
    host.persistsAtOnce = false;
    host.receive({ message: install(host, 7, 3), state: [] });
    expect(answers(host)).toEqual([]);
    host.persist();
    expect(answers(host)).toMatchObject([{ index: 7 }]);
  });

  test("a follower that lacks compacted entries is asked for by name once per sign of life, and gets no requests meanwhile", () => {
    const cluster = Cluster.of(3);
    const leader = cluster.elect(1);
    leader.snapshotsAtOnce = false;
    cluster.isolate(3);
    cluster.propose("a", "b");
    leader.compact(3);
    cluster.heal();
    cluster.tick(1);
    expect(leader.snapshotsWanted).toEqual([nodeOf(3)]);
    cluster.tick(1);
    expect(leader.snapshotsWanted, "asked again after its next heartbeat response").toEqual([
      nodeOf(3),
      nodeOf(3),
    ]);
    const stream = leader.streamSnapshot(nodeOf(3));
    cluster.tick(1);
    expect(leader.snapshotsWanted, "not while one is on its way").toHaveLength(2);
    expect(leader.raft.status().progress.get(nodeOf(3))?.state).toBe("snapshot");
    leader.raft.snapshotFinished(nodeOf(3), false, logIndex(3));
    cluster.tick(1);
    expect(leader.snapshotsWanted, "asked again after a failure").toHaveLength(3);
    cluster.deliver(stream);
    cluster.tick(2);
    expect(dataApplied(cluster.host(3))).toEqual(["a", "b"]);
    expect(leader.raft.status().progress.get(nodeOf(3))?.state).toBe("replicate");
  });

  test("a snapshot of an earlier leader's term is refused with the later term", () => {
    const host = follower([1], 5);
    host.receive({ message: install(host, 7, 3), state: [] });
    expect(answers(host)).toMatchObject([{ rejected: true, term: 5 }]);
    expect(host.raft.commit).toBe(0);
  });

  test("only what is applied is compacted", () => {
    const host = follower([1, 1], 1);
    expect(() => host.raft.compact(logIndex(1))).toThrow(/applied/);
  });
});

test("flow control: a follower that does not answer gets no more than the window, and the rest once it does", () => {
  const cluster = Cluster.of(3, { raft: { inflightMessagesMax: 3, appendBytesMax: 1 } });
  const leader = cluster.elect(1);
  leader.raft.propose(Array.from({ length: 10 }, (_, at) => bytesOf(`${at}`)));
  const toNode2 = answers(leader).filter((message) => message.to === nodeOf(2));
  expect(toNode2).toHaveLength(3);
  expect(
    answers(leader, appended({ from: 2, to: 1, term: 1 }, 3)).filter((message) => message.to === nodeOf(2)),
  ).toHaveLength(2);
});

test("flow control: a window full of lost requests is opened again by a sign of life", () => {
  const cluster = Cluster.of(3, { raft: { inflightMessagesMax: 2, appendBytesMax: 1 } });
  const leader = cluster.elect(1);
  cluster.isolate(2);
  leader.raft.propose(Array.from({ length: 10 }, (_, at) => bytesOf(`${at}`)));
  cluster.settle();
  cluster.heal();
  cluster.tick(3);
  expect(dataApplied(cluster.host(2))).toHaveLength(10);
});

test("backpressure: proposals above the limit of uncommitted bytes are refused until some are committed", () => {
  const cluster = Cluster.of(3, { raft: { uncommittedBytesMax: 1_000 } });
  const leader = cluster.elect(1);
  cluster.isolate(1);
  expect(leader.raft.propose([new Uint8Array(5_000)]).type, "one oversized proposal when nothing waits").toBe(
    "proposed",
  );
  expect(leader.raft.propose([bytesOf("a")])).toEqual({ type: "busy" });
  cluster.settle();
  cluster.heal();
  cluster.tick(2);
  expect(leader.raft.propose([bytesOf("a")]).type).toBe("proposed");
});

test("a broken link makes the leader probe again from what is certain", () => {
  const cluster = Cluster.of(3);
  const leader = cluster.elect(1);
  leader.raft.propose([bytesOf("a")]);
  answers(leader);
  leader.raft.reportUnreachable(nodeOf(2));
  expect(leader.raft.status().progress.get(nodeOf(2))).toMatchObject({ state: "probe", match: 1, next: 2 });
  expect(answers(leader, heartbeatAnswer({ from: 2, to: 1, term: 1 }))).toMatchObject([
    { to: nodeOf(2), type: "append-request", previousIndex: 1, entries: [{ index: 2 }] },
  ]);
});

test("messages that are not for this replica, or claim to come from it, are ignored", () => {
  const host = Cluster.of(3).host(1);
  expect(
    answers(host, vote({ from: 2, to: 3, term: 5 }, [9, 4]), heartbeat({ from: 1, to: 1, term: 9 })),
  ).toEqual([]);
  expect(host.raft.term).toBe(0);
});
