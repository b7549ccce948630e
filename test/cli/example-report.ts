/**
 * A made-up report of a run, for tests of what is shown.
 */
import type { RunOptions } from "../../src/sim/run-options.ts";
import type { RunFailure, RunReport } from "../../src/sim/run-report.ts";

/** `failure`: what is special about it; null for a run that passed. */
export function exampleReport(options: RunOptions, failure: Partial<RunFailure> | null): RunReport {
  const failed: RunFailure = {
    checker: "election-safety",
    message: "equal logs are equal",
    details: "index 7",
    atMs: 1_234.5,
    lastEvents: ["    1234.5 ms  m1: leads"],
    ...failure,
  };
  return {
    options,
    failure: failure === null ? null : failed,
    traceHash: "00c0ffee00c0ffee",
    durable: options.seed % 2n === 0n,
    enabled: options.faults.filter((kind) => kind === "loss" || kind === "crash"),
    injected: options.faults.includes("loss") ? { loss: 10 } : {},
    virtualMs: 90_000,
    events: 1_000,
    evictions: { memory: 0, idle: 0 },
    operations: { acknowledged: 20, failed: 2, ambiguous: 1 },
  };
}
