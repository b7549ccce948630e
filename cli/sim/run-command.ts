/**
 * `crema sim run`: many seeds, or one to look at closely.
 */
import { availableParallelism } from "node:os";
import type { RunReport } from "../../src/sim/run-report.ts";
import { shrink } from "../../src/sim/shrink.ts";
import type { OperatorCommand } from "../operator/command.ts";
import type { Colours } from "../terminal/colours.ts";
import { Campaign } from "./campaign.ts";
import { EXIT_INTERRUPTED, onInterrupt } from "./interrupt.ts";
import { headingLines } from "./progress-view.ts";
import { reportLines, shrunkLines, traceLine } from "./report-view.ts";
import { RUN_FLAGS, type RunPlan, readRunFlags } from "./run-flags.ts";
import { runDocument } from "./run-json.ts";
import { RunScreen } from "./run-screen.ts";
import { PoolClosed, type SeedPool, WorkerPool } from "./seed-pool.ts";
import { sourceVersion } from "./source-version.ts";
import { summaryLines } from "./summary-view.ts";

export const runCommand: OperatorCommand = runCommandWith((jobs) => new WorkerPool(jobs));

/** The command over any pool: tests bring one that makes reports up. */
export function runCommandWith(openPool: (jobs: number) => SeedPool): OperatorCommand {
  return {
    name: "sim run",
    usage: "",
    meaning: "clusters in virtual time under random faults, one per seed; every promise is checked",
    flags: RUN_FLAGS,
    examples: [
      ["$0 sim run --seeds 1000", "a thousand histories; exit code 1 if any breaks a promise"],
      ["$0 sim run --seed 42 --trace", "one history, line by line"],
      ["$0 sim run --faults partition,crash --minutes 5", "five virtual minutes of two kinds of faults each"],
    ],
    async run({ flags }, { colours, stdout }) {
      const plan = readRunFlags(flags, availableParallelism());
      const pool = openPool(plan.jobs);
      const forget = onInterrupt(() => void pool.close());
      try {
        return await carryOut(plan, pool, new RunScreen(stdout, colours, plan.json), colours);
      } finally {
        forget();
        await pool.close();
      }
    },
  };
}

async function carryOut(plan: RunPlan, pool: SeedPool, screen: RunScreen, colours: Colours): Promise<number> {
  const campaign = new Campaign(plan, pool, () => performance.now());
  if (plan.trace) campaign.onLines = (lines) => screen.print(lines.map((line) => traceLine(line, colours)));
  if (!plan.single) campaign.onReport = (report) => screen.reported(report);
  screen.print([...headingLines(plan, colours), ...(plan.trace ? [""] : [])]);
  if (!plan.trace) screen.follow(campaign);
  await campaign.run();
  screen.end();
  screen.print(["", ...endLines(campaign, colours)]);
  const failed = campaign.tally.failures[0];
  const shrunk = plan.shrink && failed !== undefined ? await smaller(failed, pool, screen, colours) : null;
  if (plan.json) screen.document(runDocument(campaign, sourceVersion(), shrunk));
  if (campaign.tally.failed > 0) return 1;
  return campaign.complete ? 0 : EXIT_INTERRUPTED;
}

/** The summary; of a single seed its report first. */
function endLines(campaign: Campaign, colours: Colours): readonly string[] {
  const summary = summaryLines(campaign, colours);
  if (!campaign.plan.single || campaign.last === null) return summary;
  return [...reportLines(campaign.last, sourceVersion(), colours), "", ...summary];
}

/** Shrinks `failed`, showing how far it is. When it is interrupted, the smallest run so far counts. */
async function smaller(
  failed: RunReport,
  pool: SeedPool,
  screen: RunScreen,
  colours: Colours,
): Promise<RunReport> {
  let smallest = failed;
  screen.print(["", colours.bold(`shrinking seed ${failed.options.seed}`)]);
  try {
    smallest = await shrink(
      failed,
      (options) => pool.run(options),
      ({ tries, options }) => {
        smallest = { ...smallest, options };
        screen.shrinking(tries, options);
      },
    );
  } catch (error) {
    if (!(error instanceof PoolClosed)) throw error;
  }
  screen.end();
  screen.print(shrunkLines(failed, smallest, colours));
  return smallest;
}
