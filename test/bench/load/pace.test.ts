import { describe, expect, it } from "vitest";
import { Pace } from "./pace.ts";

describe("a pace", () => {
  it("lets one batch go at a time, each when it is due", () => {
    const pace = new Pace(100, 10);
    const taken = [99, 100, 101, 109.9, 110.5, 119, 120].map((nowMs) => pace.take(nowMs, true));
    expect(taken).toEqual([null, 100, null, null, 110.5, null, 120]);
  });

  it("counts what waited for a slow reply from when it was due, all of it", () => {
    const pace = new Pace(0, 10);
    expect(pace.take(0, true)).toBe(0);
    // The reply comes after 35 ms, the following at once.
    expect([35, 36, 37, 38].map((nowMs) => pace.take(nowMs, false))).toEqual([10, 20, 30, null]);
    expect(pace.take(40, true)).toBe(40);
  });

  it("leaves out what the load was late for by itself", () => {
    const pace = new Pace(0, 10);
    expect(pace.take(35, true)).toBe(35);
    expect(pace.take(44, false)).toBe(null);
    expect(pace.take(46, false)).toBe(45);
  });
});
