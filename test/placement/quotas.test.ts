import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quotasOf, type Vessel } from "../../src/placement/quotas.ts";

const vessel = (weight: number, cap = 100, zone = 0): Vessel => ({ weight, cap, zone });

describe("quotas", () => {
  it.each([
    ["equal weights share equally", 12, 99, [vessel(1), vessel(1), vessel(1)], ["4-4", "4-4", "4-4"]],
    [
      "what does not divide leaves room for one more",
      10,
      99,
      [vessel(1), vessel(1), vessel(1)],
      ["3-4", "3-4", "3-4"],
    ],
    ["shares follow weights", 12, 99, [vessel(1), vessel(2), vessel(3)], ["2-2", "4-4", "6-6"]],
    [
      "what one cannot hold the others take",
      12,
      99,
      [vessel(10, 4), vessel(1), vessel(1)],
      ["4-4", "4-4", "4-4"],
    ],
    [
      "a full zone leaves the rest to others",
      12,
      6,
      [vessel(5), vessel(5), vessel(1, 99, 1)],
      ["3-3", "3-3", "6-6"],
    ],
    ["what fits nowhere is left out", 50, 99, [vessel(1, 5), vessel(1, 6)], ["5-5", "6-6"]],
  ])("%s", (_, total, zoneCap, vessels, expected) => {
    const quotas = quotasOf(total, vessels, zoneCap);
    expect(quotas.map(({ low, high }) => `${low}-${high}`)).toEqual(expected);
  });

  it("bound the total from both sides and respect every cap", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            zone: fc.nat(3),
            weight: fc.double({ min: 0.1, max: 10, noNaN: true }),
            cap: fc.integer({ min: 1, max: 50 }),
          }),
          { minLength: 1, maxLength: 20 },
        ),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 200 }),
        (vessels, total, zoneCap) => {
          const quotas = quotasOf(total, vessels, zoneCap);
          const zones = new Map<number, number>();
          for (const { zone, cap } of vessels) zones.set(zone, (zones.get(zone) ?? 0) + cap);
          let room = 0;
          for (const caps of zones.values()) room += Math.min(caps, zoneCap);
          const fits = Math.min(total, room);
          expect(quotas.reduce((sum, { low }) => sum + low, 0)).toBeLessThanOrEqual(fits);
          expect(quotas.reduce((sum, { high }) => sum + high, 0)).toBeGreaterThanOrEqual(fits);
          for (const [at, { low, high }] of quotas.entries()) {
            expect(high - low).toBeLessThanOrEqual(1);
            expect(high).toBeLessThanOrEqual(vessels[at]?.cap ?? 0);
          }
        },
      ),
    );
  });
});
