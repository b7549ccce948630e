/**
 * That every checker is there, hears what it listens to, and harms nobody when it breaks.
 */
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { allCheckers } from "../../../src/sim/checkers/all-checkers.ts";
import type { Checker } from "../../../src/sim/checkers/checker.ts";
import { Observer } from "../../../src/sim/checkers/observer.ts";
import type { Life } from "../../../src/sim/life.ts";
import { Findings, fakeGroup, fakeLife, ready } from "./support.ts";

/** Files of the room that hold no checker. */
const NO_CHECKERS = [
  "all-checkers",
  "checker",
  "entry-checksum",
  "index-tail",
  "log-links",
  "observer",
  "per-replica",
  "quorum-overlap",
];

test("there is one checker per file, called like it, and each reports under its name", () => {
  const folder = new URL("../../../src/sim/checkers/", import.meta.url);
  const files = readdirSync(folder).map((file) => file.replace(/\.ts$/, ""));
  const asked: string[] = [];
  const checkers = allCheckers((checker) => {
    asked.push(checker);
    return new Findings();
  });
  const names = checkers.map(({ name }) => name);
  expect([...names, ...NO_CHECKERS].sort()).toEqual(files.sort());
  expect(asked).toEqual(names);
});

test("a probe tells every checker that listens, with the life in which it happened, known only later", () => {
  const heard: string[] = [];
  const checker: Checker = {
    name: "ear",
    started: (life) => heard.push(`started ${life.name}`),
    ended: (life) => heard.push(`ended ${life.name}`),
    after: (life) => heard.push(`after ${life.name}`),
    opened: (life, group) => heard.push(`opened ${life.name} ${group.id}`),
    ready: (life, group, { messages }) => heard.push(`ready ${life.name} ${group.id} ${messages.length}`),
    readAsked: (life, group, context) => heard.push(`readAsked ${life.name} ${group.id} ${context}`),
  };
  const observer = new Observer(new Findings(), [checker, { name: "deaf" }]);
  const holder: { life: Life | null } = { life: null };
  const probe = observer.probeFor(() => holder.life as Life);
  holder.life = fakeLife(1);
  const { group } = fakeGroup({}, 4);
  observer.started(holder.life);
  probe.opened(group);
  probe.ready(group, ready({}));
  probe.readAsked(group, 7);
  observer.after(holder.life);
  observer.ended(holder.life);
  expect(heard).toEqual([
    "started m1",
    "opened m1 4",
    "ready m1 4 0",
    "readAsked m1 4 7",
    "after m1",
    "ended m1",
  ]);
});

test("a checker that throws is a finding, and the group hears nothing of it", () => {
  const findings = new Findings();
  const broken: Checker = {
    name: "broken",
    after: () => {
      throw new Error("oops");
    },
    applied: () => {
      throw new Error("oops");
    },
    failed: () => {
      throw new Error("oops");
    },
  };
  const observer = new Observer(findings, [broken]);
  const life = fakeLife(1);
  const probe = observer.probeFor(() => life);
  const { group } = fakeGroup();
  observer.after(life);
  probe.applied(group, { kind: "noop", index: group.raft.applied, term: group.raft.term });
  probe.failed(group, null);
  expect(findings.messages).toEqual(Array(3).fill("the checker broken does not throw"));
});
