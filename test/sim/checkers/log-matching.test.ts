/**
 * Logs that match and logs that do not, as their replicas persist them.
 */
import { expect, test } from "vitest";
import { logIndex, term } from "../../../src/base/ids.ts";
import { configurationOf } from "../../../src/raft/configuration.ts";
import type { Entry } from "../../../src/raft/entry.ts";
import { LogMatching } from "../../../src/sim/checkers/log-matching.ts";
import type { Life } from "../../../src/sim/life.ts";
import {
  data,
  type FakeReplica,
  Findings,
  fakeGroup,
  fakeLife,
  membership,
  node,
  noop,
  persist,
  ready,
} from "./support.ts";

/** Replicas of one group that persist what a test says. */
class World {
  readonly findings = new Findings();
  readonly checker = new LogMatching(this.findings);

  replica(number: number, state: Partial<FakeReplica> = {}): (...entries: Entry[]) => void {
    const life: Life = fakeLife(number);
    const { group } = fakeGroup(state);
    this.checker.opened(life, group);
    return (...entries) => this.checker.ready(life, group, ready({ persist: persist({ entries }) }));
  }
}

test("equal logs match, also after one was overwritten", () => {
  const world = new World();
  const one = world.replica(1);
  const other = world.replica(2);
  one(noop(2, 2), data(3, 2, "a"), data(4, 2, "b"));
  other(noop(2, 2), data(3, 2, "a"));
  other(noop(4, 3), data(5, 3, "c"));
  one(noop(4, 3), data(5, 3, "c"), membership(6, 3, configurationOf([node(1)])));
  other(membership(6, 3, configurationOf([node(1)])));
  expect(world.findings.all).toEqual([]);
});

test("two entries of one index and term that say different things are found", () => {
  const world = new World();
  world.replica(1)(noop(2, 2), data(3, 2, "a"));
  world.replica(2)(noop(2, 2), data(3, 2, "A"));
  expect(world.findings.messages).toEqual(["entries of equal index and term are equal"]);
  expect(world.findings.all[0]?.lives).toEqual(["m2"]);
});

test("an entry behind another one than elsewhere is found", () => {
  const world = new World();
  world.replica(1)(noop(2, 2), data(3, 2, "a"), noop(4, 4));
  world.replica(2)(noop(2, 2), noop(3, 3), noop(4, 4));
  expect(world.findings.messages).toEqual(["what precedes entries of equal index and term is equal"]);
});

test("a gap is found, between requests and within one", () => {
  const world = new World();
  const one = world.replica(1);
  one(noop(2, 2));
  one(data(4, 2, "a"));
  one(data(5, 2, "b"), data(7, 2, "c"));
  expect(world.findings.messages).toEqual(["a log has no gap", "a log has no gap"]);
});

test("a term that falls is found", () => {
  const world = new World();
  const one = world.replica(1);
  one(noop(2, 5));
  one(noop(3, 4));
  expect(world.findings.messages).toEqual(["terms in a log never fall"]);
});

test("a log that goes on behind a snapshot, or comes back from a disk, is known by its end", () => {
  const world = new World();
  world.replica(1)(noop(2, 2), data(3, 2, "a"), data(4, 2, "b"));
  const life = fakeLife(2);
  const { group } = fakeGroup({ lastIndex: 0, lastTerm: 0, baseIndex: 0 });
  world.checker.opened(life, group);
  const snapshot = { index: logIndex(3), term: term(2), configuration: configurationOf([node(1)]) };
  world.checker.ready(life, group, ready({ persist: persist({ snapshot, entries: [data(4, 2, "b")] }) }));
  // It comes back from its disk with entries up to 4, and another leader overwrites the last two.
  const back = world.replica(3, { lastIndex: 4, lastTerm: 2 });
  back(noop(3, 3));
  expect(world.findings.all).toEqual([]);
  world.replica(4, { lastIndex: 4, lastTerm: 2 })(data(4, 2, "B"));
  expect(world.findings.messages).toEqual(["entries of equal index and term are equal"]);
});

test("groups of different clusters have nothing to do with each other", () => {
  const findings = new Findings();
  const checker = new LogMatching(findings);
  for (const [number, cluster] of [
    [1, "00000000000000aa"],
    [2, "00000000000000bb"],
  ] as const) {
    const life = fakeLife(number, 1, cluster);
    const { group } = fakeGroup();
    checker.opened(life, group);
    checker.ready(life, group, ready({ persist: persist({ entries: [data(2, 2, cluster)] }) }));
  }
  expect(findings.all).toEqual([]);
});
