import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import { checkHistory } from "../../../src/sim/linearizability/check-history.ts";
import {
  findFailingWindow,
  relaxed,
  since,
  startsAfter,
  until,
} from "../../../src/sim/linearizability/failing-window.ts";
import { ABSENT } from "../../../src/sim/linearizability/key-model.ts";
import type { Operation, OperationInput } from "../../../src/sim/linearizability/operation.ts";
import { searchLeniently, searchOrder } from "../../../src/sim/linearizability/search.ts";
import {
  answered,
  cas,
  expire,
  get,
  getVersioned,
  history,
  increment,
  put,
  registerHistory,
  remove,
  unanswered,
} from "./histories.ts";

const LIMITS = { toleranceMs: 0, configurationsMax: 50_000 };

function anything(random: Random, sequence: number, lastVersion: number): OperationInput {
  const value = random.nextBelow(3) === 0 ? "a" : `v${sequence}`;
  const ttlMs = random.nextBelow(2) === 0 ? null : random.nextBetween(1, 30);
  const inputs = [
    get,
    getVersioned,
    put(value, ttlMs),
    cas(lastVersion, value),
    remove,
    expire(20),
    put("7", ttlMs),
    increment(),
  ];
  return inputs[random.nextBelow(inputs.length)] ?? get;
}

function some(random: Random, operations: readonly Operation[]): ReadonlySet<Operation> {
  return new Set(operations.filter(() => random.nextBelow(2) === 0));
}

function explains(operations: readonly Operation[], starts = [ABSENT]): boolean {
  return searchOrder(operations, starts, LIMITS).type === "linearizable";
}

describe("relaxing a history", () => {
  test("never makes a violation of what has an order", () => {
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), fc.nat(0xffff_ffff), (high, low) => {
        const random = new Random(high, low);
        const workload = {
          operations: 25,
          clients: 4,
          ambiguousPercent: 15,
          latencyMsMax: 12,
          choose: anything,
        };
        const whole = registerHistory(random, workload);
        const lastMs = Math.max(...whole.map((each) => each.invokedAtMs));
        const early = until(whole, random.nextBelow(lastMs + 20));
        expect(explains(early)).toBe(true);
        expect(explains(relaxed(early, some(random, early)))).toBe(true);
        const late = since(early, random.nextBelow(lastMs + 20));
        const starts = [...startsAfter(whole, 0)];
        expect(explains(late, starts)).toBe(true);
        expect(explains(relaxed(late, some(random, late)), starts)).toBe(true);
        expect(explains(since(relaxed(whole, some(random, whole)), random.nextBelow(lastMs)), starts)).toBe(
          true,
        );
      }),
      { numRuns: 500 },
    );
  });

  test("leaves out what was asked too late and forgets what was answered too late", () => {
    const operations = history([
      answered(0, 1, put("a"), 1),
      answered(2, 9, put("b"), 2),
      answered(6, 7, get, "b"),
    ]);
    expect(until(operations, 5).map((each) => [each.id, each.returned?.atMs])).toEqual([
      [1, 1],
      [2, undefined],
    ]);
  });

  test("leaves out what was answered too early, and reads in flight, and forgets what writes in flight were answered", () => {
    const operations = history([
      answered(0, 1, put("a"), 1),
      unanswered(0, put("c")),
      answered(2, 9, put("b"), 2),
      answered(2, 9, get, "a"),
      answered(6, 7, get, "b"),
    ]);
    expect(since(operations, 5).map((each) => [each.id, each.returned?.atMs])).toEqual([
      [2, undefined],
      [3, undefined],
      [5, 7],
    ]);
  });

  test("lets a key whose start is unknown expire when the writes left out allow it", () => {
    const operations = history([
      answered(0, 1, put("a", 50), 1),
      answered(2, 3, put("b", 90), 2),
      answered(60, 61, get, "b"),
      answered(62, 63, get, null),
    ]);
    const expiries = startsAfter(operations, 4).map((start) => [start.value === null, start.expiresAtMs]);
    expect(expiries).toEqual([
      [true, Number.POSITIVE_INFINITY],
      [false, 46],
    ]);
    expect(explains(since(operations, 10), [...startsAfter(operations, 0)])).toBe(true);
  });

  test("never drops a write, only its answer", () => {
    const operations = history([
      answered(0, 1, put("a"), 1),
      answered(2, 3, cas(7, "b"), null),
      answered(4, 5, get, "a"),
    ]);
    expect(relaxed(operations, new Set(operations))).toEqual([{ ...operations[0], returned: null }]);
  });
});

describe("findFailingWindow", () => {
  test("shrinks a violation to what contradicts itself, and it still fails", () => {
    const noise = registerHistory(new Random(4, 2), {
      operations: 300,
      clients: 6,
      ambiguousPercent: 3,
      latencyMsMax: 10,
      choose: (_, sequence) => (sequence % 3 === 0 ? put(`n${sequence}`) : get),
    });
    const endMs = Math.max(...noise.map((each) => each.returned?.atMs ?? each.invokedAtMs)) + 1;
    const shift = { id: 1_000, version: 1_000 };
    const stale = history([
      answered(endMs, endMs + 1, put("old"), shift.version),
      answered(endMs + 2, endMs + 3, getVersioned, { value: "old", version: shift.version }),
      answered(endMs + 4, endMs + 5, put("new"), shift.version + 1),
      answered(endMs + 6, endMs + 7, get, "old"),
      answered(endMs + 8, endMs + 9, get, "new"),
    ]).map((each) => ({ ...each, id: each.id + shift.id }));
    const found = findFailingWindow([...noise, ...stale], endMs + 7, LIMITS, 100_000);
    expect(found.culprit.id).toBe(1_004);
    expect(found.operations.filter((each) => each.returned !== null).map((each) => each.id)).toEqual([
      1_003, 1_004,
    ]);
    expect(searchOrder(found.operations, found.starts, LIMITS).type).toBe("violation");
  });

  test("tells what contradicts itself in a timeline", () => {
    const verdict = checkHistory(
      history([
        answered(0, 3, put("zero", 500), 1),
        answered(10, 12.5, put("one"), 4),
        answered(15, 16, remove, true),
        answered(17, 18, cas(0, "two"), 8),
        unanswered(18, put("three")),
        answered(19, 21, get, "two"),
        answered(22, 28, getVersioned, { value: "one", version: 4 }),
        answered(40, 41, get, "three"),
      ]),
    );
    expect(verdict.type === "violation" ? verdict.explanation.split("\n") : []).toEqual([
      'key "k":',
      '  #6  c6 on n1  19 .. 21 ms  get            -> "two"',
      '  #7  c7 on n1  22 .. 28 ms  get-versioned  -> "one" version 4',
      'No order explains that #7 (get-versioned by c7) was answered: "one" version 4.',
      'Right would have been: "two".',
      '"one" was written by #2 (put "one" by c2), 10 .. 12.5 ms.',
      "This holds whatever the key was before.",
      "One more operation was taken to have been applied at any moment, or never, and does not help.",
    ]);
  });

  test("says that the key was absent when that matters, and shows the unanswered write that was read", () => {
    const verdict = checkHistory(
      history([
        unanswered(0, increment(5)),
        unanswered(0, put("b")),
        answered(1, 2, get, "b"),
        answered(3, 4, remove, true),
        answered(5, 6, getVersioned, null),
        answered(7, 8, get, "b"),
      ]),
    );
    expect(verdict.type === "violation" ? verdict.explanation.split("\n") : []).toEqual([
      'key "k":',
      '  #2  c2 on n1  0 .. ? ms  put "b"        -> unknown',
      '  #3  c3 on n1  1 .. 2 ms  get            -> "b"',
      "  #5  c5 on n1  5 .. 6 ms  get-versioned  -> absent",
      '  #6  c6 on n1  7 .. 8 ms  get            -> "b"',
      'No order explains that #6 (get by c6) was answered: "b".',
      "Right would have been: absent.",
      '"b" was written by #2 (put "b" by c2), 0 .. ? ms.',
      "The key was absent at first.",
      "2 more operations were taken to have been applied at any moment, or never, and do not help.",
    ]);
  });

  test("shrinks what only the exact search refutes, and names the answer a deletion should have got", () => {
    const operations = history([
      answered(0, 1, put("a"), 1),
      unanswered(2, remove),
      answered(4, 5, get, null),
      answered(6, 7, put("b"), 9),
      answered(8, 9, remove, false),
      answered(10, 11, get, null),
    ]);
    expect(searchLeniently(operations, [ABSENT], LIMITS).type).toBe("linearizable");
    const verdict = checkHistory(operations);
    expect(verdict.type === "violation" ? verdict.window.map((each) => each.id) : []).toEqual([1, 3, 4, 5]);
    expect(verdict.type === "violation" ? verdict.explanation : "").toContain(
      "#5 (delete by c5) was answered: did not exist.\nRight would have been: existed.",
    );
  });
});
