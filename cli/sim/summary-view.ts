/**
 * What is shown when seeds have been run: what they suffered, what it came to, and what to do about failures. Pure.
 */
import type { FaultKind } from "../../src/sim/fault-kind.ts";
import { replayCommand } from "../../src/sim/run-options.ts";
import type { RunReport } from "../../src/sim/run-report.ts";
import type { Colours } from "../terminal/colours.ts";
import { type Cell, textTable } from "../terminal/text-table.ts";
import type { Campaign } from "./campaign.ts";
import { counted, countText, rateText, spanText, virtualText } from "./figures.ts";
import { speedText } from "./progress-view.ts";
import type { RunTally } from "./run-tally.ts";

const FAILURES_SHOWN_MAX = 20;

/** What there is to say about a campaign that has ended or was stopped. */
export type Ended = Pick<Campaign, "plan" | "tally" | "running" | "last" | "elapsedMs" | "complete">;

/** Everything: faults, figures, verdict. */
export function summaryLines(ended: Ended, colours: Colours): readonly string[] {
  const faults = ended.plan.single ? (ended.last?.enabled ?? []) : ended.plan.options.faults;
  return [
    ...faultLines(faults, ended.tally, colours),
    "",
    ...figureLines(ended, colours),
    "",
    ...verdictLines(ended, colours),
  ];
}

/** Two columns of faults: in how many seeds each was switched on, and how often it came. */
export function faultLines(
  faults: readonly FaultKind[],
  tally: RunTally,
  colours: Colours,
): readonly string[] {
  if (faults.length === 0) return ["no faults"];
  const half = [
    { title: "FAULT" },
    { title: "SEEDS", align: "right" },
    { title: "TIMES", align: "right" },
  ] as const;
  const height = Math.ceil(faults.length / 2);
  const rows = Array.from({ length: height }, (_, row) => [
    ...faultCells(faults[row], tally, colours),
    "  ",
    ...faultCells(faults[row + height], tally, colours),
  ]);
  const lines = textTable([...half, { title: "" }, ...half], rows, colours.dim);
  return lines.map((line) => line.trimEnd());
}

function faultCells(kind: FaultKind | undefined, tally: RunTally, colours: Colours): readonly Cell[] {
  if (kind === undefined) return ["", "", ""];
  const { times, seeds } = tally.injected(kind);
  // A fault that was switched on and never came has tested nothing.
  const paint = times > 0 ? (text: string) => text : seeds > 0 ? colours.yellow : colours.dim;
  return [kind, { text: countText(seeds), paint }, { text: countText(times), paint }];
}

function figureLines({ plan, tally, elapsedMs }: Ended, colours: Colours): readonly string[] {
  const { acknowledged, failed, ambiguous } = tally.operations;
  const perSecond = elapsedMs === 0 ? 0 : (tally.events * 1_000) / elapsedMs;
  const figures = [
    ["simulated", `${virtualText(tally.virtualMs)}, ${speedText(tally.virtualMs, elapsedMs)}`],
    ["events", `${countText(tally.events)}, ${rateText(perSecond)} per second`],
    [
      "operations",
      `${countText(acknowledged)} acknowledged, ${countText(failed)} failed, ${countText(ambiguous)} ambiguous`,
    ],
    [
      "storage",
      `${counted(tally.durable, "seed")} on disks, ${countText(tally.done - tally.durable)} in memory`,
    ],
    ...(plan.options.limits === "none"
      ? []
      : [
          [
            "removed",
            `${counted(tally.evictions.memory, "key")} at limits, ${countText(tally.evictions.idle)} idle`,
          ] as const,
        ]),
    ["wall time", `${spanText(elapsedMs)} on ${counted(plan.jobs, "thread")}`],
  ] as const;
  return figures.map(([name, text]) => `${colours.dim(name.padEnd(14))}${text}`);
}

/** The judgement in one sentence, and every failing seed with the command that shows it again. */
export function verdictLines(ended: Ended, colours: Colours): readonly string[] {
  const { plan, tally } = ended;
  const done = ended.complete
    ? counted(plan.seeds, "seed")
    : `stopped after ${countText(tally.done)} of ${counted(plan.seeds, "seed")}`;
  const unfinished = ended.complete
    ? []
    : [colours.dim(`not finished: ${[...ended.running].join(", ") || "none"}`)];
  if (tally.failed === 0) {
    const paint = ended.complete ? colours.green : colours.yellow;
    return [paint(`${done}, no broken promise`), ...unfinished];
  }
  const lines = [colours.red(`${done}, ${countText(tally.failed)} with a broken promise:`), ...unfinished];
  for (const report of tally.failures.slice(0, FAILURES_SHOWN_MAX))
    lines.push("", ...failureLines(report, colours));
  const hidden = tally.failed - Math.min(FAILURES_SHOWN_MAX, tally.failures.length);
  if (hidden > 0) lines.push("", `and ${countText(hidden)} more`);
  return lines;
}

/** One failing seed in two lines. */
export function failureLines({ options, failure }: RunReport, colours: Colours): readonly string[] {
  if (failure === null) return [];
  return [
    `  seed ${options.seed}  ${colours.red(failure.checker)}: ${failure.message}`,
    `  ${colours.bold(replayCommand(options))}`,
  ];
}
