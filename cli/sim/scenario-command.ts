/**
 * `crema sim scenario`: what happens to fleets whose machines come and go, told as scripts, each over many seeds.
 */
import { availableParallelism } from "node:os";
import type { ScenarioOptions, ScenarioReport } from "../../src/sim/scenarios/scenario.ts";
import type { OperatorCommand } from "../operator/command.ts";
import type { Colours } from "../terminal/colours.ts";
import { ProgressScreen } from "../terminal/progress-screen.ts";
import { counted } from "./figures.ts";
import { EXIT_INTERRUPTED, onInterrupt } from "./interrupt.ts";
import { traceLine } from "./report-view.ts";
import { readScenarioFlags, SCENARIO_FLAGS, type ScenarioPlan } from "./scenario-flags.ts";
import { ScenarioPool } from "./scenario-pool.ts";
import { ScenarioTally } from "./scenario-tally.ts";
import { scenarioList, scenarioReportLines, tallyLines } from "./scenario-view.ts";
import { sourceVersion } from "./source-version.ts";
import { PoolClosed, type RunPool } from "./thread-pool.ts";

type Pool = RunPool<ScenarioOptions, ScenarioReport>;

export const scenarioCommand: OperatorCommand = scenarioCommandWith((jobs) => new ScenarioPool(jobs));

/** The command over any pool: tests bring one that makes reports up. */
export function scenarioCommandWith(openPool: (jobs: number) => Pool): OperatorCommand {
  return {
    name: "sim scenario",
    usage: "[name]",
    meaning: "scripts of what happens to fleets whose machines come and go, with bounds in virtual time",
    flags: SCENARIO_FLAGS,
    examples: [
      ["$0 sim scenario --list", "what scenarios there are"],
      [
        "$0 sim scenario voter-dies --seeds 100",
        "a hundred histories of one; exit code 1 if one breaks a promise",
      ],
      ["$0 sim scenario voter-dies --seed 7 --trace", "one history, line by line"],
    ],
    async run({ positional, flags }, { colours, stdout }) {
      if (flags.list !== undefined) {
        stdout.write(`${scenarioList(colours).join("\n")}\n`);
        return 0;
      }
      const plan = readScenarioFlags(positional.name, flags, availableParallelism());
      const pool = openPool(plan.jobs);
      const forget = onInterrupt(() => void pool.close());
      try {
        return await carryOut(plan, pool, new ProgressScreen(stdout, plan.json), colours);
      } finally {
        forget();
        await pool.close();
      }
    },
  };
}

async function carryOut(
  plan: ScenarioPlan,
  pool: Pool,
  screen: ProgressScreen,
  colours: Colours,
): Promise<number> {
  const tallies = plan.scenarios.map((name) => new ScenarioTally(name));
  const total = plan.seeds * tallies.length;
  const done = (): string => {
    const runs = tallies.reduce((sum, tally) => sum + tally.done, 0);
    return `${runs} of ${counted(total, "run")} done`;
  };
  if (!plan.single)
    screen.print([
      colours.dim(`${counted(plan.seeds, "seed")} of each, from ${plan.first}; again: --first ${plan.first}`),
    ]);
  if (!plan.trace) screen.follow({ lines: () => [done()], text: done });
  let complete = true;
  for (const tally of tallies) {
    const reports = await runAll(plan, tally, pool, screen, colours);
    complete &&= reports !== null;
    if (reports === null) break;
    if (plan.single)
      for (const report of reports)
        screen.print([...(plan.trace ? [""] : []), ...scenarioReportLines(report, sourceVersion(), colours)]);
    screen.print(tallyLines(tally, colours));
  }
  screen.end();
  if (plan.json) screen.document(document(plan, tallies));
  if (tallies.some(({ failures }) => failures.length > 0)) return 1;
  return complete ? 0 : EXIT_INTERRUPTED;
}

/** All seeds of one scenario; null when the pool was closed meanwhile. */
async function runAll(
  plan: ScenarioPlan,
  tally: ScenarioTally,
  pool: Pool,
  screen: ProgressScreen,
  colours: Colours,
): Promise<readonly ScenarioReport[] | null> {
  const onLines: Parameters<Pool["run"]>[1] = plan.trace
    ? (lines) => screen.print(lines.map((line) => traceLine(line, colours)))
    : undefined;
  const reports: ScenarioReport[] = [];
  let handedOut = 0;
  const lane = async (): Promise<void> => {
    while (handedOut < plan.seeds) {
      const seed = plan.first + BigInt(handedOut++);
      const report = await pool.run({ scenario: tally.name, seed }, onLines);
      tally.add(report);
      reports.push(report);
    }
  };
  try {
    await Promise.all(Array.from({ length: plan.jobs }, lane));
  } catch (error) {
    if (error instanceof PoolClosed) return null;
    throw error;
  }
  return reports;
}

/** Everything as one JSON document. Seeds are text: JSON's numbers do not hold 64 bits. */
function document({ first, seeds }: ScenarioPlan, tallies: readonly ScenarioTally[]): string {
  const scenarios = tallies.map((tally) => ({
    name: tally.name,
    done: tally.done,
    virtualMs: tally.virtualMs,
    measured: tally.measured(),
    failures: tally.failures,
  }));
  const all = { version: sourceVersion(), first, seeds, scenarios };
  return JSON.stringify(all, (_, value) => (typeof value === "bigint" ? String(value) : value), 2);
}
