/**
 * Votes, as nodes tell them and as they keep them.
 */
import { expect, test } from "vitest";
import { logIndex, type NodeId, term } from "../../../src/base/ids.ts";
import type { RaftMessage } from "../../../src/raft/messages.ts";
import { OneVotePerTerm } from "../../../src/sim/checkers/one-vote-per-term.ts";
import { Findings, fakeGroup, fakeLife, node, persist, ready } from "./support.ts";

function grants(to: NodeId, inTerm: number, granted = true): RaftMessage {
  return { type: "vote-response", from: node(1), to, term: term(inTerm), granted };
}

function asks(to: NodeId, inTerm: number): RaftMessage {
  const log = { lastIndex: logIndex(1), lastTerm: term(1), transfer: false };
  return { type: "vote-request", from: node(1), to, term: term(inTerm), ...log };
}

class World {
  readonly findings = new Findings();
  readonly checker = new OneVotePerTerm(this.findings);

  says(life: number, ...messages: RaftMessage[]): void {
    this.checker.ready(fakeLife(1, life), fakeGroup().group, ready({ messages }));
  }
}

test("one vote, told again and again, is fine, and so is another one in another term", () => {
  const world = new World();
  world.says(1, grants(node(2), 3), grants(node(3), 3, false), grants(node(2), 3));
  world.says(1, asks(node(2), 4), asks(node(3), 4), grants(node(3), 5));
  expect(world.findings.all).toEqual([]);
});

test.each([
  ["two granted votes", grants(node(2), 3), grants(node(3), 3)],
  ["a granted vote and a candidacy", grants(node(2), 3), asks(node(3), 3)],
])("%s in one term are found, in one life or in two", (_, first, second) => {
  for (const life of [1, 2]) {
    const world = new World();
    world.says(1, first);
    world.checker.ended(fakeLife(1, 1));
    world.says(life, second);
    expect(world.findings.messages).toEqual(["a node votes once per term"]);
  }
});

test("a vote that changes in what one life persists is found; one that was lost unsaid is not", () => {
  const world = new World();
  const life = fakeLife(1);
  const { group } = fakeGroup();
  const keeps = (inLife: typeof life, vote: NodeId): void => {
    const hardState = { term: term(3), vote, commit: logIndex(1) };
    world.checker.ready(inLife, group, ready({ persist: persist({ hardState }) }));
  };
  keeps(life, node(2));
  keeps(life, node(2));
  world.checker.ended(life);
  const next = fakeLife(1, 2);
  keeps(next, node(3));
  expect(world.findings.all).toEqual([]);
  keeps(next, node(2));
  expect(world.findings.messages).toEqual(["a node votes once per term"]);
});
