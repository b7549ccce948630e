/**
 * Elections that elect nobody: how soon the next one begins, and that none is disturbed or cut short for ever by it.
 */
import { describe, expect, test } from "vitest";
import type { RaftMessage } from "../../src/raft/messages.ts";
import { Cluster, type Host } from "./cluster.ts";
import { answers, heartbeat, preVote, preVoted, vote, voted } from "./messages.ts";

const ELECTION_TIMEOUT_TICKS = 10;

/** Ticks until `host` begins another election: its pre-vote requests leave. */
function ticksUntilElection(host: Host): number {
  answers(host);
  for (let ticks = 1; ticks <= 100; ticks++) {
    host.raft.tick();
    if (answers(host).some(({ type }) => type === "pre-vote-request")) return ticks;
  }
  throw new Error("no election began");
}

/** Node 1 of three, whose leader fell silent, as a candidate whose rival has the other vote. */
function tied(seed: number): Host {
  const host = Cluster.of(3, { seed }).host(1);
  answers(host, heartbeat({ from: 3, to: 1, term: 1 }));
  ticksUntilElection(host);
  tieAgain(host);
  return host;
}

function tiedThrice(seed: number): Host {
  const host = tied(seed);
  for (let again = 2; again <= 3; again++) {
    ticksUntilElection(host);
    tieAgain(host);
  }
  return host;
}

/** The pre-vote under way succeeds, and in the election the rival votes for itself. */
function tieAgain(host: Host): void {
  const { term } = host.raft;
  answers(host, preVoted({ from: 2, to: 1, term: term + 1 }));
  expect(host.raft.role).toBe("candidate");
  answers(host, voted({ from: 2, to: 1, term: term + 1 }, false));
}

function waits(begin: (seed: number) => Host): Set<number> {
  const drawn = new Set<number>();
  for (let seed = 1; seed <= 200; seed++) drawn.add(ticksUntilElection(begin(seed)));
  return drawn;
}

function range(from: number, to: number): Set<number> {
  return new Set(Array.from({ length: to - from }, (_, at) => from + at));
}

const sorted = (drawn: Set<number>): number[] => [...drawn].sort((one, other) => one - other);

describe("an election that elects nobody", () => {
  test("is followed by another one within an election timeout, but not before half of it is over", () => {
    expect(sorted(waits(tied))).toEqual(sorted(range(5, ELECTION_TIMEOUT_TICKS)));
  });

  test("is followed as soon when it was lost to a majority of refusals", () => {
    const drawn = waits((seed) => {
      const host = tied(seed);
      answers(host, voted({ from: 3, to: 1, term: host.raft.term }, false));
      expect(host.raft.role).toBe("follower");
      return host;
    });
    expect(sorted(drawn)).toEqual(sorted(range(5, ELECTION_TIMEOUT_TICKS)));
  });

  test("the third time is followed after a whole election timeout, so that slow votes arrive in the end", () => {
    expect(sorted(waits(tiedThrice))).toEqual(
      sorted(range(ELECTION_TIMEOUT_TICKS, 2 * ELECTION_TIMEOUT_TICKS)),
    );
  });

  test.each([
    ["a leader was heard", (host: Host) => heartbeat({ from: 2, to: 1, term: host.raft.term })],
    [
      "another candidate has the vote",
      (host: Host) => vote({ from: 2, to: 1, term: host.raft.term + 1 }, [9, 9]),
    ],
  ])(
    "is forgotten once %s: that is waited for in full, and the next tie is again a first one",
    (_what, said) => {
      const drawn = waits((seed) => {
        const host = tiedThrice(seed);
        answers(host, said(host));
        expect(ticksUntilElection(host)).toBeGreaterThanOrEqual(ELECTION_TIMEOUT_TICKS);
        tieAgain(host);
        return host;
      });
      expect(sorted(drawn)).toEqual(sorted(range(5, ELECTION_TIMEOUT_TICKS)));
    },
  );
});

test("two candidates that tie mostly have a leader within an election timeout", () => {
  let late = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const cluster = Cluster.of(3, { seed });
    cluster.elect(3);
    cluster.isolate(3);
    for (const number of [1, 2]) cluster.raft(number).forgetLeader();
    for (const number of [1, 2]) cluster.raft(number).campaign();
    cluster.settle();
    expect(cluster.leaders).toEqual([3]);
    for (const number of [1, 2]) expect(cluster.raft(number).term).toBe(2);
    let ticks = 0;
    while (!cluster.leaders.some((number) => number !== 3)) {
      for (const number of [1, 2]) cluster.raft(number).tick();
      cluster.settle();
      ticks++;
    }
    if (ticks > ELECTION_TIMEOUT_TICKS) late++;
  }
  // Both ticks are in step here, the worst case: one draw of five is the same.
  expect(late).toBeLessThan(60);
});

test("a candidate that tried again sooner does not depose the leader that was elected meanwhile", () => {
  const cluster = Cluster.of(3);
  cluster.elect(3);
  cluster.isolate(1);
  cluster.tick(4 * ELECTION_TIMEOUT_TICKS);
  expect(cluster.raft(1).role).toBe("pre-candidate");
  const { term } = cluster.raft(3);
  cluster.heal();
  // Its requests arrive, nothing else does yet.
  const isRequest = ({ type }: RaftMessage): boolean => type === "pre-vote-request";
  for (let tick = 0; tick < 2 * ELECTION_TIMEOUT_TICKS; tick++) {
    for (const host of cluster.hosts.values()) host.raft.tick();
    cluster.settle((message) => (message.from === cluster.host(1).node ? !isRequest(message) : false));
  }
  expect(cluster.leaders).toEqual([3]);
  expect(cluster.raft(3).term).toBe(term);
});

test("a voter that granted a lease keeps it, however often others ask", () => {
  const host = Cluster.of(3, { raft: { leaseReads: true } }).host(1);
  answers(host, heartbeat({ from: 3, to: 1, term: 1 }));
  for (let tick = 1; tick < ELECTION_TIMEOUT_TICKS; tick++) {
    host.raft.tick();
    expect(answers(host, preVote({ from: 2, to: 1, term: 1 }, [9, 9]))).toEqual([]);
    expect(answers(host, vote({ from: 2, to: 1, term: 2 + tick }, [9, 9]))).toEqual([]);
    expect(host.raft.term).toBe(1);
  }
});
