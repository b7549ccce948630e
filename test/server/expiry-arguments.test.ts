import { describe, expect, test } from "vitest";
import { NOT_AN_INTEGER } from "../../src/server/error-text.ts";
import { expiryUnitOf, isPositive, parseExpiry, TTL_MS_MAX } from "../../src/server/expiry-arguments.ts";

const NOW_MS = 1_700_000_000_000;
const OVERFLOW = "ERR overflow";

describe("an expiry", () => {
  test.each([
    ["10", "EX", 10_000],
    ["10", "PX", 10],
    ["-10", "EX", -10_000],
    ["1700000001", "EXAT", 1_000],
    ["1700000000001", "PXAT", 1],
    ["1", "EXAT", 1_000 - NOW_MS],
    ["0", "PX", 0],
    ["9000000000000000", "PX", TTL_MS_MAX],
    ["-9000000000000000", "EX", -TTL_MS_MAX],
  ] as const)("%s as %s is %d ms from now", (text, unit, ttlMs) => {
    expect(parseExpiry(text, unit, NOW_MS, OVERFLOW)).toBe(ttlMs);
  });

  test.each([
    ["9223372036854775807", "EX"],
    ["-9223372036854775808", "EX"],
    ["9223372036854775807", "PX"],
    ["9223372036854775", "EX"],
    ["9223372036854776", "EXAT"],
  ] as const)("%s as %s does not fit 64 bits", (text, unit) => {
    expect(parseExpiry(text, unit, NOW_MS, OVERFLOW)).toBe(OVERFLOW);
  });

  test("beyond 64 bits in writing is no integer", () => {
    expect(parseExpiry("9223372036854775808", "PX", NOW_MS, OVERFLOW)).toBe(NOT_AN_INTEGER);
    expect(parseExpiry("1.5", "EX", NOW_MS, OVERFLOW)).toBe(NOT_AN_INTEGER);
  });

  test("a fraction of a millisecond on the clock is dropped", () => {
    expect(parseExpiry("10", "PX", NOW_MS + 0.75, OVERFLOW)).toBe(10);
  });
});

test("units are known in any case", () => {
  expect(["ex", "Px", "EXAT", "pxat", "KEEPTTL", ""].map(expiryUnitOf)).toEqual([
    "EX",
    "PX",
    "EXAT",
    "PXAT",
    null,
    null,
  ]);
});

test("zero and less are not positive", () => {
  expect(["1", "0", "-1", "9223372036854775807"].map(isPositive)).toEqual([true, false, false, true]);
});
