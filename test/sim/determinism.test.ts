/**
 * One seed, one history: what makes every finding of the simulator repeatable.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type RunOptions, resolveRunOptions } from "../../src/sim/run-options.ts";
import { runSeed } from "../../src/sim/run-seed.ts";

const SEEDS = 200;

/** Small worlds, everything switched on by turns. */
function small(seed: number): RunOptions {
  return resolveRunOptions({ seed: BigInt(seed), nodes: 3, shards: 2, clients: 3, chaosMs: 1_200 });
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("a seed", () => {
  test(`gives the same history twice, and another seed another one (${SEEDS} seeds)`, async () => {
    const hashes = new Set<string>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const once = await runSeed(small(seed));
      const again = await runSeed(small(seed));
      expect(again, `seed ${seed}`).toEqual(once);
      expect(once.failure, `seed ${seed}`).toBeNull();
      hashes.add(once.traceHash);
    }
    expect(hashes.size).toBe(SEEDS);
  }, 180_000);

  test("gives the same history in another process, whatever ran before", async () => {
    const { traceHash } = await runSeed(small(7));
    const cli = new URL("../../dist/cli/crema.js", import.meta.url).pathname;
    const flags = "sim run --seed 7 --nodes 3 --shards 2 --clients 3 --minutes 0.02 --json".split(" ");
    const { stdout } = await promisify(execFile)(process.execPath, [cli, ...flags]);
    expect(stdout).toContain(traceHash);
  }, 60_000);

  test("gives the same history whether or not anybody listens", async () => {
    const lines: string[] = [];
    const told = await runSeed(small(11), { onLine: (_at, who, text) => lines.push(`${who} ${text}`) });
    expect(await runSeed(small(11))).toEqual(told);
    expect(lines.length).toBeGreaterThan(20);
  });

  test("reaches no real clock, chance or timer", async () => {
    const refuse = (what: string) => () => {
      throw new Error(`${what} was reached`);
    };
    const { traceHash } = await runSeed(small(5));
    for (const timer of ["setTimeout", "setInterval", "setImmediate", "queueMicrotask"])
      vi.stubGlobal(timer, refuse(timer));
    vi.stubGlobal("performance", { now: refuse("performance.now") });
    vi.spyOn(Date, "now").mockImplementation(refuse("Date.now"));
    vi.spyOn(Math, "random").mockImplementation(refuse("Math.random"));
    expect((await runSeed(small(5))).traceHash).toBe(traceHash);
  });
});
