/**
 * Chains of configurations that can be followed safely, and those that cannot.
 */
import { expect, test } from "vitest";
import { logIndex, term } from "../../../src/base/ids.ts";
import { type Configuration, configurationOf } from "../../../src/raft/configuration.ts";
import type { Entry } from "../../../src/raft/entry.ts";
import { JointConfigurationSafety } from "../../../src/sim/checkers/joint-configuration-safety.ts";
import {
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

const ABC = configurationOf([node(1), node(2), node(3)]);
const DEF = configurationOf([node(4), node(5), node(6)]);
const JOINT: Configuration = { ...DEF, votersOutgoing: ABC.voters };

class World {
  readonly findings = new Findings();
  readonly checker = new JointConfigurationSafety(this.findings);
  readonly life = fakeLife(1);
  readonly replica = fakeGroup({ configuration: ABC });

  constructor(state: Partial<FakeReplica> = {}) {
    Object.assign(this.replica, state);
    this.checker.opened(this.life, this.replica.group);
  }

  persists(entries: Entry[], obeyed: Configuration | null = null): void {
    this.checker.ready(
      this.life,
      this.replica.group,
      ready({ persist: persist({ entries }), configuration: obeyed }),
    );
  }
}

test("a change in two joint steps is fine, and so is one that was overwritten", () => {
  const world = new World();
  world.persists([membership(2, 2, JOINT)], JOINT);
  world.persists([noop(2, 3), membership(3, 3, JOINT), membership(4, 3, DEF)], DEF);
  expect(world.findings.all).toEqual([]);
});

test("configurations whose majorities can miss each other are found", () => {
  const world = new World();
  world.persists([membership(2, 2, DEF)], DEF);
  expect(world.findings.messages).toEqual(["majorities of consecutive configurations meet"]);
});

test("what was truncated does not count as the one before", () => {
  const world = new World();
  world.persists([noop(2, 2), membership(3, 2, JOINT)]);
  world.persists([membership(3, 3, DEF)]);
  expect(world.findings.messages).toEqual(["majorities of consecutive configurations meet"]);
});

test("a configuration without voters is found, in an entry and in a snapshot", () => {
  const world = new World();
  world.persists([membership(2, 2, { learners: [node(1)] })]);
  const snapshot = { index: logIndex(9), term: term(2), configuration: configurationOf([]) };
  world.checker.ready(world.life, world.replica.group, ready({ persist: persist({ snapshot }) }));
  expect(world.findings.messages).toEqual(["a configuration has voters", "a configuration has voters"]);
});

test("an empty replica may begin with anything that has voters", () => {
  const world = new World({ configuration: configurationOf([]), configurationIndex: 0 });
  const snapshot = { index: logIndex(9), term: term(2), configuration: DEF };
  world.checker.ready(
    world.life,
    world.replica.group,
    ready({ persist: persist({ snapshot }), configuration: DEF }),
  );
  expect(world.findings.all).toEqual([]);
});

test("a replica that obeys another configuration than its log says is found", () => {
  const world = new World();
  world.persists([membership(2, 2, JOINT)], ABC);
  expect(world.findings.messages).toEqual(["a replica obeys the latest configuration in its log"]);
});

test.each([
  [
    "the last change",
    { commit: 3 },
    [noop(2, 2), noop(3, 4), membership(4, 4, JOINT), membership(5, 4, DEF)],
  ],
  ["an entry of its term", { commit: 3 }, [noop(2, 2), noop(3, 2), noop(4, 4), membership(5, 4, JOINT)]],
] as const)(
  "a leader that changes the configuration before %s is committed is found",
  (_, state, entries) => {
    const world = new World({ role: "leader", term: 4, ...state });
    world.persists([...entries]);
    expect(world.findings.messages).toEqual([
      "a leader changes the configuration only when the last change and an entry of its term are committed",
    ]);
    const other = new World({ role: "leader", term: 4, commit: 4 });
    other.persists([...entries]);
    expect(other.findings.all).toEqual([]);
  },
);
