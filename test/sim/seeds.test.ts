/**
 * Whole fleets under every fault there is, a fixed set of seeds: what `npm test` runs of the simulator. `npm run sim` runs
 * random ones, and `npx crema sim run --seed N --trace` tells what happened in one.
 */
import { describe, expect, test } from "vitest";
import { replayCommand, resolveRunOptions } from "../../src/sim/run-options.ts";
import type { RunReport } from "../../src/sim/run-report.ts";
import { runSeed } from "../../src/sim/run-seed.ts";

const CHAOS_MS = 12_000;
const SEEDS = Array.from({ length: 40 }, (_, at) => 1 + at);

/** What a failing test prints: enough to run it again and to begin to understand it. */
function told({ failure, options }: RunReport): string {
  if (failure === null) return "";
  const { checker, message, details, atMs, lastEvents } = failure;
  return [
    `${checker} at ${atMs.toFixed(1)} ms: ${message}`,
    details,
    replayCommand(options),
    ...lastEvents,
  ].join("\n");
}

describe("a fleet of five under faults drawn from the seed", () => {
  const injected = new Map<string, number>();

  test.each(SEEDS)("keeps every promise (seed %i)", { timeout: 60_000 }, async (seed) => {
    const report = await runSeed(resolveRunOptions({ seed: BigInt(seed), chaosMs: CHAOS_MS }));
    expect(report.failure, told(report)).toBeNull();
    expect(report.operations.acknowledged).toBeGreaterThan(20);
    for (const [kind, count] of Object.entries(report.injected))
      injected.set(kind, (injected.get(kind) ?? 0) + count);
  });

  test("meets every kind of fault in some of these seeds", () => {
    const { faults } = resolveRunOptions({ seed: 0n });
    const missing = faults.filter((kind) => !injected.has(kind));
    expect(missing).toEqual([]);
  });
});

describe("a fleet of another shape", () => {
  test.each([
    { nodes: 1, shards: 4, replicationFactor: 1 },
    { nodes: 3, shards: 8, replicationFactor: 3 },
    { nodes: 7, shards: 4, replicationFactor: 5 },
    { nodes: 9, shards: 16, replicationFactor: 3 },
  ])(
    "keeps every promise: $nodes nodes, $shards shards, factor $replicationFactor",
    async (shape) => {
      for (const storage of ["memory", "disk"] as const) {
        const report = await runSeed(resolveRunOptions({ seed: 4n, chaosMs: CHAOS_MS, storage, ...shape }));
        expect(report.failure, told(report)).toBeNull();
      }
    },
    120_000,
  );
});
