/**
 * What happens to clocks. Wall clocks are wrong from the start and jump by up to an hour either way; monotonic clocks start
 * anywhere and run a little fast or slow, but never step: no operating system lets them.
 */
import type { Random } from "../../base/random.ts";
import { drawLife, type Fault } from "./fault.ts";

const HOUR_MS = 3_600_000;
/** Crystals are within 100 ppm; a virtual machine that is moved may be worse. */
export const CLOCK_DRIFT_MAX = 0.001;

const skew: Fault = {
  kind: "clock-skew",
  begin(tools) {
    for (const machine of tools.fleet.machines) {
      machine.clocks = { ...machine.clocks, wallSkewMs: drawHour(tools.random) };
      tools.count("clock-skew");
    }
  },
};

const step: Fault = {
  kind: "clock-step",
  inject(tools) {
    const life = drawLife(tools);
    if (life === null) return null;
    const byMs = drawHour(tools.random);
    life.process.wallSkewMs += byMs;
    return `the wall clock of ${life.name} jumps by ${(byMs / 1_000).toFixed(0)} s`;
  },
};

const drift: Fault = {
  kind: "clock-drift",
  begin(tools) {
    for (const machine of tools.fleet.machines) {
      const rate = 1 + (tools.random.nextFloat() * 2 - 1) * CLOCK_DRIFT_MAX;
      machine.clocks = { ...machine.clocks, rate, originMs: tools.random.nextFloat() * 10 * HOUR_MS };
      tools.count("clock-drift");
    }
  },
};

function drawHour(random: Random): number {
  return (random.nextFloat() * 2 - 1) * HOUR_MS;
}

export const CLOCK_FAULTS: readonly Fault[] = Object.freeze([skew, step, drift]);
