import { describe, expect, it } from "vitest";
import type { Outcome } from "../job.ts";
import { CHECKPOINTS } from "./checkpoints.ts";
import type { Evidence } from "./disturbance.ts";
import { figuresOf, objectionsTo, tablesOf } from "./steady-report.ts";
import type { SteadyRow, SteadyWindow } from "./steady-run.ts";

describe("the report of steady reads", () => {
  it("compares the p99 of each disturbed window with that of its quiet one", () => {
    const [linearizable, local] = figuresOf(
      rowOf(
        [windowOf(9, { checkpoints: 5 }), windowOf(3, {})],
        [windowOf(8, { checkpoints: 5 }), windowOf(2, {})],
      ),
    );
    expect(linearizable).toMatchObject({ ratios: [3, 4], ratio: 3.5, busy: 4, missing: 0 });
    expect(linearizable?.disturbed).toEqual({ p50Ms: 1, p99Ms: 8.5, p999Ms: 20, maxMs: 30 });
    expect(linearizable?.quiet.p99Ms).toBe(2.5);
    // Local reads take half as long here, with and without.
    expect(local).toMatchObject({ ratio: 3.5, busy: 4, missing: 0 });
    expect(local?.disturbed.p99Ms).toBe(4.25);
  });

  it("has nothing against windows that were disturbed and quiet as they should be", () => {
    const quiet = windowOf(1, { checkpoints: 0, bytes: 2 });
    expect(objectionsTo(rowOf([windowOf(1, { checkpoints: 1, bytes: 100 }), quiet]))).toEqual([]);
  });

  it("objects when anything that should disturb did not happen", () => {
    const quiet = windowOf(1, {});
    const rows = rowOf(
      [windowOf(1, { checkpoints: 1, bytes: 0 }), quiet],
      [windowOf(1, { checkpoints: 0, bytes: 1 }), quiet],
    );
    expect(objectionsTo(rows)).toEqual([
      "checkpoints, pair 1: no bytes while it should have been disturbed",
      "checkpoints, pair 2: no checkpoints while it should have been disturbed",
    ]);
  });

  it("objects when reads did not find what was stored, quiet or not", () => {
    const lossy = { ...windowOf(1, {}), reads: { linearizable: outcomeOf(1), local: outcomeOf(1, 2) } };
    expect(objectionsTo(rowOf([windowOf(1, { checkpoints: 10 }), lossy]))).toEqual([
      "checkpoints, pair 1: 2 reads found nothing of what was stored",
    ]);
  });

  it("objects when it happened in quiet windows, too", () => {
    const pair = [windowOf(1, { checkpoints: 10 }), windowOf(1, { checkpoints: 1 })] as const;
    expect(objectionsTo(rowOf(pair))).toEqual([
      "checkpoints, pair 1: checkpoints while it should have been quiet",
    ]);
  });

  it("tells how much happened, the least of all windows", () => {
    const quiet = windowOf(1, {});
    const text = tablesOf([
      rowOf([windowOf(1, { checkpoints: 25 }), quiet], [windowOf(1, { checkpoints: 12 }), quiet]),
    ]);
    expect(text).toContain("12 checkpoints");
    expect(text).toContain("1.00 + 0.20 + 0.30");
  });
});

/** Pairs of a disturbed and a quiet window. */
function rowOf(...pairs: readonly (readonly [SteadyWindow, SteadyWindow])[]): SteadyRow {
  return {
    kind: CHECKPOINTS,
    perSecond: 1_000,
    run: { pairs: pairs.map(([ours, peer]) => ({ ours, peer })), runAgain: 0, disturbed: 0 },
  };
}

function windowOf(p99Ms: number, evidence: Evidence): SteadyWindow {
  return {
    seconds: 5,
    reads: { linearizable: outcomeOf(p99Ms), local: outcomeOf(p99Ms / 2) },
    evidence,
    cpu: { ofProcess: new Map(), own: 1.5, foreign: 0, steal: 0 },
    disturbance: null,
    nodeCores: 1,
    readCores: 0.2,
    otherCores: 0.3,
  };
}

function outcomeOf(p99Ms: number, missing = 0): Outcome {
  const tail = { p999Ms: 20, maxMs: 30 };
  return { operations: 2_500, seconds: 5, p50Ms: 1, p99Ms, tail, busy: 1, missing };
}
