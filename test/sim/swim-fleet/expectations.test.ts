import { describe, expect, it } from "vitest";
import { Random } from "../../../src/base/random.ts";
import { distributionOf } from "../../../src/sim/swim-fleet/distribution.ts";
import {
  FIRST_PROBE_PERIODS_LIMIT,
  firstProbePeriods,
  firstProbeWaitPeriods,
  gossipMissChance,
  leftAloneChance,
} from "../../../src/sim/swim-fleet/expectations.ts";
import { LAN_OPTIONS } from "../../../src/swim/options.ts";

describe("the expected first probe", () => {
  it("tends to e / (e - 1) whole periods, and to one period in continuous time", () => {
    const rounds = [16, 64, 250, 1_000, 100_000].map(firstProbePeriods);
    expect(rounds).toEqual([...rounds].sort((left, right) => left - right));
    expect(rounds.at(-1)).toBeCloseTo(FIRST_PROBE_PERIODS_LIMIT, 4);
    expect(firstProbeWaitPeriods(1_000)).toBeCloseTo(1, 2);
  });

  it("follows from shuffled rounds, one after another", () => {
    const random = new Random(0, 42);
    const slots = 8;
    const waits = Array.from({ length: 40_000 }, () => {
      const nowSlot = random.nextFloat() * slots;
      const place = random.nextFloat() * slots;
      return place > nowSlot ? place - nowSlot : slots - nowSlot + random.nextFloat() * slots;
    });
    for (const share of [0.1, 0.5, 0.9]) {
      const measured = waits.filter((wait) => wait > share * slots).length / waits.length;
      // Three standard deviations of a share of 40,000 are below 0.0075.
      expect(Math.abs(measured - leftAloneChance(share))).toBeLessThan(0.0075);
    }
  });
});

describe("the chance that gossip misses somebody", () => {
  it("is worst just below a power of ten, where one more member buys four more transmissions", () => {
    expect(gossipMissChance(LAN_OPTIONS, 98)).toBeGreaterThan(0.03);
    expect(gossipMissChance(LAN_OPTIONS, 101)).toBeLessThan(0.001);
  });
});

describe("a distribution", () => {
  it.each([
    [[], { count: 0, mean: Number.NaN, median: Number.NaN, p99: Number.NaN, max: Number.NaN }],
    [[4], { count: 1, mean: 4, median: 4, p99: 4, max: 4 }],
    [[10, 1, 3, 2], { count: 4, mean: 4, median: 2, p99: 10, max: 10 }],
  ])("of %j is the nearest rank of the sorted values", (values, expected) => {
    expect(distributionOf(values)).toEqual(expected);
  });
});
