import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  clamped,
  narrowed,
  parseBigInteger,
  parseFloat64,
  parseInteger,
} from "../../src/server/number-arguments.ts";

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

describe("integers", () => {
  test("of 64 bits come back as they were written, numbers where exact", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: INT64_MIN, max: INT64_MAX }), (value) => {
        const parsed = parseInteger(String(value));
        expect(BigInt(parsed ?? 0)).toBe(value);
        expect(typeof parsed).toBe(Number.isSafeInteger(Number(value)) ? "number" : "bigint");
        expect(parseBigInteger(String(value))).toBe(value);
      }),
    );
  });

  test.each([
    "",
    " ",
    "1 ",
    " 1",
    "+1",
    "01",
    "-0",
    "-01",
    "1.0",
    "1e3",
    "0x10",
    "abc",
    "--1",
    "9223372036854775808",
    "-9223372036854775809",
    "99999999999999999999",
  ])("%j is none", (text) => {
    expect(parseInteger(text)).toBeNull();
    expect(parseBigInteger(text)).toBeNull();
  });

  test("are narrowed and clamped at 2^53", () => {
    expect(narrowed(2n ** 53n - 1n)).toBe(Number.MAX_SAFE_INTEGER);
    expect(narrowed(2n ** 53n)).toBe(2n ** 53n);
    expect(clamped(INT64_MAX)).toBe(Number.MAX_SAFE_INTEGER);
    expect(clamped(INT64_MIN)).toBe(Number.MIN_SAFE_INTEGER);
    expect(clamped(-3)).toBe(-3);
  });
});

describe("floating point numbers", () => {
  test.each([
    ["1", 1],
    ["-1.5", -1.5],
    ["+2", 2],
    [".5", 0.5],
    ["5.", 5],
    ["1e3", 1_000],
    ["1E-2", 0.01],
    ["010", 10],
    ["inf", Number.POSITIVE_INFINITY],
    ["-Infinity", Number.NEGATIVE_INFINITY],
  ])("%s is %d", (text, value) => {
    expect(parseFloat64(text)).toBe(value);
  });

  test.each(["", " 1", "1 ", "nan", ".", "e5", "1e", "1.2.3", "abc", "1_0"])("%j is none", (text) => {
    expect(parseFloat64(text)).toBeNull();
  });
});
