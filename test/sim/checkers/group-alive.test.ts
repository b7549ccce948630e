/**
 * Which errors that stop a group are mistakes.
 */
import { expect, test } from "vitest";
import { InvariantError } from "../../../src/base/assert.ts";
import { GroupAlive } from "../../../src/sim/checkers/group-alive.ts";
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
