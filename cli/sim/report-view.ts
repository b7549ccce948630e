/**
 * One run for whoever wants to understand it: its story line by line, and the report that ends it. Pure.
 */
import { type RunOptions, replayCommand } from "../../src/sim/run-options.ts";
import type { RunReport } from "../../src/sim/run-report.ts";
import type { Colours } from "../terminal/colours.ts";
import { optionsText } from "./progress-view.ts";
import type { TraceLine } from "./seed-pool.ts";
import { wrapText } from "./wrap-text.ts";

const WIDTH = 100;
const NAME_WIDTH = 14;

/** One line of the story: when, who, what. */
export function traceLine({ atMs, who, text }: TraceLine, colours: Colours): string {
  return `${colours.dim(`${atMs.toFixed(1).padStart(10)} ms`)}  ${colours.cyan(who.padEnd(8))} ${text}`;
}

/** The report of one run; `version` says which code ran. */
export function reportLines(report: RunReport, version: string, colours: Colours): readonly string[] {
  const { options, failure, enabled, traceHash, durable } = report;
  const facts = [
    ["seed", String(options.seed)],
    ["options", optionsText(options)],
    ["code", version],
    ["switched on", enabled.length === 0 ? "no faults" : enabled.join(", ")],
    ["storage", durable ? "disk" : "memory"],
    ["trace hash", traceHash],
  ] as const;
  const lines = facts.flatMap(([name, text]) =>
    wrapText(text, WIDTH - NAME_WIDTH).map(
      (line, index) => `${colours.dim((index === 0 ? name : "").padEnd(NAME_WIDTH))}${line}`,
    ),
  );
  if (failure === null) return lines;
  lines.push(
    "",
    `${colours.red(failure.checker)} at ${failure.atMs.toFixed(1)} ms: ${colours.bold(failure.message)}`,
  );
  if (failure.details !== "") lines.push("", ...failure.details.split("\n").map((line) => `  ${line}`));
  if (failure.lastEvents.length > 0) {
    lines.push("", colours.dim("the last events of the nodes concerned"), ...failure.lastEvents);
  }
  return lines;
}

/** How far shrinking has come. */
export function shrinkText(tries: number, options: RunOptions): string {
  return `after ${tries} tries: ${optionsText(options)}`;
}

/** What shrinking came to: the smaller run, or that there is none. */
export function shrunkLines(before: RunReport, after: RunReport, colours: Colours): readonly string[] {
  const command = colours.bold(replayCommand(after.options));
  if (replayCommand(before.options) === replayCommand(after.options)) {
    return ["nothing could be left out: every smaller run passes", `  ${command}`];
  }
  const kinds = after.options.faults.length === 0 ? "none" : after.options.faults.join(", ");
  return [
    `smaller, and still ${colours.red(after.failure?.checker ?? "failing")}: ${after.failure?.message ?? ""}`,
    `  ${optionsText(after.options)}`,
    ...wrapText(`faults: ${kinds}`, WIDTH - 2).map((line) => `  ${line}`),
    `  ${command}`,
  ];
}
