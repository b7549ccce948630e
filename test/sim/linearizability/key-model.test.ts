import { describe, expect, test } from "vitest";
import {
  ABSENT,
  ANY_VALUE,
  covers,
  type KeyState,
  knowledgeKey,
  removed,
  step,
  unknownStarts,
  valueKey,
} from "../../../src/sim/linearizability/key-model.ts";
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
  unanswered,
} from "./histories.ts";

function stateAfter(start: KeyState, ...lines: readonly Line[]): KeyState | null {
  return history(lines).reduce<KeyState | null>(
    (state, each) => (state === null ? null : step(state, each)),
    start,
  );
}

const present: KeyState = { ...ABSENT, value: "a", revisionMin: 4, versionKnown: true, expiresAtMs: 50 };
const unknown: KeyState = { ...present, versionKnown: false };

describe("step", () => {
  test("a read that fits changes nothing and answers the very same state", () => {
    expect(stateAfter(present, answered(0, 1, getVersioned, { value: "a", version: 4 }))).toBe(present);
    expect(stateAfter(present, answered(0, 1, get, "b"))).toBeNull();
  });

  test("a put clears the expiry or sets it from its invocation; a cas and an increment leave it", () => {
    expect(stateAfter(present, answered(7, 9, put("b"), 5))?.expiresAtMs).toBe(Number.POSITIVE_INFINITY);
    expect(stateAfter(present, answered(7, 9, put("b", 10), 5))?.expiresAtMs).toBe(17);
    expect(stateAfter(present, answered(7, 9, cas(4, "b"), 5))?.expiresAtMs).toBe(50);
    expect(stateAfter({ ...present, value: "1" }, answered(7, 9, increment(), 2))?.expiresAtMs).toBe(50);
    expect(stateAfter(present, answered(7, 9, expire(10), true))).toEqual({ ...present, expiresAtMs: 17 });
  });

  test("a version that nobody was told is any above the last until somebody sees it", () => {
    const incremented = stateAfter({ ...present, value: "1" }, answered(0, 1, increment(), 2));
    expect(incremented).toMatchObject({ value: "2", revisionMin: 5, versionKnown: false });
    const seen = answered(2, 3, getVersioned, { value: "a", version: 9 });
    expect(stateAfter(unknown, seen)).toMatchObject({ revisionMin: 9, versionKnown: true });
    expect(stateAfter(unknown, answered(2, 3, getVersioned, { value: "a", version: 3 }))).toBeNull();
  });

  test("a version that is told is above the last", () => {
    expect(stateAfter(present, answered(0, 1, put("b"), 4))).toBeNull();
    expect(stateAfter(present, answered(0, 1, put("b"), 5))).toMatchObject({
      revisionMin: 5,
      versionKnown: true,
    });
  });

  test("a cas that fails excludes a version, and the least possible one moves past those excluded", () => {
    const six = stateAfter(unknown, answered(0, 1, cas(6, "b"), null), answered(0, 1, cas(5, "b"), null));
    expect(six).toMatchObject({ revisionMin: 4, versionsExcluded: [5, 6] });
    expect(stateAfter(six ?? ABSENT, answered(0, 1, cas(4, "b"), null))).toMatchObject({
      revisionMin: 7,
      versionsExcluded: [],
    });
    expect(stateAfter(six ?? ABSENT, answered(0, 1, cas(6, "b"), 9))).toBeNull();
  });

  test("an open operation is applied only where it has an effect", () => {
    expect(stateAfter(present, unanswered(0, put("b", null, "if-absent")))).toBeNull();
    expect(stateAfter(present, unanswered(0, cas(3, "b")))).toBeNull();
    expect(stateAfter(ABSENT, unanswered(0, expire(5)))).toBeNull();
    expect(stateAfter(present, unanswered(0, cas(4, "b")))).toMatchObject({ value: "b", revisionMin: 5 });
  });

  test("an increment of what is no integer does not happen", () => {
    expect(stateAfter(present, unanswered(0, increment()))).toBeNull();
  });

  test("removal takes a revision and the expiry", () => {
    expect(removed(present)).toEqual({ ...ABSENT, revisionMin: 5 });
  });

  test("an unknown value becomes what the first answer says", () => {
    const [, start = ABSENT] = unknownStarts(30);
    expect(stateAfter(start, answered(0, 1, get, "x"))).toMatchObject({ value: "x", expiresAtMs: 30 });
    expect(stateAfter(start, answered(0, 1, increment(2), 9))).toMatchObject({ value: "9" });
    expect(stateAfter(start, unanswered(0, increment(2)))).toMatchObject({
      value: ANY_VALUE,
      revisionMin: 2,
    });
    expect(stateAfter(start, answered(0, 1, get, null))).toBeNull();
  });
});

describe("covers", () => {
  test.each<[claim: string, wide: KeyState, narrow: KeyState, covered: boolean]>([
    ["a state covers itself", present, present, true],
    ["an earlier expiry covers a later one", { ...present, expiresAtMs: 9 }, present, true],
    ["a later expiry does not cover an earlier one", present, { ...present, expiresAtMs: 9 }, false],
    ["an unknown version covers a known one it can be", unknown, { ...present, revisionMin: 6 }, true],
    ["an unknown version does not cover a lower one", unknown, { ...present, revisionMin: 3 }, false],
    [
      "an unknown version does not cover one excluded",
      { ...unknown, versionsExcluded: [6] },
      { ...present, revisionMin: 6 },
      false,
    ],
    ["a known version covers no unknown one", present, unknown, false],
    ["a known version covers no higher one", present, { ...present, revisionMin: 6 }, false],
    ["a lower bound covers a higher one", unknown, { ...unknown, revisionMin: 6 }, true],
    [
      "an exclusion matters only where it excludes",
      { ...unknown, versionsExcluded: [5] },
      { ...unknown, revisionMin: 6 },
      true,
    ],
    ["an exclusion is not covered by none", { ...unknown, versionsExcluded: [7] }, unknown, false],
    ["a lower revision of an absent key covers a higher one", ABSENT, { ...ABSENT, revisionMin: 3 }, true],
    [
      "a higher revision of an absent key does not cover a lower one",
      { ...ABSENT, revisionMin: 3 },
      ABSENT,
      false,
    ],
  ])("%s", (_, wide, narrow, covered) => {
    expect(covers(wide, narrow)).toBe(covered);
  });
});

describe("keys of states", () => {
  test("no value imitates an absent or an unknown one", () => {
    const values: KeyState["value"][] = [null, ANY_VALUE, "", "-", "*", "=", "null"];
    const keys = values.map((value) => valueKey({ ...present, value }));
    expect(new Set(keys).size).toBe(values.length);
  });

  test("all that is known is told apart", () => {
    const states = [
      present,
      unknown,
      { ...present, revisionMin: 5 },
      { ...present, expiresAtMs: 51 },
      { ...unknown, versionsExcluded: [5] },
      { ...unknown, versionsExcluded: [6] },
    ];
    expect(new Set(states.map(knowledgeKey)).size).toBe(states.length);
  });
});
