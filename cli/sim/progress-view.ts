/**
 * What is shown while seeds run. Pure: numbers in, lines out.
 */
import type { RunOptions } from "../../src/sim/run-options.ts";
import type { Colours } from "../terminal/colours.ts";
import { progressBar } from "../terminal/progress-bar.ts";
import { counted, countText, rateText, spanText, virtualText } from "./figures.ts";
import type { RunPlan } from "./run-flags.ts";

/** How far a run has come. */
export interface Progress {
  readonly seeds: number;
  readonly done: number;
  readonly failed: number;
  readonly events: number;
  readonly virtualMs: number;
  readonly elapsedMs: number;
}

/** The title: what is going to be run, and how to run it again. */
export function headingLines(plan: RunPlan, colours: Colours): readonly string[] {
  const last = plan.first + BigInt(plan.seeds - 1);
  const seeds = plan.single
    ? `seed ${plan.first}`
    : `${counted(plan.seeds, "seed")}, ${plan.first} .. ${last}`;
  const again = plan.single ? "" : colours.dim(`  (again: --seeds ${plan.seeds} --first ${plan.first})`);
  return [`${colours.bold(`crema sim run: ${seeds}`)}${again}`, colours.dim(optionsText(plan.options))];
}

/** The options of a run in words. */
export function optionsText(options: Omit<RunOptions, "seed">): string {
  const { nodes, shards, replicationFactor, clients, chaosMs, faults, swarm, storage, limits } = options;
  const kinds = `${faults.length === 1 ? "1 kind" : `${faults.length} kinds`}${swarm ? ", some per seed" : ""}`;
  const chaos = faults.length === 0 ? "without faults" : `of faults (${kinds})`;
  const restarts = storage === "either" ? "either storage" : `storage ${storage}`;
  return (
    `${counted(nodes, "machine")}, ${counted(shards, "shard")} x ${replicationFactor}, ` +
    `${counted(clients, "client")}, ${spanText(chaosMs)} ${chaos}, ${restarts}` +
    (limits === "none" ? "" : `, ${limits} limits`)
  );
}

/** Two lines for a terminal: the bar, and how fast it goes. */
export function progressLines(progress: Progress, colours: Colours): readonly string[] {
  const bar = progressBar(progress.done / progress.seeds, colours);
  return ["", `${bar}  ${doneText(progress)}${leftText(progress)}`, paceLine(progress, colours)];
}

/** The same in one line, for logs. */
export function progressText(progress: Progress): string {
  const failures = progress.failed === 0 ? "no failures" : `${countText(progress.failed)} FAILED`;
  return `${spanText(progress.elapsedMs)}: ${doneText(progress)}, ${failures}, ${paceText(progress)}${leftText(progress)}`;
}

function paceLine(progress: Progress, colours: Colours): string {
  const failures =
    progress.failed === 0
      ? colours.green("no failures")
      : colours.red(`${countText(progress.failed)} failed`);
  return `${failures}, ${paceText(progress)}, after ${spanText(progress.elapsedMs)}`;
}

function doneText({ done, seeds }: Progress): string {
  return `${countText(done)} of ${counted(seeds, "seed")}`;
}

function paceText({ done, events, virtualMs, elapsedMs }: Progress): string {
  if (done === 0) return "the first ones are running";
  const perSecond = elapsedMs === 0 ? 0 : (events * 1_000) / elapsedMs;
  return `${rateText(perSecond)} events/s, ${virtualText(virtualMs)} (${speedText(virtualMs, elapsedMs)})`;
}

/** `312x real time`. */
export function speedText(virtualMs: number, elapsedMs: number): string {
  const speed = elapsedMs === 0 ? 0 : virtualMs / elapsedMs;
  return `${speed >= 10 ? countText(speed) : speed.toFixed(1)}x real time`;
}

function leftText({ done, seeds, elapsedMs }: Progress): string {
  if (done === 0 || done === seeds) return "";
  return `, about ${spanText((elapsedMs / done) * (seeds - done))} left`;
}
