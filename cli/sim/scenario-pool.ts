/**
 * Threads that run scenarios.
 */
import type { ScenarioOptions, ScenarioReport } from "../../src/sim/scenarios/scenario.ts";
import { ThreadPool } from "./thread-pool.ts";

export class ScenarioPool extends ThreadPool<ScenarioOptions, ScenarioReport> {
  constructor(jobs: number) {
    super(jobs, new URL("./scenario-worker.js", import.meta.url), scenarioFailed);
  }
}

/** The report of a run that the simulator itself did not survive. */
export function scenarioFailed(options: ScenarioOptions, error: unknown): ScenarioReport {
  const [message, details] =
    error instanceof Error ? [error.message, error.stack ?? ""] : [String(error), ""];
  return {
    options,
    failure: { checker: "simulator", message, details, atMs: 0, lastEvents: [] },
    traceHash: "",
    durable: false,
    virtualMs: 0,
    events: 0,
    measured: {},
    operations: { acknowledged: 0, failed: 0, ambiguous: 0 },
  };
}
