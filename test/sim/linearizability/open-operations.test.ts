import { describe, expect, test } from "vitest";
import { applicableRuns, leavesMore, openRuns } from "../../../src/sim/linearizability/open-operations.ts";
import { cas, expire, history, increment, put, remove, unanswered } from "./histories.ts";

const NOTHING_READ = new Set<string>();
const NOW_MS = 50;

/** A family of three expiries (10, 100, 200 ms and never), then a cas that is dead from revision 5. */
const runs = openRuns(
  history([
    unanswered(0, put("a", 100)),
    unanswered(0, put("a", 10)),
    unanswered(0, put("a")),
    unanswered(3, put("a")),
    unanswered(0, put("a", 200)),
    unanswered(0, put("a", 20)),
    unanswered(0, cas(4, "a")),
  ]),
  NOTHING_READ,
  0,
);

describe("openRuns", () => {
  test("gathers what has the same effect, by invocation, and sorts a family by expiry", () => {
    const shape = runs.map((run) => [run.family, run.expiresAtMs, run.operations.map((each) => each.id)]);
    expect(shape).toEqual([
      ["cas 4 a", Number.POSITIVE_INFINITY, [7]],
      ["put always a", 10, [2]],
      ["put always a", 20, [6]],
      ["put always a", 100, [1]],
      ["put always a", 200, [5]],
      ["put always a", Number.POSITIVE_INFINITY, [3, 4]],
    ]);
    expect(runs.map((run) => run.deadFromRevision).slice(0, 2)).toEqual([5, Number.POSITIVE_INFINITY]);
  });

  test("keeps apart what differs in more than expiry, and takes an expire in no time for a delete", () => {
    const apart = [
      put("a"),
      put("b"),
      put("a", null, "if-absent"),
      cas(0, "a"),
      cas(1, "a"),
      remove,
      expire(5),
    ];
    const operations = history([...apart, expire(0)].map((input) => unanswered(0, input)));
    expect(new Set(openRuns(operations, NOTHING_READ, 0).map((run) => run.family)).size).toBe(apart.length);
  });

  test("tries large increments first, and knows which writes are told by a read or a sum", () => {
    const operations = history(
      [increment(1), increment(-7), put("a"), put("b")].map((each) => unanswered(0, each)),
    );
    const shape = openRuns(operations, new Set(["b"]), 0).map((run) => [run.family, run.isTelling]);
    expect(shape).toEqual([
      ["increment -7", true],
      ["increment 1", true],
      ["put always a", false],
      ["put always b", true],
    ]);
  });
});

describe("applicableRuns", () => {
  test("offers one of those whose expiry is over, each of those whose is not, and none asked too late", () => {
    expect(applicableRuns(runs, [0, 0, 0, 0, 0, 0], NOW_MS)).toEqual([0, 1, 3, 4, 5]);
    expect(applicableRuns(runs, [1, 1, 0, 0, 1, 0], NOW_MS)).toEqual([2, 3, 5]);
    expect(applicableRuns(runs, [1, 1, 1, 1, 1, 1], 2)).toEqual([]);
  });
});

describe("leavesMore", () => {
  test.each<[claim: string, fewer: number[], more: number[], revision: number, result: boolean]>([
    ["the same is as good", [0, 0, 0, 1, 0, 0], [0, 0, 0, 1, 0, 0], 0, true],
    ["less is better than more", [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1], 0, true],
    ["more is not better than less", [0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0], 0, false],
    ["to have spent a later expiry is better", [0, 0, 0, 0, 1, 0], [0, 0, 0, 1, 0, 0], 0, true],
    ["to have spent an earlier expiry is worse", [0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 1, 0], 0, false],
    ["expiries that are over are all alike", [0, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0], 0, true],
    ["an expiry that is over is better than one to come", [0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 0, 0], 0, false],
    ["one family does not make up for another", [1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0], 0, false],
    ["what can have no effect any more does not count", [1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], 5, true],
    ["what can still have an effect counts", [1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], 4, false],
  ])("%s", (_, fewer, more, revision, result) => {
    expect(leavesMore(runs, fewer, more, NOW_MS, revision)).toBe(result);
  });
});
