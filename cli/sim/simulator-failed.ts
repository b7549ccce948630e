/**
 * When it is the simulator that breaks, and not what it simulates: a failure all the same, never a passed seed.
 */
import type { RunOptions } from "../../src/sim/run-options.ts";
import type { RunReport } from "../../src/sim/run-report.ts";

/** The report of a run that the simulator itself did not survive. */
export function simulatorFailed(options: RunOptions, error: unknown): RunReport {
  const [message, details] =
    error instanceof Error ? [error.message, error.stack ?? ""] : [String(error), ""];
  return {
    options,
    failure: { checker: "simulator", message, details, atMs: 0, lastEvents: [] },
    traceHash: "",
    durable: false,
    enabled: [],
    injected: {},
    virtualMs: 0,
    events: 0,
    evictions: { memory: 0, idle: 0 },
    operations: { acknowledged: 0, failed: 0, ambiguous: 0 },
  };
}
