import { describe, expect, it } from "vitest";
import {
  ALL_OF_LIFEGUARD,
  type FalsePositives,
  type LifeguardParts,
  NOTHING_OF_LIFEGUARD,
  runFalsePositives,
} from "../../../src/sim/swim-fleet/false-positives.ts";
import type { Slowness } from "../../../src/sim/swim-fleet/fleet-member.ts";

/** 6 of 60 members slow for 16 s, once. */
function run(slowness: Slowness, lifeguard: LifeguardParts): FalsePositives {
  return runFalsePositives({
    seed: 4n,
    members: 60,
    slowShare: 0.1,
    slowness,
    anomalyMs: 16_384,
    intervalMs: 1_024,
    durationMs: 16_384,
    lifeguard,
  });
}

describe("with a tenth of the members blocked", () => {
  const swim = run("blocked", NOTHING_OF_LIFEGUARD);
  const lifeguard = run("blocked", ALL_OF_LIFEGUARD);

  it("Lifeguard has fewer false positives at healthy members than SWIM, fifty times and more", () => {
    expect(swim.falsePositivesAtHealthy).toBeGreaterThan(1_000);
    expect(lifeguard.falsePositivesAtHealthy * 50).toBeLessThan(swim.falsePositivesAtHealthy);
    expect(lifeguard.falsePositives * 50).toBeLessThan(swim.falsePositives);
  });

  it("local health and dynamic suspicion each have fewer than SWIM on their own", () => {
    for (const part of ["localHealth", "dynamicSuspicion"] as const) {
      const alone = run("blocked", { ...NOTHING_OF_LIFEGUARD, [part]: true });
      expect(alone.falsePositivesAtHealthy, part).toBeLessThan(swim.falsePositivesAtHealthy);
    }
  });

  it("the same seed gives the same history, and every part of Lifeguard changes it", () => {
    expect(run("blocked", ALL_OF_LIFEGUARD)).toEqual(lifeguard);
    const hashes = (["localHealth", "dynamicSuspicion", "buddySystem"] as const).map(
      (part) => run("blocked", { ...ALL_OF_LIFEGUARD, [part]: false }).traceHash,
    );
    expect(new Set([lifeguard.traceHash, ...hashes]).size).toBe(4);
  });
});

describe("with a tenth of the members paused", () => {
  it("nobody healthy is declared dead, or suspected, even without Lifeguard: they notice that they did not run", () => {
    const { falsePositives, falseSuspicions, slowDeclaredDead } = run("paused", NOTHING_OF_LIFEGUARD);
    expect({ falsePositives, falseSuspicions }).toEqual({ falsePositives: 0, falseSuspicions: 0 });
    expect(slowDeclaredDead).toBeGreaterThan(0);
  });
});
