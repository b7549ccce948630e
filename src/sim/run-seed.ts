/**
 * One seed, one history: founds a fleet, lets it suffer under load, heals it, and tells what came of it.
 */
import type { RunOptions } from "./run-options.ts";
import type { RunReport } from "./run-report.ts";
import type { TraceListener } from "./trace.ts";

export interface RunHooks {
  /** Hears every line of the story as it happens: what faults are injected, what nodes say, what clients get. */
  readonly onLine?: TraceListener;
}

/** Runs `options` to the end. Equal options give equal reports. Rejects only when the simulator itself is at fault. */
export async function runSeed(options: RunOptions, hooks: RunHooks = {}): Promise<RunReport> {
  throw new Error(`not written yet: ${options.seed} ${hooks.onLine === undefined}`);
}
