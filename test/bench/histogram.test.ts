import { describe, expect, it } from "vitest";
import { Histogram } from "./histogram.ts";

describe("a histogram", () => {
  it("answers quantiles within 1.6 % of the true ones", () => {
    const histogram = new Histogram();
    for (let microseconds = 1; microseconds <= 100_000; microseconds++)
      histogram.record(microseconds / 1_000);
    expect(histogram.total).toBe(100_000);
    for (const quantile of [0.001, 0.01, 0.5, 0.9, 0.99, 1]) {
      const trueMs = quantile * 100;
      expect(Math.abs(histogram.quantileMs(quantile) - trueMs) / trueMs).toBeLessThan(0.016);
    }
  });

  it("counts an operation as often as it is told", () => {
    const histogram = new Histogram();
    histogram.record(1, 98);
    histogram.record(50, 2);
    expect(histogram.quantileMs(0.98)).toBeCloseTo(1, 1);
    expect(histogram.quantileMs(0.99)).toBeCloseTo(50, 0);
  });

  it("takes what is beyond its range as the longest it knows", () => {
    const histogram = new Histogram();
    histogram.record(10_000_000);
    expect(histogram.quantileMs(1)).toBeGreaterThan(130_000);
  });

  it("answers 0 when nothing was recorded", () => {
    expect(new Histogram().quantileMs(0.5)).toBe(0);
  });
});
