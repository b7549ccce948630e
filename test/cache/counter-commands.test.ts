import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { faultOf, ShardDriver } from "./shard-driver.ts";

const MAX = "9223372036854775807";
const MIN = "-9223372036854775808";

describe("increment", () => {
  it("counts from nothing and keeps the expiry", () => {
    const shard = new ShardDriver();
    expect(shard.run({ type: "increment", key: "n", by: 5 })).toBe(5);
    shard.run({ type: "expire", key: "n", ttlMs: 77, condition: "always" });
    expect(shard.run({ type: "increment", key: "n", by: -7 })).toBe(-2);
    expect([shard.get("n"), shard.ttl("n")]).toEqual(["-2", 77]);
  });

  it.each([
    "",
    " 1",
    "1 ",
    "+1",
    "01",
    "-0",
    "1.0",
    "1e3",
    "0x1",
    "abc",
    "--1",
    "1\0",
    "9223372036854775808",
    "12345678901234567890123",
  ])("refuses %j as an integer, as Redis does", (text) => {
    const shard = new ShardDriver();
    shard.set("n", text);
    expect(faultOf(shard.run({ type: "increment", key: "n", by: 1 }))).toBe("not-an-integer");
    expect(shard.get("n")).toBe(text);
  });

  it.each([
    [MAX, 0, MAX],
    [MIN, 0, MIN],
    ["9007199254740991", 1, "9007199254740992"],
    ["9007199254740993", -3, "9007199254740990"],
    [MAX, -1n, "9223372036854775806"],
    [MIN, 9223372036854775807n, "-1"],
    ["-9007199254740993", 1, "-9007199254740992"],
  ])("is exact over 64 bits: %s + %s = %s", (old, by, sum) => {
    const shard = new ShardDriver();
    shard.set("n", old);
    const reply = shard.run({ type: "increment", key: "n", by });
    expect(String(reply)).toBe(sum);
    expect(typeof reply).toBe(Number.isSafeInteger(Number(sum)) ? "number" : "bigint");
    expect(shard.get("n")).toBe(sum);
  });

  it.each([
    [MAX, 1],
    [MIN, -1],
    [MAX, 9223372036854775807n],
    [MIN, -9223372036854775808n],
  ])("refuses to leave 64 bits: %s + %s", (old, by) => {
    const shard = new ShardDriver();
    shard.set("n", old);
    expect(faultOf(shard.run({ type: "increment", key: "n", by }))).toBe("increment-overflow");
    expect(shard.get("n")).toBe(old);
  });

  it("agrees with arithmetic over all 64-bit integers", () => {
    const int64 = fc.bigInt({ min: BigInt(MIN), max: BigInt(MAX) });
    fc.assert(
      fc.property(int64, int64, (left, right) => {
        const shard = new ShardDriver();
        shard.set("n", left.toString());
        const sum = left + right;
        const reply = shard.run({ type: "increment", key: "n", by: right });
        if (BigInt.asIntN(64, sum) === sum) expect(String(reply)).toBe(sum.toString());
        else expect(faultOf(reply)).toBe("increment-overflow");
      }),
    );
  });
});

describe("increment-float", () => {
  it.each([
    ["10.50", 0.1, "10.6"],
    ["5.0e3", 2.0e2, "5200"],
    ["1", -1.1, "-0.1"],
    ["0.1", 0.2, "0.3"],
    ["17179869184", 1.5, "17179869185.5"],
    ["3", 1.1, "4.1"],
    ["3.0", 1, "4"],
    ["-5", 5, "0"],
    ["1e17", 1, "100000000000000001"],
    [".5", 0.5, "1"],
    ["5.", 0.25, "5.25"],
    ["+1.5", 1, "2.5"],
    ["1e-30", 0, "0"],
    ["123456789012345678.125", 0.5, "123456789012345678.625"],
    ["0.00000000000000001", 0, "0.00000000000000001"],
    ["0.000000000000000015", 0, "0.00000000000000002"],
    ["0.000000000000000005", 0, "0"],
    ["2E+2", 1e-7, "200.0000001"],
  ])("%s + %s prints as %s", (old, by, expected) => {
    const shard = new ShardDriver();
    shard.set("n", old);
    expect(shard.run({ type: "increment-float", key: "n", by })).toBe(expected);
    expect(shard.get("n")).toBe(expected);
  });

  it("counts from nothing and keeps the expiry", () => {
    const shard = new ShardDriver();
    expect(shard.run({ type: "increment-float", key: "n", by: 1.25 })).toBe("1.25");
    shard.run({ type: "expire", key: "n", ttlMs: 77, condition: "always" });
    shard.run({ type: "increment-float", key: "n", by: 1 });
    expect(shard.ttl("n")).toBe(77);
  });

  it("comes back to zero, never to a negative zero", () => {
    const shard = new ShardDriver();
    shard.run({ type: "increment-float", key: "n", by: 1 / 41 });
    expect(shard.run({ type: "increment-float", key: "n", by: -1 / 41 })).toBe("0");
  });

  it.each(["", " 1", "1 ", "1\x002", "abc", ".", "e5", "1e", "--1", "1,5", "nan", "1e400"])(
    "refuses %j as a number",
    (text) => {
      const shard = new ShardDriver();
      shard.set("n", text);
      expect(faultOf(shard.run({ type: "increment-float", key: "n", by: 1 }))).toBe("not-a-float");
    },
  );

  it("refuses sums that are not finite", () => {
    const shard = new ShardDriver();
    for (const by of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(faultOf(shard.run({ type: "increment-float", key: "n", by }))).toBe("increment-nan");
    }
    shard.set("n", "inf");
    expect(faultOf(shard.run({ type: "increment-float", key: "n", by: 1 }))).toBe("increment-nan");
    shard.set("n", "1.7e308");
    expect(faultOf(shard.run({ type: "increment-float", key: "n", by: 1.7e308 }))).toBe("increment-nan");
  });

  it("stays close to floating point arithmetic for any two numbers, without exponents", () => {
    const number = fc.double({ noNaN: true, min: -1e12, max: 1e12 });
    fc.assert(
      fc.property(number, number, (left, right) => {
        const shard = new ShardDriver();
        shard.set("n", String(left));
        const text = shard.run({ type: "increment-float", key: "n", by: right });
        expect(text).toMatch(/^(0|-?(0\.\d*[1-9]|[1-9]\d*(\.\d*[1-9])?))$/);
        expect(Math.abs(Number(text) - (left + right))).toBeLessThanOrEqual(
          Math.abs(left + right) * 1e-15 + 1e-17 + 1e-15 * Math.max(Math.abs(left), Math.abs(right)),
        );
      }),
    );
  });
});
