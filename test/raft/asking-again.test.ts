/**
 * Requests for votes that are lost, or find no link, are sent again while the campaign lasts. @see Raft §5.5
 */
import { expect, test } from "vitest";
import type { RaftMessage } from "../../src/raft/messages.ts";
import { Cluster, type Host, nodeOf } from "./cluster.ts";
import { answers, heartbeat, preVoted, voted } from "./messages.ts";

type Request = Extract<RaftMessage, { type: "pre-vote-request" | "vote-request" }>;

const isRequest = (message: RaftMessage): message is Request => message.type.endsWith("vote-request");

function follower(): Host {
  const host = Cluster.of(5).host(1);
  answers(host, heartbeat({ from: 5, to: 1, term: 1 }));
  return host;
}

/** Ticks until somebody is asked; answers with what is said to whom. */
function nextRequests(host: Host): readonly Request[] {
  for (let ticks = 1; ticks <= 30; ticks++) {
    host.raft.tick();
    const asked = answers(host).filter(isRequest);
    if (asked.length > 0) return asked;
  }
  throw new Error("nobody was asked");
}

test("a campaign asks those again who did not answer, in the same words, and nobody else", () => {
  const host = follower();
  const preVotes = nextRequests(host);
  expect(preVotes.map(({ type }) => type)).toEqual(Array.from({ length: 4 }, () => "pre-vote-request"));
  answers(host, preVoted({ from: 2, to: 1, term: host.raft.term + 1 }));
  expect(nextRequests(host)).toEqual(preVotes.filter(({ to }) => to !== nodeOf(2)));

  const votes = answers(host, preVoted({ from: 3, to: 1, term: host.raft.term + 1 })).filter(isRequest);
  expect(votes.map(({ type }) => type)).toEqual(Array.from({ length: 4 }, () => "vote-request"));
  answers(host, voted({ from: 4, to: 1, term: host.raft.term }, false));
  expect(nextRequests(host)).toEqual(votes.filter(({ to }) => to !== nodeOf(4)));
});

test("a campaign that the leader asked for says so every time", () => {
  const host = follower();
  const [from, to] = [nodeOf(5), nodeOf(1)];
  const votes = answers(host, { type: "timeout-now", from, to, term: host.raft.term });
  expect(votes).toHaveLength(4);
  expect(nextRequests(host)).toEqual(votes);
  for (const request of votes) expect(request).toMatchObject({ type: "vote-request", transfer: true });
});

test("nobody is asked again before the first request has left: the vote for oneself is not durable yet", () => {
  const host = Cluster.of(3).host(1);
  answers(host, heartbeat({ from: 3, to: 1, term: 1 }));
  nextRequests(host);
  host.persistsAtOnce = false;
  expect(answers(host, preVoted({ from: 2, to: 1, term: host.raft.term + 1 })).filter(isRequest)).toEqual([]);
  expect(host.raft.role).toBe("candidate");
  for (let ticks = 0; ticks < 4; ticks++) {
    host.raft.tick();
    expect(answers(host).filter(isRequest)).toEqual([]);
  }
});

test("an election is won within a tick or two though the first requests were lost", () => {
  const cluster = Cluster.of(3);
  cluster.elect(3);
  cluster.isolate(3);
  cluster.isolate(1);
  for (const number of [1, 2]) cluster.raft(number).forgetLeader();
  cluster.raft(1).campaign();
  cluster.settle();
  cluster.heal();
  cluster.isolate(3);
  for (let ticks = 0; ticks < 2; ticks++) {
    cluster.raft(1).tick();
    cluster.settle();
  }
  expect(cluster.raft(1).role).toBe("leader");
});
