/**
 * What machines are given: the same entries, in order, when they may be.
 */
import { expect, test } from "vitest";
import { logIndex, term } from "../../../src/base/ids.ts";
import { configurationOf } from "../../../src/raft/configuration.ts";
import type { Entry } from "../../../src/raft/entry.ts";
import { StateMachineSafety } from "../../../src/sim/checkers/state-machine-safety.ts";
import {
  data,
  type FakeReplica,
  Findings,
  fakeGroup,
  fakeLife,
  node,
  noop,
  persist,
  ready,
} from "./support.ts";

class World {
  readonly findings = new Findings();
  readonly checker = new StateMachineSafety(this.findings);

  replica(number: number, state: Partial<FakeReplica> = {}) {
    const life = fakeLife(number);
    const replica = fakeGroup({ commit: 100, stable: 100, ...state });
    this.checker.opened(life, replica.group);
    return {
      applies: (...entries: Entry[]): void => {
        for (const entry of entries) this.checker.applied(life, replica.group, entry);
      },
      isHanded: (...committed: Entry[]): void =>
        this.checker.ready(life, replica.group, ready({ committed })),
      installs: (index: number, inTerm: number): void => {
        const snapshot = {
          index: logIndex(index),
          term: term(inTerm),
          configuration: configurationOf([node(1)]),
        };
        this.checker.ready(life, replica.group, ready({ persist: persist({ snapshot }) }));
        replica.applied = index;
        this.checker.installed(life, replica.group);
      },
    };
  }
}

test("the same entries in the same order are fine, with a snapshot in between", () => {
  const world = new World();
  world.replica(1).applies(noop(2, 2), data(3, 2, "a"), data(4, 2, "b"));
  const other = world.replica(2);
  other.applies(noop(2, 2));
  other.installs(3, 2);
  other.applies(data(4, 2, "b"), data(5, 2, "c"));
  expect(world.findings.all).toEqual([]);
});

test("another entry at an index is found, by its term and by its bytes", () => {
  const world = new World();
  world.replica(1).applies(noop(2, 2), data(3, 2, "a"));
  world.replica(2).applies(noop(2, 3));
  world.replica(3).applies(noop(2, 2), data(3, 2, "A"));
  const message = "all replicas apply the same entry at an index";
  expect(world.findings.messages).toEqual([message, message]);
});

test("a gap and a repetition are found", () => {
  const world = new World();
  world.replica(1).applies(noop(2, 2), data(4, 2, "b"), data(4, 2, "b"));
  expect(world.findings.messages).toEqual([
    "entries are applied in order, without gaps, each once",
    "entries are applied in order, without gaps, each once",
  ]);
});

test("an entry that is not committed is found", () => {
  const world = new World();
  world.replica(1, { commit: 2 }).applies(noop(2, 2), data(3, 2, "a"));
  expect(world.findings.messages).toEqual(["only what is committed is applied"]);
});

test("an entry that the store has not confirmed is found when it is handed out", () => {
  const world = new World();
  const one = world.replica(1, { commit: 5, stable: 3 });
  one.isHanded(noop(2, 2), data(3, 2, "a"));
  expect(world.findings.all).toEqual([]);
  for (let round = 0; round < 4; round++) one.isHanded(data(4, 2, "b"));
  expect(world.findings.messages).toEqual([
    "only what is committed, and durable here, is handed to the machine",
  ]);
});

test("a snapshot that goes back, or stands at an entry nobody applied, is found", () => {
  const world = new World();
  world.replica(1).applies(noop(2, 2), data(3, 2, "a"), data(4, 2, "b"));
  const other = world.replica(2);
  other.installs(3, 3);
  other.installs(2, 2);
  expect(world.findings.messages).toEqual([
    "a snapshot stands at an entry that was applied",
    "a snapshot never takes a machine back",
  ]);
});
