import { expect, test } from "vitest";
import { LATENCY_BOUNDS_MS, LatencyBuckets } from "../../src/server/latency-buckets.ts";

test("an observation is counted in the first bucket whose bound it does not exceed", () => {
  for (const [bucket, boundMs] of LATENCY_BOUNDS_MS.entries()) {
    const latency = new LatencyBuckets();
    latency.observe(boundMs);
    latency.observe(boundMs * 1.001);
    expect(latency.counts[bucket]).toBe(1);
    expect(latency.counts[bucket + 1]).toBe(1);
  }
});

test("bounds ascend", () => {
  expect([...LATENCY_BOUNDS_MS].sort((left, right) => left - right)).toEqual(LATENCY_BOUNDS_MS);
});

test("total and sum count everything, and reset forgets it", () => {
  const latency = new LatencyBuckets();
  for (const ms of [0, 1, 20_000]) latency.observe(ms);
  expect([latency.total, latency.totalMs]).toEqual([3, 20_001]);
  expect(latency.counts.reduce((sum, count) => sum + count, 0)).toBe(3);
  latency.reset();
  expect([latency.total, latency.totalMs, Math.max(...latency.counts)]).toEqual([0, 0, 0]);
});
