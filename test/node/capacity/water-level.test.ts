import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { waterLevel } from "../../../src/node/capacity/water-level.ts";

describe("the water level", () => {
  it.each([
    [[10, 10, 10], 15, 5],
    [[1, 2, 30], 9, 6],
    [[1, 20, 30], 21, 10],
    [[5], 0, 0],
    [[5, 5], -3, 0],
    [[3, 3], 6, Number.POSITIVE_INFINITY],
    [[], 0, Number.POSITIVE_INFINITY],
  ])("of %j under %i is %d", (usages, total, level) => {
    expect(waterLevel(usages, total)).toBe(level);
  });

  it("cuts only the largest, down to exactly the total", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1_000), { minLength: 1, maxLength: 50 }),
        fc.nat(20_000),
        (usages, total) => {
          const level = waterLevel(usages, total);
          const kept = usages.reduce((sum, usage) => sum + Math.min(usage, level), 0);
          const sum = usages.reduce((all, usage) => all + usage, 0);
          if (sum <= total) expect(level).toBe(Number.POSITIVE_INFINITY);
          else expect(kept).toBeCloseTo(total, 6);
        },
      ),
    );
  });

  it("stays where it is once some have come down to it: nobody is cut twice for others that have not yet", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1_000), { minLength: 2, maxLength: 20 }),
        fc.nat(5_000),
        fc.nat(1_000),
        (usages, total, chosen) => {
          const level = waterLevel(usages, total);
          const some = usages.map((usage, at) => (at % 3 === chosen % 3 ? Math.min(usage, level) : usage));
          const again = waterLevel(some, total);
          if (again !== Number.POSITIVE_INFINITY) expect(again).toBeCloseTo(level, 6);
        },
      ),
    );
  });
});
