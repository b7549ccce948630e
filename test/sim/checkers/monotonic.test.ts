/**
 * Numbers that may only rise, within a life and across the lives of a node.
 */
import { expect, test } from "vitest";
import { logIndex, term } from "../../../src/base/ids.ts";
import type { AppendResponse, VoteRequest, VoteResponse } from "../../../src/raft/messages.ts";
import { Monotonic } from "../../../src/sim/checkers/monotonic.ts";
import { type FakeReplica, Findings, fakeGroup, fakeLife, node, ready } from "./support.ts";

const ENVELOPE = { from: node(1), to: node(2) };

function granted(inTerm: number): VoteResponse {
  return { type: "vote-response", ...ENVELOPE, term: term(inTerm), granted: true };
}

function asks(inTerm: number): VoteRequest {
  const log = { lastIndex: logIndex(1), lastTerm: term(1), transfer: false };
  return { type: "vote-request", ...ENVELOPE, term: term(inTerm), ...log };
}

function acknowledges(inTerm: number, index: number, rejected = false): AppendResponse {
  const hint = { hintIndex: logIndex(0), hintTerm: term(0) };
  return {
    type: "append-response",
    ...ENVELOPE,
    term: term(inTerm),
    session: 1,
    rejected,
    index: logIndex(index),
    ...hint,
  };
}

class World {
  readonly findings = new Findings();
  readonly checker = new Monotonic(this.findings);

  begin(number: number, life: number, state: Partial<FakeReplica> = {}) {
    const fake = fakeLife(number, life);
    const replica = fakeGroup(state);
    this.checker.opened(fake, replica.group);
    return {
      replica,
      becomes: (change: Partial<FakeReplica>): void => {
        Object.assign(replica, change);
        for (let event = 0; event < 8; event++) this.checker.after(fake);
      },
      says: (...messages: Parameters<typeof ready>[0]["messages"] & object): void => {
        this.checker.ready(fake, replica.group, ready({ messages }));
      },
      ends: (): void => this.checker.ended(fake),
      isRemoved: (inTerm: number): void => {
        const tombstone = { term: term(inTerm), vote: null, lastIndex: logIndex(1), lastTerm: term(1) };
        this.checker.removed(fake, replica.group, tombstone);
      },
    };
  }
}

test("what only rises is fine", () => {
  const world = new World();
  const one = world.begin(1, 1);
  one.becomes({ term: 2 });
  one.becomes({ commit: 5, applied: 3 });
  one.becomes({ applied: 5, term: 4 });
  expect(world.findings.all).toEqual([]);
});

test.each([
  ["term", { term: 2 }],
  ["commit index", { commit: 4 }],
  ["applied index", { applied: 2 }],
] as const)("a %s that goes back is found", (_, back) => {
  const world = new World();
  const one = world.begin(1, 1);
  one.becomes({ term: 3, commit: 5, applied: 3 });
  one.becomes(back);
  expect(world.findings.messages).toEqual(["term, commit index and applied index never go back"]);
});

test("a number that goes back is found with the next thing the replica hands out", () => {
  const world = new World();
  const one = world.begin(1, 1);
  one.becomes({ term: 3 });
  one.replica.term = 2;
  one.says();
  expect(world.findings.messages).toEqual(["term, commit index and applied index never go back"]);
});

test("a node may come back without what it never promised", () => {
  const world = new World();
  const one = world.begin(1, 1);
  one.says(granted(3), acknowledges(3, 7), acknowledges(3, 9, true));
  one.becomes({ term: 5, commit: 9, applied: 9 });
  one.ends();
  world.begin(1, 2, { term: 3, commit: 4, applied: 2, lastIndex: 7 });
  expect(world.findings.all).toEqual([]);
});

test.each([
  ["granted vote", granted(3)],
  ["request for votes", asks(3)],
  ["acknowledgement", acknowledges(3, 1)],
])("a node that comes back below the term of a %s is found", (_, promise) => {
  const world = new World();
  const one = world.begin(1, 1);
  one.says(promise);
  one.ends();
  world.begin(1, 2, { term: 2 });
  expect(world.findings.messages).toEqual(["a node never comes back below a term that it promised"]);
});

test("a node that comes back without an entry it acknowledged is found, unless a later term came between", () => {
  const world = new World();
  const one = world.begin(1, 1);
  one.says(acknowledges(3, 7), acknowledges(3, 5));
  one.ends();
  world.begin(1, 2, { term: 4, lastIndex: 5 }).ends();
  expect(world.findings.all).toEqual([]);
  world.begin(1, 3, { term: 3, lastIndex: 6 });
  expect(world.findings.messages).toEqual(["a node never comes back without what it acknowledged"]);
});

test("a removed replica owes its term, not its log", () => {
  const world = new World();
  const one = world.begin(1, 1);
  one.says(acknowledges(3, 7));
  one.becomes({ term: 4 });
  one.isRemoved(3);
  expect(world.findings.messages).toEqual(["a tombstone keeps the term"]);
  world.begin(1, 2, { term: 3, commit: 0, applied: 0, lastIndex: 0 });
  expect(world.findings.all).toHaveLength(1);
  world.begin(1, 3, { term: 2, lastIndex: 0 });
  expect(world.findings.messages[1]).toBe("a node never comes back below a term that it promised");
});

test("within one life a replica that returns is bound by its tombstone", () => {
  const world = new World();
  const life = fakeLife(1);
  const tombstone = { term: term(4), vote: null, lastIndex: logIndex(1), lastTerm: term(1) };
  const { group } = fakeGroup({ term: 4 });
  world.checker.opened(life, group);
  world.checker.removed(life, group, tombstone);
  world.checker.opened(life, group);
  world.checker.removed(life, group, tombstone);
  expect(world.findings.all).toEqual([]);
  world.checker.opened(life, fakeGroup({ term: 3 }).group);
  expect(world.findings.messages).toEqual(["a node never comes back below a term that it promised"]);
});
