import { describe, expect, it } from "vitest";
import { type ChurnResult, runChurn } from "../../../src/sim/swim-fleet/churn.ts";
import { detectionOf } from "../../../src/sim/swim-fleet/detection.ts";
import { disseminationOf } from "../../../src/sim/swim-fleet/dissemination.ts";
import { distributionOf } from "../../../src/sim/swim-fleet/distribution.ts";
import { FIRST_PROBE_PERIODS_LIMIT } from "../../../src/sim/swim-fleet/expectations.ts";

describe("detection among 64", () => {
  const churns = Array.from({ length: 10 }, (_, seed) =>
    runChurn({ members: 64, crashes: 10, seed: BigInt(seed) }),
  );
  const detections = churns.map(detectionOf);

  it("takes e / (e - 1) periods to the first probe, on average", () => {
    const rounds = churns.flatMap(({ crashes }) =>
      crashes.map(({ firstProbeMs }) => Math.ceil(firstProbeMs / 1_000)),
    );
    // Whole periods are about geometric with p = 1 - 1/e, so their deviation is sqrt(1 - p) / p = 0.96; that of the
    // mean of 100 is 0.096. The band is three of them, and the 0.015 by which 64 members differ from infinitely many.
    expect(rounds.length).toBe(100);
    expect(Math.abs(distributionOf(rounds).mean - FIRST_PROBE_PERIODS_LIMIT)).toBeLessThan(0.3);
  });

  it("suspects a period after that probe, and declares dead a shortest suspicion later", () => {
    for (const { crashes } of churns) {
      for (const crash of crashes) {
        expect(crash.firstSuspicionMs - crash.firstProbeMs).toBeCloseTo(1_000, 6);
        // Both confirmations that shorten the suspicion have come by then, unless chance withheld them for long.
        expect(crash.firstDeathMs - crash.firstSuspicionMs).toBeGreaterThanOrEqual(7_224);
        expect(crash.deadForAllMs).toBeGreaterThanOrEqual(crash.firstDeathMs);
      }
    }
    const deaths = churns.flatMap(({ crashes }) =>
      crashes.map((each) => each.firstDeathMs - each.firstSuspicionMs),
    );
    expect(distributionOf(deaths).median).toBeLessThan(7_300);
  });

  it("never leaves a crash unprobed for 2n - 1 periods, and declares nobody dead who lives", () => {
    for (const { firstProbeRounds, expected, falseDeaths } of detections) {
      expect(firstProbeRounds.max).toBeLessThanOrEqual(expected.firstProbeMax);
      expect(falseDeaths).toBe(0);
    }
  });

  it("is the same history for the same seed", () => {
    const again = runChurn({ members: 64, crashes: 10, seed: 0n });
    expect(again).toEqual(churns[0]);
    expect(new Set(churns.map(({ traceHash }) => traceHash)).size).toBe(churns.length);
  });
});

describe("dissemination", () => {
  it("grows like log n: sixteen times the members take a few times as long", () => {
    const seed = 11n;
    const small = disseminationOf(runChurn({ members: 16, crashes: 50, seed }));
    const large = disseminationOf(runChurn({ members: 256, crashes: 4, seed }));
    // ln 256 is twice ln 16. Among 16 most news is with all before the second interval, which costs almost nothing, so
    // that the ratio may well be 4 or 5; growth in proportion to n would make it 16. The bound is half of that.
    for (const of of ["suspicion", "join"] as const) {
      const ratio = large[of].mean / small[of].mean;
      expect(ratio, of).toBeGreaterThan(1);
      expect(ratio, of).toBeLessThan(8);
      expect(large[of].mean).toBeLessThan(large.expected.busyMs);
      expect(small[of].mean).toBeLessThan(small.expected.busyMs);
    }
  });

  it("counts a join as missed by gossip when only a state exchange completed it", () => {
    const churn = (knownToAllMs: number): ChurnResult["joins"][number] => ({ knownToAllMs });
    const { options } = runChurn({ members: 8, crashes: 1, seed: 1n });
    const result: ChurnResult = {
      members: 8,
      options,
      crashes: [],
      joins: [churn(200), churn(30_000)],
      falseDeaths: 0,
      virtualMs: 0,
      traceHash: "",
    };
    expect(disseminationOf(result).joinsMissed).toBe(0.5);
  });
});
