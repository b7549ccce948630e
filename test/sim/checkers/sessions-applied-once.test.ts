/**
 * Machines that keep the books as the entries say, and machines that do not.
 */
import { expect, test } from "vitest";
import { ShardMachine } from "../../../src/node/shard-machine.ts";
import type { DataEntry } from "../../../src/raft/entry.ts";
import { SessionsAppliedOnce } from "../../../src/sim/checkers/sessions-applied-once.ts";
import { batch, inSession, machineWith, open, removeExpired } from "./batches.ts";
import { Findings, fakeGroup, fakeLife } from "./support.ts";

const HISTORY: readonly DataEntry[] = [
  batch(2, 10, open()),
  batch(3, 20, inSession(1, 1), inSession(2, 1), inSession(1, 1)),
  batch(4, 30, inSession(2, 2), inSession(1, 1), inSession(3, 2), removeExpired("k", 5)),
  batch(5, 40, inSession(70_000, 2), { ...inSession(1, 1), session: 99 }, open()),
  batch(6, 50, { ...inSession(1, 1), session: 5 }, { ...inSession(1, 1), session: 5 }),
];

/** `applied` is what its machine is given, `told` what the checker hears. */
function replica(checker: SessionsAppliedOnce, number: number, machine = new ShardMachine()) {
  const life = fakeLife(number);
  const fake = fakeGroup({ machine });
  checker.opened(life, fake.group);
  return {
    apply: (applied: DataEntry, told = applied): void => {
      (fake.machine as ShardMachine).apply(applied.index, applied.data);
      checker.applied(life, fake.group, told);
    },
    install: (restored: ShardMachine): void => {
      fake.machine = restored;
      checker.installed(life, fake.group);
    },
  };
}

test("machines that apply, repeat and refuse as they should are fine, also after a snapshot", () => {
  const findings = new Findings();
  const checker = new SessionsAppliedOnce(findings);
  const one = replica(checker, 1);
  for (const entry of HISTORY) one.apply(entry);
  const other = replica(checker, 2);
  other.apply(HISTORY[0] as DataEntry);
  other.install(machineWith(...HISTORY.slice(0, 3)));
  for (const entry of HISTORY.slice(3)) other.apply(entry);
  expect(findings.all).toEqual([]);
});

test("a command that is applied a second time is found", () => {
  const findings = new Findings();
  const checker = new SessionsAppliedOnce(findings);
  const one = replica(checker, 1);
  one.apply(batch(2, 10, open()));
  one.apply(batch(3, 20, inSession(1, 1)));
  // The machine takes the repetition for another command.
  one.apply(batch(4, 30, inSession(2, 1)), batch(4, 30, inSession(1, 1)));
  expect(findings.all[0]).toMatchObject({
    message: "a command is applied once in its session",
    details: {
      index: 4,
      expected: { applied: 0, replayed: 1, refused: 0 },
      counted: { applied: 1, replayed: 0, refused: 0 },
    },
  });
});

test("a snapshot that lost a session is found with the next command of the session", () => {
  const findings = new Findings();
  const checker = new SessionsAppliedOnce(findings);
  const one = replica(checker, 1);
  const other = replica(checker, 2);
  for (const entry of HISTORY.slice(0, 2)) one.apply(entry);
  other.install(machineWith());
  one.apply(HISTORY[2] as DataEntry);
  other.apply(HISTORY[2] as DataEntry);
  expect(findings.all.map(({ lives }) => lives)).toEqual([["m2"]]);
});
