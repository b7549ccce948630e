import { describe, expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import { checkHistory } from "../../../src/sim/linearizability/check-history.ts";
import type { Operation, OperationInput } from "../../../src/sim/linearizability/operation.ts";
import {
  answered,
  cas,
  expire,
  get,
  getVersioned,
  history,
  increment,
  type Line,
  put,
  registerHistory,
  remove,
  unanswered,
} from "./histories.ts";

const ACCEPTED: readonly (readonly [claim: string, lines: readonly Line[]])[] = [
  ["a key that was never written is absent", [answered(0, 1, get, null)]],
  ["a read sees the last write", [answered(0, 1, put("a"), 1), answered(2, 3, get, "a")]],
  [
    "a read during a write may see either value",
    [
      answered(0, 1, put("a"), 1),
      answered(2, 9, put("b"), 2),
      answered(3, 8, get, "b"),
      answered(3, 8, get, "a"),
    ],
  ],
  [
    "operations whose times touch may be taken in either order",
    [answered(0, 5, put("a"), 1), answered(5, 9, get, null)],
  ],
  [
    "versions skip numbers that other keys took",
    [
      answered(0, 1, put("a"), 4),
      answered(2, 3, put("b"), 90),
      answered(4, 5, getVersioned, { value: "b", version: 90 }),
    ],
  ],
  [
    "concurrent writes take the order of their versions",
    [answered(0, 9, put("a"), 2), answered(0, 9, put("b"), 1), answered(10, 11, get, "a")],
  ],
  ["a write nobody answered may have been applied", [unanswered(0, put("a")), answered(5, 6, get, "a")]],
  [
    "a write nobody answered may be applied much later",
    [
      unanswered(0, put("a")),
      answered(5, 6, get, null),
      answered(70, 71, put("b"), 1),
      answered(80, 81, get, "a"),
    ],
  ],
  [
    "a write nobody answered may never be applied",
    [unanswered(0, put("a")), answered(5, 6, get, null), answered(7, 8, put("b", null, "if-absent"), 1)],
  ],
  [
    "a write nobody answered explains a condition that failed",
    [answered(0, 1, put("a"), 1), unanswered(2, put("b")), answered(5, 6, cas(1, "c"), null)],
  ],
  [
    "the version of a write nobody answered is told by who sees it",
    [
      answered(0, 1, put("a"), 1),
      unanswered(2, put("b")),
      answered(5, 6, getVersioned, { value: "b", version: 7 }),
      answered(7, 8, cas(7, "c"), 8),
    ],
  ],
  [
    "an increment changes the version",
    [
      answered(0, 1, put("1"), 3),
      answered(2, 3, increment(2), 3),
      answered(4, 5, getVersioned, { value: "3", version: 4 }),
    ],
  ],
  ["an absent key counts as 0", [answered(0, 1, increment(5), 5), answered(2, 3, increment(-1), 4)]],
  ["a key may be gone once its time is over", [answered(0, 1, put("a", 10), 1), answered(9, 10, get, null)]],
  [
    "a key may outlive its time",
    [answered(0, 1, put("a", 10), 1), answered(500, 501, get, "a"), answered(502, 503, get, null)],
  ],
  [
    "an increment and a cas leave the expiry",
    [
      answered(0, 1, put("1", 10), 1),
      answered(2, 3, cas(1, "2"), 2),
      answered(4, 5, increment(), 3),
      answered(20, 21, get, null),
    ],
  ],
  [
    "an expire leaves value and version and lets the key go",
    [
      answered(0, 1, put("a"), 1),
      answered(2, 3, expire(10), true),
      answered(4, 5, getVersioned, { value: "a", version: 1 }),
      answered(12, 13, get, null),
      answered(14, 15, expire(10), false),
    ],
  ],
  [
    "an expire in no time at all is a delete",
    [answered(0, 1, put("a"), 1), answered(2, 3, expire(0), true), answered(4, 5, get, null)],
  ],
  [
    "conditions hold and fail as they should",
    [
      answered(0, 1, put("a", null, "if-present"), null),
      answered(2, 3, put("a", null, "if-absent"), 1),
      answered(4, 5, put("b", null, "if-absent"), null),
      answered(6, 7, put("c", null, "if-present"), 2),
      answered(8, 9, cas(1, "d"), null),
      answered(10, 11, cas(2, "d"), 3),
      answered(12, 13, remove, true),
      answered(14, 15, remove, false),
      answered(16, 17, cas(0, "e"), 5),
      answered(18, 19, cas(0, "f"), null),
      answered(20, 21, get, "e"),
    ],
  ],
];

const REFUSED: readonly (readonly [claim: string, lines: readonly Line[]])[] = [
  ["a stale read", [answered(0, 1, put("a"), 1), answered(2, 3, put("b"), 2), answered(4, 5, get, "a")]],
  ["a read of what was never written", [answered(0, 1, put("a"), 1), answered(2, 3, get, "z")]],
  ["a read of what is written later", [answered(0, 1, get, "a"), answered(2, 3, put("a"), 1)]],
  ["a write that is lost", [answered(0, 1, put("a"), 1), answered(2, 3, get, null)]],
  [
    "an update that is lost: two cas on one version",
    [answered(0, 1, put("a"), 1), answered(2, 9, cas(1, "b"), 2), answered(2, 9, cas(1, "c"), 3)],
  ],
  ["an increment applied twice", [answered(0, 1, increment(), 1), answered(2, 3, increment(), 3)]],
  ["an increment that is lost", [answered(0, 1, increment(), 1), answered(2, 3, increment(), 1)]],
  [
    "an unanswered increment applied twice",
    [unanswered(0, increment()), answered(2, 3, get, "1"), answered(4, 5, get, "2")],
  ],
  [
    "two reads that see concurrent writes in different orders",
    [
      answered(0, 9, put("a"), 1),
      answered(0, 9, put("b"), 2),
      answered(10, 11, get, "b"),
      answered(12, 13, get, "a"),
    ],
  ],
  [
    "a key alive after its deletion",
    [answered(0, 1, put("a"), 1), answered(2, 3, remove, true), answered(4, 5, get, "a")],
  ],
  [
    "a deletion of what was deleted",
    [answered(0, 1, put("a"), 1), answered(2, 3, remove, true), answered(4, 5, remove, true)],
  ],
  ["a deletion that misses what is there", [answered(0, 1, put("a"), 1), answered(2, 3, remove, false)]],
  ["a cas that succeeds on a wrong version", [answered(0, 1, put("a"), 3), answered(2, 3, cas(2, "b"), 4)]],
  ["a cas that succeeds on an absent key", [answered(0, 1, cas(2, "b"), 4)]],
  [
    "a cas for an absent key that succeeds on a present one",
    [answered(0, 1, put("a"), 3), answered(2, 3, cas(0, "b"), 4)],
  ],
  ["a cas that fails on the right version", [answered(0, 1, put("a"), 3), answered(2, 3, cas(3, "b"), null)]],
  [
    "if-absent that succeeds on a present key",
    [answered(0, 1, put("a"), 1), answered(2, 3, put("b", null, "if-absent"), 2)],
  ],
  ["if-absent that fails on an absent key", [answered(0, 1, put("b", null, "if-absent"), null)]],
  ["if-present that succeeds on an absent key", [answered(0, 1, put("b", null, "if-present"), 1)]],
  [
    "if-present that fails on a present key",
    [answered(0, 1, put("a"), 1), answered(2, 3, put("b", null, "if-present"), null)],
  ],
  ["an unconditional put that is refused", [answered(0, 1, put("a"), null)]],
  ["a key gone before its time", [answered(0, 1, put("a", 10), 1), answered(2, 9, get, null)]],
  [
    "a key gone before its time for somebody who asks after one who waits",
    [
      answered(0, 1, put("a", 10), 1),
      answered(2, 5, put("b", null, "if-absent"), 9),
      answered(2, 20, get, null),
    ],
  ],
  [
    "a key that never expires gone",
    [answered(0, 1, put("a", 10), 1), answered(2, 3, put("b"), 2), answered(99, 100, get, null)],
  ],
  [
    "a key back after it expired",
    [answered(0, 1, put("a", 10), 1), answered(20, 21, get, null), answered(22, 23, get, "a")],
  ],
  [
    "a key gone before the time an expire gave it",
    [answered(0, 1, put("a", 5), 1), answered(2, 3, expire(90), true), answered(50, 51, get, null)],
  ],
  ["an expire that misses what is there", [answered(0, 1, put("a"), 1), answered(2, 3, expire(9), false)]],
  ["an expire of what is absent", [answered(0, 1, expire(9), true)]],
  ["versions that go back", [answered(0, 1, put("a"), 5), answered(2, 3, put("b"), 4)]],
  ["a version that is given twice", [answered(0, 1, put("a"), 5), answered(0, 3, put("b"), 5)]],
  [
    "a version that a deletion took",
    [answered(0, 1, put("a"), 5), answered(2, 3, remove, true), answered(4, 5, put("b"), 6)],
  ],
  [
    "an increment that keeps the version",
    [
      answered(0, 1, put("1"), 5),
      answered(2, 3, increment(), 2),
      answered(4, 5, getVersioned, { value: "2", version: 5 }),
    ],
  ],
  [
    "a version that changes while nobody writes",
    [
      unanswered(0, put("a")),
      answered(2, 3, getVersioned, { value: "a", version: 5 }),
      answered(4, 5, getVersioned, { value: "a", version: 6 }),
    ],
  ],
  [
    "a version seen after a cas found that it was another",
    [
      unanswered(0, put("a")),
      answered(1, 2, get, "a"),
      answered(3, 4, cas(6, "b"), null),
      answered(5, 6, getVersioned, { value: "a", version: 6 }),
    ],
  ],
  [
    "an unanswered write that is seen and then unseen",
    [
      answered(0, 1, put("a"), 1),
      unanswered(2, put("b")),
      answered(4, 5, get, "b"),
      answered(6, 7, get, "a"),
    ],
  ],
  [
    "an unanswered write applied twice",
    [
      unanswered(0, put("b")),
      answered(4, 5, get, "b"),
      answered(6, 7, put("a"), 9),
      answered(8, 9, get, "b"),
    ],
  ],
  ["an unanswered write seen before it was asked", [answered(0, 1, get, "a"), unanswered(2, put("a"))]],
  [
    "an unanswered cas applied to another version",
    [answered(0, 1, put("a"), 3), unanswered(2, cas(2, "b")), answered(5, 6, get, "b")],
  ],
];

describe("checkHistory", () => {
  test.each(ACCEPTED)("%s", (_, lines) => {
    expect(checkHistory(history(lines)).type).toBe("linearizable");
  });

  test.each(REFUSED)("finds %s", (_, lines) => {
    const verdict = checkHistory(history(lines));
    expect(verdict.type).toBe("violation");
  });

  test("clocks that drift are forgiven what the tolerance allows and no more", () => {
    const early = history([answered(0, 1, put("a", 100), 1), answered(80, 95, get, null)]);
    expect(checkHistory(early).type).toBe("violation");
    expect(checkHistory(early, { toleranceMs: 4 }).type).toBe("violation");
    expect(checkHistory(early, { toleranceMs: 5 }).type).toBe("linearizable");
  });

  test("keys are judged apart, and the key of a violation is named", () => {
    const good = history([answered(0, 1, put("a"), 1), answered(2, 3, get, "a")], "good");
    const bad = history([answered(0, 1, put("a"), 1), answered(2, 3, get, null)], "bad");
    expect(checkHistory([...good, ...history([answered(4, 5, get, null)], "other")])).toMatchObject({
      type: "linearizable",
      operations: 3,
      keys: 2,
    });
    expect(checkHistory([...good, ...bad])).toMatchObject({ type: "violation", key: "bad" });
  });

  test("nothing at all is linearizable", () => {
    expect(checkHistory([])).toEqual({ type: "linearizable", operations: 0, keys: 0, configurations: 0 });
  });

  test("a search that runs out of configurations says so, and a violation of another key outranks it", () => {
    const hard = registerHistory(new Random(1, 1), { ...LONG, choose: writes });
    expect(checkHistory(hard, { configurationsMax: 20 })).toEqual({
      type: "undecided",
      key: "k",
      configurations: 20,
    });
    expect(checkHistory(hard).type).toBe("linearizable");
    const bad = history([answered(0, 1, get, "z")], "bad");
    expect(checkHistory([...hard, ...bad], { configurationsMax: 20 })).toMatchObject({ key: "bad" });
  });
});

const LONG = { operations: 1_000, clients: 10, ambiguousPercent: 5, latencyMsMax: 20 };

/** Mostly unique values, as the simulator's workload writes them. */
function writes(random: Random, sequence: number, lastVersion: number): OperationInput {
  const value = `v${sequence}`;
  const inputs = [
    get,
    getVersioned,
    put(value),
    cas(lastVersion, value),
    remove,
    put(value, null, "if-absent"),
  ];
  return inputs[random.nextBelow(inputs.length)] ?? get;
}

function writesThatExpire(random: Random, sequence: number, lastVersion: number): OperationInput {
  const ttlMs = random.nextBetween(1, 100);
  const inputs = [put(`v${sequence}`, ttlMs), expire(ttlMs), writes(random, sequence, lastVersion)];
  return inputs[random.nextBelow(inputs.length)] ?? get;
}

function counts(random: Random): OperationInput {
  return random.nextBelow(2) === 0 ? get : increment();
}

/** A late read answered with what an early one saw, of a write that was answered. */
function withStaleRead(operations: readonly Operation[]): readonly Operation[] {
  const open = new Set(
    operations.map(({ input, returned }) => (returned === null && "value" in input ? input.value : null)),
  );
  const reads = operations.filter(
    ({ input, returned }) =>
      input.type === "get" && typeof returned?.result === "string" && !open.has(returned.result),
  );
  const late = reads.at(-5);
  const early = reads.at(-25);
  return operations.map((each) =>
    each === late && each.returned !== null && early?.returned
      ? { ...each, returned: { ...each.returned, result: early.returned.result } }
      : each,
  );
}

describe("the search stays small", () => {
  const workloads = [
    ["writes and conditions", writes, 2_000],
    ["writes that expire", writesThatExpire, 6_000],
    ["increments", counts, 1_000],
  ] as const;

  test.each(workloads)("over 1,000 %s by 10 clients, 5% of them unanswered", (_, choose, most) => {
    for (let seed = 1; seed <= 5; seed++) {
      const verdict = checkHistory(registerHistory(new Random(seed, 5), { ...LONG, choose }));
      expect(verdict.type).toBe("linearizable");
      expect(verdict.configurations).toBeLessThan(most);
    }
  });

  test.each(workloads)("over 600 %s with one stale read, and so does what it shows", (_, choose) => {
    for (let seed = 1; seed <= 2; seed++) {
      const workload = { ...LONG, operations: 600, choose };
      const operations = withStaleRead(registerHistory(new Random(seed, 5), workload));
      const verdict = checkHistory(operations);
      expect(verdict.type).toBe("violation");
      expect(verdict.configurations).toBeLessThan(20_000);
      if (verdict.type === "violation") expect(verdict.window.length).toBeLessThan(8);
    }
  });
});
