import { describe, expect, test } from "vitest";
import { ABSENT, ANY_VALUE, unknownStarts } from "../../../src/sim/linearizability/key-model.ts";
import { ceilings, ValueDemand } from "../../../src/sim/linearizability/lookahead.ts";
import { isCompleted } from "../../../src/sim/linearizability/operation.ts";
import { answered, cas, get, getVersioned, history, increment, put, unanswered } from "./histories.ts";

describe("ValueDemand", () => {
  test("a value may be left while nobody has yet to read it or somebody can write it again", () => {
    const [write, open, read, refused] = history([
      answered(0, 1, put("a"), 1),
      unanswered(0, put("a")),
      answered(0, 1, get, "a"),
      answered(0, 1, put("a", null, "if-absent"), null),
    ]);
    if (write === undefined || open === undefined || read === undefined || refused === undefined) return;
    const demand = new ValueDemand([write, open, read, refused]);
    expect(demand.canStart(null)).toBe(true);
    demand.place(write);
    expect(demand.canMove("a", "b")).toBe(true);
    demand.place(open);
    expect(demand.canMove("a", "b")).toBe(false);
    expect(demand.canStart("b")).toBe(false);
    expect(demand.canMove(ANY_VALUE, "b")).toBe(false);
    expect(demand.canMove(ANY_VALUE, "a")).toBe(true);
    demand.place(read);
    expect(demand.canMove("a", "b")).toBe(true);
    demand.lift(read);
    demand.lift(open);
    expect(demand.canMove("a", null)).toBe(true);
  });

  test("an open increment can write anything", () => {
    const [read, open] = history([answered(0, 1, get, "7"), unanswered(0, increment())]);
    if (read === undefined || open === undefined) return;
    const demand = new ValueDemand([read, open]);
    expect(demand.canStart(null)).toBe(true);
    demand.place(open);
    expect(demand.canStart(null)).toBe(false);
  });
});

describe("ceilings", () => {
  test("versions bound the revision: below what is to be given, up to what is to be found", () => {
    const completed = history([
      answered(0, 1, put("a"), 5),
      answered(0, 1, cas(3, "a"), 9),
      answered(0, 1, cas(0, "a"), 2),
      answered(0, 1, getVersioned, { value: "a", version: 4 }),
      answered(0, 1, get, "a"),
      answered(0, 1, cas(1, "a"), null),
    ]).filter(isCompleted);
    const [versions] = ceilings(completed, [], [ABSENT]);
    expect(versions?.order.map((index) => [completed[index]?.id, versions.limits[index]])).toEqual([
      [3, 1],
      [2, 3],
      [1, 4],
      [4, 4],
    ]);
  });

  test("sums bound a counter that only grows, and no other", () => {
    const sums = history([answered(0, 1, increment(2), 9), answered(0, 1, get, "4")]).filter(isCompleted);
    expect(ceilings(sums, [], [ABSENT])[0]?.limits).toEqual([7, 4]);
    expect(ceilings(sums, history([unanswered(0, increment(-1))]), [ABSENT])).toEqual([]);
    expect(ceilings(sums, history([unanswered(0, put("1"))]), [ABSENT])).toEqual([]);
    expect(ceilings(sums, [], unknownStarts(30))).toEqual([]);
    expect(ceilings(sums, [], unknownStarts(Number.POSITIVE_INFINITY))).toHaveLength(1);
  });
});
