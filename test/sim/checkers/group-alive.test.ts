/**
 * Which errors that stop a group are mistakes.
 */
import { expect, test } from "vitest";
import { InvariantError } from "../../../src/base/assert.ts";
import { groupId } from "../../../src/base/ids.ts";
import { GroupAlive } from "../../../src/sim/checkers/group-alive.ts";
import type { Life } from "../../../src/sim/life.ts";
import { WireError } from "../../../src/wire/wire-error.ts";
import { Findings, fakeGroup, fakeLife } from "./support.ts";

test.each([
  [new InvariantError("invariant broken: a term never goes back"), 1],
  [new WireError("command with unknown tag 99", 3), 1],
  [new TypeError("cannot read properties of undefined"), 1],
  [new Error("no space left on device"), 0],
  ["no error at all", 0],
])("of a group that stopped with %s: findings", (error, findings) => {
  const found = new Findings();
  new GroupAlive(found).failed(fakeLife(1), fakeGroup().group, error);
  expect(found.all).toHaveLength(findings);
});

test("a group that stopped before it was opened is found once; one that stopped with its disk is not", () => {
  const findings = new Findings();
  const checker = new GroupAlive(findings);
  const failedGroups = new Set([groupId(1)]);
  const life = { ...fakeLife(1), node: { groups: { failedGroups } } } as unknown as Life;
  const look = (): void => {
    for (let event = 0; event < 16; event++) checker.after(life);
  };
  checker.failed(life, fakeGroup({}, 1).group, new Error("no space left on device"));
  look();
  expect(findings.all).toEqual([]);
  failedGroups.add(groupId(2));
  look();
  expect(findings.all).toMatchObject([
    { message: "a replica can be opened from what its disk holds", details: { groups: [2] } },
  ]);
});
