/**
 * Scenarios for people: which there are, and what came of them. Pure.
 */
import { SCENARIOS } from "../../src/sim/scenarios/all-scenarios.ts";
import { replayScenario, type ScenarioReport } from "../../src/sim/scenarios/scenario.ts";
import type { Colours } from "../terminal/colours.ts";
import { counted, countText, virtualText } from "./figures.ts";
import type { ScenarioTally } from "./scenario-tally.ts";
import { wrapText } from "./wrap-text.ts";

const WIDTH = 100;
const NAME_WIDTH = 22;
const FAILURES_SHOWN_MAX = 5;

/** What `--list` prints. */
export function scenarioList(colours: Colours): readonly string[] {
  return SCENARIOS.flatMap(({ name, meaning }) =>
    wrapText(meaning, WIDTH - NAME_WIDTH).map((line, at) => {
      return `${colours.bold((at === 0 ? name : "").padEnd(NAME_WIDTH))}${line}`;
    }),
  );
}

/** One scenario when all its seeds are done: how many held, and what took how long. */
export function tallyLines(tally: ScenarioTally, colours: Colours): readonly string[] {
  const { failures } = tally;
  const outcome =
    failures.length === 0
      ? colours.green("every promise held")
      : colours.red(`${countText(failures.length)} with a broken promise`);
  const lines = [
    `${colours.bold(tally.name)}: ${counted(tally.done, "seed")}, ${virtualText(tally.virtualMs)}, ${outcome}`,
  ];
  for (const [name, { runs, median, most }] of Object.entries(tally.measured())) {
    const figures = `median ${countText(median)}, most ${countText(most)}`;
    lines.push(`  ${name}: ${figures}${colours.dim(` in ${counted(runs, "run")}`)}`);
  }
  for (const report of failures.slice(0, FAILURES_SHOWN_MAX)) lines.push(...failureLines(report, colours));
  if (failures.length > FAILURES_SHOWN_MAX)
    lines.push(`  and ${countText(failures.length - FAILURES_SHOWN_MAX)} more`);
  return lines;
}

function failureLines({ options, failure }: ScenarioReport, colours: Colours): readonly string[] {
  if (failure === null) return [];
  return [
    `  seed ${options.seed}  ${colours.red(failure.checker)}: ${failure.message}`,
    `  ${colours.bold(replayScenario(options))}`,
  ];
}

/** One run for whoever wants to understand it. `version` says which code ran. */
export function scenarioReportLines(
  { options, failure, durable, traceHash }: ScenarioReport,
  version: string,
  colours: Colours,
): readonly string[] {
  const lines = [
    `${colours.bold(`crema sim scenario ${options.scenario}: seed ${options.seed}`)}`,
    colours.dim(`code ${version}, storage ${durable ? "disk" : "memory"}, trace hash ${traceHash}`),
  ];
  if (failure === null) return lines;
  const { checker, atMs, message, details, lastEvents } = failure;
  lines.push("", `${colours.red(checker)} at ${atMs.toFixed(1)} ms: ${colours.bold(message)}`);
  if (details !== "") lines.push("", ...details.split("\n").map((line) => `  ${line}`));
  if (lastEvents.length > 0)
    lines.push("", colours.dim("the last events of the nodes concerned"), ...lastEvents);
  return lines;
}
