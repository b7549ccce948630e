/**
 * Shrinking against made-up worlds, in which it is known what a failure needs.
 */
import { describe, expect, it } from "vitest";
import { FAULT_KINDS, type FaultKind } from "../../src/sim/fault-kind.ts";
import { type RunOptions, resolveRunOptions } from "../../src/sim/run-options.ts";
import type { RunReport } from "../../src/sim/run-report.ts";
import { shrink } from "../../src/sim/shrink.ts";

const ENABLED: readonly FaultKind[] = ["loss", "partition", "crash", "pause", "clock-step", "join"];

function reportOf(options: RunOptions, checker: string | null): RunReport {
  const failure =
    checker === null ? null : { checker, message: "broken", details: "", atMs: 5_000, lastEvents: [] };
  return {
    options,
    failure,
    traceHash: "0",
    durable: false,
    enabled: options.swarm ? ENABLED.filter((kind) => options.faults.includes(kind)) : options.faults,
    injected: {},
    virtualMs: 1,
    events: 1,
    evictions: { memory: 0, idle: 0 },
    operations: { acknowledged: 0, failed: 0, ambiguous: 0 },
  };
}

/** A world that says of every run which checker complains, if any; counts what it is asked. */
class World {
  readonly asked: RunOptions[] = [];
  readonly #checker: (options: RunOptions) => string | null;

  constructor(checker: (options: RunOptions) => string | null) {
    this.#checker = checker;
  }

  readonly run = async (options: RunOptions): Promise<RunReport> => {
    this.asked.push(options);
    return reportOf(options, this.#checker(options));
  };
}

const start = resolveRunOptions({ seed: 7n });

describe("shrinking", () => {
  it("leaves what the failure needs, and nothing else", async () => {
    const world = new World(({ faults, nodes, shards, clients, chaosMs }) => {
      const needed = ["partition", "clock-step"] as const;
      const suffices = needed.every((kind) => faults.includes(kind));
      return suffices && nodes >= 3 && shards >= 2 && clients >= 1 && chaosMs >= 12_345 ? "lost" : null;
    });
    const { options, failure } = await shrink(reportOf(start, "lost"), world.run);
    expect(failure?.checker).toBe("lost");
    expect(options).toEqual({
      ...start,
      faults: ["partition", "clock-step"],
      swarm: false,
      nodes: 3,
      shards: 2,
      clients: 1,
      chaosMs: 13_000,
    });
    expect(world.asked.length).toBeLessThan(80);
  });

  it("goes down to one empty machine when anything fails", async () => {
    const world = new World(() => "lost");
    const { options } = await shrink(reportOf(start, "lost"), world.run);
    expect(options).toMatchObject({ faults: [], swarm: false, nodes: 1, shards: 1, clients: 0, chaosMs: 0 });
    expect(world.asked.length).toBeLessThan(10);
  });

  it("keeps no run that fails otherwise", async () => {
    const world = new World(({ nodes, clients }) => (nodes < 5 || clients < 6 ? "another" : "lost"));
    const { options } = await shrink(reportOf(start, "lost"), world.run);
    expect(options).toMatchObject({ nodes: 5, clients: 6, shards: 1 });
  });

  it("stays with the draw of the seed where naming its faults makes the failure go away", async () => {
    const world = new World(({ swarm, faults }) => (swarm && faults.includes("pause") ? "lost" : null));
    const { options } = await shrink(reportOf(start, "lost"), world.run);
    expect(options).toMatchObject({ swarm: true, faults: ["pause"] });
  });

  it("returns the run it was given when nothing smaller fails, and asks nothing when nothing failed", async () => {
    const world = new World(() => null);
    const failed = reportOf(start, "lost");
    expect(await shrink(failed, world.run)).toBe(failed);
    const asked = world.asked.length;
    const passed = reportOf(start, null);
    expect(await shrink(passed, world.run)).toBe(passed);
    expect(world.asked.length).toBe(asked);
  });

  it("makes no run twice, none too many, and reports on each", async () => {
    for (const triesMax of [0, 1, 9, 200]) {
      const world = new World(({ faults, nodes }) => (faults.length >= 3 && nodes >= 2 ? "lost" : null));
      const heard: number[] = [];
      const progress = ({
        tries,
        options,
      }: {
        readonly tries: number;
        readonly options: RunOptions;
      }): void => {
        heard.push(tries);
        expect(options.faults.length).toBeGreaterThanOrEqual(3);
      };
      await shrink(reportOf(start, "lost"), world.run, progress, triesMax);
      expect(world.asked.length).toBeLessThanOrEqual(triesMax);
      expect(heard).toEqual(world.asked.map((_, index) => index + 1));
      const texts = world.asked.map((options) => JSON.stringify({ ...options, seed: "" }));
      expect(new Set(texts).size).toBe(texts.length);
    }
  });

  it("asks the same questions every time", async () => {
    const questions = async (): Promise<readonly RunOptions[]> => {
      const world = new World(({ faults, chaosMs }) =>
        faults.includes("crash") && chaosMs % 7_000 > 500 ? "lost" : null,
      );
      await shrink(reportOf({ ...start, faults: FAULT_KINDS }, "lost"), world.run);
      return world.asked;
    };
    expect(await questions()).toEqual(await questions());
  });
});
