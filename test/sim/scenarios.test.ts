/**
 * What happens to fleets whose machines come and go, as scripts with bounds in virtual time. A few seeds of each; more with
 * `CREMA_SCENARIO_SEEDS=100`, or `npx crema sim scenario NAME --seeds 1000`.
 */
import { describe, expect, test } from "vitest";
import { SCENARIOS } from "../../src/sim/scenarios/all-scenarios.ts";
import { replayScenario, type ScenarioReport } from "../../src/sim/scenarios/scenario.ts";
import { runScenario } from "../../src/sim/scenarios/scenario-run.ts";

const SEEDS_DEFAULT = 2;
const SEED_TIMEOUT_MS = 60_000;
const seeds = Number(process.env.CREMA_SCENARIO_SEEDS ?? SEEDS_DEFAULT);

function told({ failure, options }: ScenarioReport): string {
  if (failure === null) return "";
  const { checker, message, details, atMs, lastEvents } = failure;
  return [
    `${checker} at ${atMs.toFixed(1)} ms: ${message}`,
    details,
    replayScenario(options),
    ...lastEvents,
  ].join("\n");
}

describe.each(SCENARIOS)("$name: $meaning", ({ name }) => {
  const numbers = Array.from({ length: seeds }, (_, at) => 1 + at);

  test.each(numbers)("seed %i", { timeout: SEED_TIMEOUT_MS }, async (seed) => {
    const report = await runScenario({ scenario: name, seed: BigInt(seed) });
    expect(report.failure, told(report)).toBeNull();
    expect(report.operations.acknowledged).toBeGreaterThan(0);
    expect(Object.keys(report.measured)).not.toHaveLength(0);
  });
});

/** Where a scenario found a bug of the product, which has a test of its own besides. */
const FOUND: readonly { scenario: string; seed: number; bug: string }[] = [
  {
    scenario: "minority-partition",
    seed: 3008,
    bug: "a member removed while it was cut off never heard of it",
  },
  {
    scenario: "minority-partition",
    seed: 3069,
    bug: "a dial from before a cut was waited for after it had healed",
  },
  { scenario: "minority-partition", seed: 3071, bug: "a node that came back moved groups by its old map" },
  { scenario: "minority-partition", seed: 3082, bug: "a lost request for a vote was not repeated" },
];

test.each(FOUND)("$scenario, seed $seed: $bug", { timeout: SEED_TIMEOUT_MS }, async ({ scenario, seed }) => {
  const report = await runScenario({ scenario, seed: BigInt(seed) });
  expect(report.failure, told(report)).toBeNull();
});

test("the same seed tells the same story, another one another", {
  timeout: 3 * SEED_TIMEOUT_MS,
}, async () => {
  const run = (seed: bigint) => runScenario({ scenario: "voter-dies", seed });
  const once = await run(1n);
  expect(await run(1n)).toEqual(once);
  expect((await run(2n)).traceHash).not.toBe(once.traceHash);
});
