/**
 * Leaders that hold what was committed, and leaders that lack some of it.
 */
import { expect, test } from "vitest";
import { logIndex, term } from "../../../src/base/ids.ts";
import { configurationOf } from "../../../src/raft/configuration.ts";
import type { Entry } from "../../../src/raft/entry.ts";
import { LeaderCompleteness } from "../../../src/sim/checkers/leader-completeness.ts";
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
  readonly checker = new LeaderCompleteness(this.findings);

  replica(number: number, state: Partial<FakeReplica> = {}) {
    const life = fakeLife(number);
    const replica = fakeGroup(state);
    this.checker.opened(life, replica.group);
    return {
      /** It persists `entries`, and knows by then that everything up to `commit` is committed. */
      persists: (entries: Entry[], commit: number, inTerm: number): void => {
        replica.commit = commit;
        replica.term = inTerm;
        this.checker.ready(life, replica.group, ready({ persist: persist({ entries }) }));
      },
      leads: (entries: Entry[], inTerm: number): void => {
        replica.term = inTerm;
        const leadership = { role: "leader", term: term(inTerm), leader: node(number) } as const;
        this.checker.ready(life, replica.group, ready({ persist: persist({ entries }), leadership }));
      },
      installs: (index: number, snapshotTerm: number): void => {
        replica.baseIndex = index;
        replica.commit = index;
        const snapshot = {
          index: logIndex(index),
          term: term(snapshotTerm),
          configuration: configurationOf([node(1)]),
        };
        this.checker.ready(life, replica.group, ready({ persist: persist({ snapshot }) }));
      },
    };
  }
}

test("a leader that holds what was committed is fine, whatever it lacks besides", () => {
  const world = new World();
  const one = world.replica(1);
  const other = world.replica(2);
  one.persists([noop(2, 2), data(3, 2, "a"), data(4, 2, "lost")], 3, 2);
  other.persists([noop(2, 2), data(3, 2, "a")], 2, 2);
  other.leads([noop(4, 3)], 3);
  expect(world.findings.all).toEqual([]);
});

test("a leader whose log ends too early is found", () => {
  const world = new World();
  world.replica(1).persists([noop(2, 2), data(3, 2, "a"), data(4, 2, "b")], 4, 2);
  const other = world.replica(2);
  other.persists([noop(2, 2)], 2, 2);
  other.leads([noop(3, 3)], 3);
  expect(world.findings.messages).toEqual(["a leader holds every entry that was committed before its term"]);
  expect(world.findings.all[0]?.details).toMatchObject({ index: 4, heldTerm: null, knownIn: "m1" });
});

test("a leader that holds another entry in the place of a committed one is found", () => {
  const world = new World();
  world.replica(1).persists([noop(2, 2), data(3, 2, "a")], 3, 2);
  const other = world.replica(2);
  other.persists([noop(2, 2), noop(3, 3)], 2, 3);
  other.leads([noop(4, 4)], 4);
  expect(world.findings.all[0]?.details).toMatchObject({ index: 3, committedTerm: 2, heldTerm: 3 });
});

test("what was committed in its own term or later, a leader of that term need not have held", () => {
  const world = new World();
  world.replica(1).persists([noop(2, 2), noop(3, 5)], 3, 5);
  const other = world.replica(2);
  other.persists([noop(2, 2)], 2, 2);
  other.leads([noop(3, 4)], 4);
  expect(world.findings.all).toEqual([]);
});

test("what a leader has in its snapshot is not asked for", () => {
  const world = new World();
  world.replica(1).persists([noop(2, 2), data(3, 2, "a"), data(4, 2, "b")], 4, 2);
  const other = world.replica(2, { baseIndex: 0, lastIndex: 0, lastTerm: 0, commit: 0 });
  other.installs(3, 2);
  other.persists([data(4, 2, "b")], 3, 2);
  other.leads([noop(5, 3)], 3);
  expect(world.findings.all).toEqual([]);
});

test("two replicas that know different entries to be committed are found", () => {
  const world = new World();
  world.replica(1).persists([noop(2, 2), data(3, 2, "a")], 3, 2);
  world.replica(2).persists([noop(2, 2), noop(3, 3)], 3, 3);
  expect(world.findings.messages).toEqual(["a committed entry is never replaced"]);
});

test("a replica that came back from its disk is judged by what it came back with", () => {
  const world = new World();
  world.replica(1).persists([noop(2, 2), data(3, 2, "a"), data(4, 2, "b")], 4, 2);
  world.replica(2, { lastIndex: 4, lastTerm: 2, term: 2 }).leads([noop(5, 3)], 3);
  expect(world.findings.all).toEqual([]);
  world.replica(3, { lastIndex: 3, lastTerm: 2, term: 2 }).leads([noop(4, 4)], 4);
  expect(world.findings.all[0]?.details).toMatchObject({ index: 4, committedTerm: 2, heldTerm: 4 });
});
