/** §6 of the paper and §4 of the dissertation: changing the members of a group that works. */
import { describe, expect, test } from "vitest";
import { logIndex, type NodeId, term } from "../../src/base/ids.ts";
import type { MembershipChange, MembershipStep } from "../../src/raft/configuration-change.ts";
import { bytesOf, Cluster, dataApplied, nodeOf } from "./cluster.ts";
import { answers, append, appended, heartbeatAnswer } from "./messages.ts";

const add = (number: number): MembershipStep => ({ type: "add-voter", node: nodeOf(number) });
const learn = (number: number): MembershipStep => ({ type: "add-learner", node: nodeOf(number) });
const remove = (number: number): MembershipStep => ({ type: "remove", node: nodeOf(number) });
const simple = (...steps: MembershipStep[]): MembershipChange => ({ type: "simple", steps });
const joint = (...steps: MembershipStep[]): MembershipChange => ({ type: "joint", steps });
const voters = (...numbers: number[]): NodeId[] => numbers.map(nodeOf);

describe("§6 a configuration", () => {
  test("is used from the moment its entry is appended, committed or not", () => {
    const cluster = Cluster.of(3);
    const leader = cluster.elect(1);
    expect(leader.raft.proposeMembership(simple(add(4)))).toMatchObject({ type: "proposed", index: 2 });
    expect(leader.raft.configuration.voters).toEqual(voters(1, 2, 3, 4));
    expect(leader.raft.commit).toBe(1);
    expect(answers(leader).map((message) => message.to)).toContain(nodeOf(4));
  });

  test("falls back to the one before when its entry is overwritten", () => {
    const cluster = Cluster.of(3);
    const leader = cluster.elect(1);
    leader.raft.proposeMembership(simple(add(4)));
    answers(leader);
    leader.raft.step(append({ from: 2, to: 1, term: 2 }, [1, 1], [2]));
    let told: readonly NodeId[] | undefined;
    leader.process((ready) => {
      if (ready.configuration !== null) told = ready.configuration.voters;
    });
    expect(told).toEqual(voters(1, 2, 3));
    expect(leader.raft.configuration.voters).toEqual(voters(1, 2, 3));
  });

  test("needs majorities of both sets while it is joint, for commitment", () => {
    const cluster = Cluster.of(3);
    const leader = cluster.elect(1);
    leader.raft.proposeMembership(joint(add(4), add(5), remove(2), remove(3)));
    answers(leader);
    // The old majority alone (1, 2), then the new one as well (1, 4 of 1, 4, 5).
    answers(leader, appended({ from: 2, to: 1, term: 1 }, 2, 1));
    expect(leader.raft.commit).toBe(1);
    answers(leader, appended({ from: 4, to: 1, term: 1 }, 2, 3));
    expect(leader.raft.commit).toBe(2);
  });

  test("needs majorities of both sets while it is joint, for elections", () => {
    const cluster = Cluster.of(3);
    for (const number of [4, 5]) cluster.add(number);
    cluster.elect(1);
    cluster
      .raft(1)
      .proposeMembership({ type: "joint", autoLeave: false, steps: [add(4), add(5), remove(2), remove(3)] });
    cluster.settle();
    for (const number of [2, 3]) cluster.isolate(number);
    for (const host of cluster.hosts.values()) if (host.number !== 4) host.raft.forgetLeader();
    cluster.tick(40);
    expect(cluster.leaders, "1, 4 and 5 are all of the new set, but one of three of the old").toEqual([]);
    cluster.heal();
    cluster.tick(40);
    expect(cluster.leaders).toHaveLength(1);
  });

  test("is left automatically, also by a leader that inherits it", () => {
    const cluster = Cluster.of(3);
    cluster.add(4);
    const leader = cluster.elect(1);
    leader.raft.proposeMembership(joint(add(4), remove(3)));
    // The joint entry reaches everybody, its commitment nobody.
    cluster.settle(
      (message) =>
        message.type === "append-response" ||
        (message.type === "append-request" && message.previousIndex > 1),
    );
    cluster.network = [];
    cluster.isolate(1);
    for (const number of [2, 3, 4]) cluster.raft(number).forgetLeader();
    cluster.raft(2).campaign();
    cluster.settle();
    cluster.tick(2);
    expect(cluster.raft(2).configuration).toMatchObject({ votersOutgoing: [] });
  });

  test("that was removed goes on being served until it knows, so that it does not campaign", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.raft(1).proposeMembership(simple(remove(3)));
    cluster.settle();
    const removed = cluster.raft(3);
    expect(removed.configuration.voters).toEqual(voters(1, 2));
    expect(removed.commit).toBe(2);
    for (let tick = 0; tick < 100; tick++) removed.tick();
    expect(removed.role).toBe("follower");
    cluster.propose("a");
    expect(dataApplied(cluster.host(3)), "and is forgotten then").toEqual([]);
  });

  // Found by simulation: what was sent to such a member brought its destroyed replica into being, once a second, for ever.
  test.each([
    ["could be told by a snapshot only", true],
    ["has lost what it acknowledged", false],
  ])("lets a removed member go that %s", (_why, compacted) => {
    const cluster = Cluster.of(3);
    const leader = cluster.elect(1);
    cluster.propose("a");
    cluster.isolate(3);
    cluster.propose("b");
    leader.raft.proposeMembership(simple(remove(3)));
    cluster.settle();
    if (compacted) leader.compact(leader.raft.applied);
    const rejected = leader.raft.status().progress.get(nodeOf(3)) === undefined;
    expect(rejected, "it is no member any more").toBe(true);
    for (const index of [leader.raft.lastIndex, 2]) {
      answers(leader, { ...appended({ from: 3, to: 1, term: 1 }, index, 2), rejected: true });
    }
    leader.raft.tick();
    leader.raft.tick();
    leader.raft.propose([bytesOf("c")]);
    expect(answers(leader).filter(({ to }) => to === nodeOf(3))).toEqual([]);
  });

  // Found by simulation: an idle leader went on with heartbeats, and a destroyed replica came back with each.
  test("lets a removed member go as soon as it knows, also when nothing happens any more", () => {
    const cluster = Cluster.of(3);
    const leader = cluster.elect(1);
    cluster.settle();
    leader.raft.proposeMembership(simple(remove(3)));
    answers(leader);
    const told = answers(leader, appended({ from: 2, to: 1, term: 1 }, 2, 1));
    expect(told, "the commit goes to both").toHaveLength(2);
    answers(leader, appended({ from: 3, to: 1, term: 1 }, 2, 2));
    leader.raft.tick();
    leader.raft.tick();
    expect(answers(leader).map(({ to }) => to)).not.toContain(nodeOf(3));
  });

  test("forgets a removed member that does not answer for an election timeout", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.isolate(3);
    cluster.raft(1).proposeMembership(simple(remove(3)));
    cluster.settle();
    cluster.tick(30);
    for (const envelope of cluster.network) expect(envelope.message.to).not.toBe(nodeOf(3));
    cluster.raft(1).tick();
    expect(
      cluster
        .host(1)
        .process()
        .map((envelope) => envelope.message.to),
    ).toEqual([nodeOf(2)]);
  });
});

describe("a change is refused", () => {
  test("while an earlier one is not committed", () => {
    const leader = Cluster.of(3).elect(1);
    leader.raft.proposeMembership(simple(add(4)));
    expect(leader.raft.proposeMembership(simple(add(5)))).toMatchObject({
      type: "refused",
      reason: expect.stringContaining("earlier change"),
    });
  });

  test("by a leader that has committed nothing in its term: two leaders could change the same configuration", () => {
    const cluster = Cluster.of(3);
    const host = cluster.host(1);
    host.raft.campaign();
    cluster.settle((message) => message.type === "append-request");
    expect(host.raft.role).toBe("leader");
    expect(host.raft.proposeMembership(simple(add(4)))).toMatchObject({
      type: "refused",
      reason: expect.stringContaining("of its term"),
    });
  });

  test("while leadership is handed over, or when this replica does not lead", () => {
    const cluster = Cluster.of(3);
    const leader = cluster.elect(1);
    expect(cluster.raft(2).proposeMembership(simple(add(4)))).toEqual({
      type: "not-leader",
      leader: nodeOf(1),
    });
    cluster.isolate(2);
    leader.raft.transferLeader(nodeOf(2));
    expect(leader.raft.proposeMembership(simple(add(4)))).toMatchObject({ type: "refused" });
  });

  test("when it leaves no voters", () => {
    const cluster = Cluster.of(1);
    cluster.elect(1);
    cluster.settle();
    expect(cluster.raft(1).proposeMembership(simple(remove(1)))).toMatchObject({ type: "refused" });
    expect(cluster.raft(1).proposeMembership(simple(learn(1)))).toMatchObject({ type: "refused" });
  });
});

describe("a removed leader", () => {
  test("replicates without counting itself, and steps down once the change is committed", () => {
    const cluster = Cluster.of(2);
    const leader = cluster.elect(1);
    leader.raft.proposeMembership(simple(remove(1)));
    answers(leader);
    expect(leader.raft.commit, "node 2 alone decides, and has not").toBe(1);
    expect(leader.raft.propose([bytesOf("a")]).type, "it still serves").toBe("proposed");
    const last = answers(leader, appended({ from: 2, to: 1, term: 1 }, 3));
    expect(leader.raft.role).toBe("follower");
    expect(last, "the commit is told first").toMatchObject([{ type: "append-request", commit: 3 }]);
  });

  test("steps down when it becomes a learner, too", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.raft(1).proposeMembership(simple(learn(1)));
    cluster.settle();
    expect(cluster.raft(1).role).toBe("follower");
    cluster.tick(40);
    expect(cluster.leaders).toHaveLength(1);
    cluster.propose("a");
    expect(dataApplied(cluster.host(1))).toEqual(["a"]);
  });
});

test("a learner receives the log and counts in no quorum", () => {
  const cluster = Cluster.of(3);
  cluster.add(4);
  cluster.elect(1);
  cluster.raft(1).proposeMembership(simple(learn(4)));
  cluster.settle();
  cluster.propose("a");
  expect(dataApplied(cluster.host(4))).toEqual(["a"]);
  expect(cluster.raft(1).status().progress.get(nodeOf(4))).toMatchObject({ learner: true, match: 3 });
  for (const number of [2, 3]) cluster.isolate(number);
  cluster.raft(1).propose([bytesOf("b")]);
  cluster.settle();
  expect(cluster.raft(1).commit).toBe(3);
});

test("what the former life of a re-added node acknowledged does not count for its empty log", () => {
  const cluster = Cluster.of(3);
  const leader = cluster.elect(1);
  leader.raft.proposeMembership(simple(remove(3)));
  cluster.settle();
  leader.raft.proposeMembership(simple(add(3)));
  answers(leader);
  // Sessions 1 and 2 were nodes 2 and 3; node 3 is session 3 now.
  answers(leader, appended({ from: 3, to: 1, term: 1 }, 3, 2));
  expect(leader.raft.status().progress.get(nodeOf(3))).toMatchObject({ match: 0 });
  answers(leader, appended({ from: 3, to: 1, term: 1 }, 3, 3));
  expect(leader.raft.status().progress.get(nodeOf(3))).toMatchObject({ match: 3 });
});

test("a member added again before it knew of its removal starts from nothing, too", () => {
  const cluster = Cluster.of(3);
  const leader = cluster.elect(1);
  cluster.isolate(3);
  leader.raft.proposeMembership(simple(remove(3)));
  cluster.settle();
  leader.raft.proposeMembership(simple(add(3)));
  cluster.settle();
  expect(leader.raft.status().progress.get(nodeOf(3))).toMatchObject({ match: 0 });
});

test("what is said by those who are no members is ignored by a leader", () => {
  const leader = Cluster.of(3).elect(1);
  expect(
    answers(
      leader,
      appended({ from: 7, to: 1, term: 1 }, 1),
      heartbeatAnswer({ from: 7, to: 1, term: 1 }, 1),
    ),
  ).toEqual([]);
});

describe("a replica with a former life", () => {
  const tombstone = { term: term(4), vote: nodeOf(2), lastIndex: logIndex(9), lastTerm: term(3) };

  test("keeps the vote it gave in the last term of that life, durably", () => {
    const cluster = new Cluster();
    const host = cluster.add(1, undefined, tombstone);
    expect(host.raft.status()).toMatchObject({ term: 4, vote: nodeOf(2) });
    host.process();
    expect(host.disk.hardState).toMatchObject({ term: 4, vote: nodeOf(2) });
  });

  test("campaigns and votes like any other once its log holds what it owes, also after a restart", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.propose("a", "b");
    cluster.tick(1);
    const host = cluster.host(2);
    host.tombstone = { term: term(1), vote: nodeOf(1), lastIndex: logIndex(2), lastTerm: term(1) };
    host.restart();
    cluster.isolate(1);
    cluster.raft(3).forgetLeader();
    host.raft.campaign();
    cluster.settle();
    expect(cluster.raft(2).role).toBe("leader");

    host.tombstone = { ...host.tombstone, lastIndex: logIndex(99), lastTerm: term(9) };
    host.restart();
    host.raft.campaign();
    expect(host.raft.role, "not before").toBe("follower");
  });
});
