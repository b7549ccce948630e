/**
 * A voter whose disk lost its log keeps what it promised by its tombstone, and is filled again by the leader it had, without a
 * change of the configuration.
 */
import { expect, test } from "vitest";
import { EMPTY_CONFIGURATION } from "../../src/raft/configuration.ts";
import { Cluster, Disk, type Host, nodeOf } from "./cluster.ts";

/** The disk of `host` is empty from now on, but for what record headers say. */
function loseLog(host: Host): void {
  const { term, vote, lastIndex, lastTerm } = host.raft.status();
  host.tombstone = { term, vote, lastIndex, lastTerm };
  host.disk = new Disk(EMPTY_CONFIGURATION);
  host.restart();
}

function texts(host: Host): string[] {
  return host.applied.map(({ text }) => text);
}

test("a voter that lost its log is filled again while its leader goes on", () => {
  const cluster = Cluster.of(3);
  const leader = cluster.elect(1);
  cluster.propose("a", "b", "c");
  cluster.tick(1);
  leader.compact(3);
  const { term } = leader.raft;
  loseLog(cluster.host(3));
  expect(cluster.host(3).applied).toEqual([]);
  cluster.tick(3);
  expect(texts(cluster.host(3))).toEqual(texts(leader));
  cluster.isolate(2);
  cluster.propose("d");
  cluster.settle();
  expect(texts(leader).at(-1), "its acknowledgement counts again").toBe("d");
  expect(leader.raft.term).toBe(term);
  expect(cluster.raft(3).configuration).toEqual(leader.raft.configuration);
});

test("the progress of a member that lost its log begins anew, and a late complaint does no harm", () => {
  const cluster = Cluster.of(3);
  const leader = cluster.elect(1);
  cluster.propose("a", "b");
  cluster.tick(1);
  const { lastIndex, term, commit } = leader.raft;
  const complaint = {
    type: "append-response",
    from: nodeOf(3),
    to: nodeOf(1),
    term,
    session: 0,
    rejected: true,
    index: lastIndex,
    hintIndex: 0,
    hintTerm: 0,
  } as never;
  leader.raft.step(complaint);
  expect(leader.raft.status().progress.get(nodeOf(3))).toMatchObject({ match: 0, next: 1 });
  expect(leader.raft.commit).toBe(commit);
  cluster.settle();
  expect(leader.raft.status().progress.get(nodeOf(3))).toMatchObject({ match: lastIndex });
  expect(texts(cluster.host(3))).toEqual(texts(leader));
});

test("while its log is lost it votes for nobody who lacks what it had acknowledged", () => {
  const cluster = Cluster.of(3);
  cluster.elect(1);
  cluster.tick(1);
  for (const number of [1, 2]) cluster.host(number).compact(1);
  cluster.isolate(2);
  cluster.propose("only on 1 and 3");
  cluster.tick(1);
  loseLog(cluster.host(3));
  cluster.heal();
  cluster.isolate(1);
  cluster.tick(60);
  expect(cluster.raft(2).role).not.toBe("leader");
  expect(cluster.raft(3).role).toBe("follower");
  cluster.heal();
  cluster.tick(60);
  expect(texts(cluster.host(2))).toContain("only on 1 and 3");
  expect(texts(cluster.host(3))).toContain("only on 1 and 3");
});
