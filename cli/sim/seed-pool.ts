/**
 * Threads that run seeds.
 */
import type { RunOptions } from "../../src/sim/run-options.ts";
import type { RunReport } from "../../src/sim/run-report.ts";
import { simulatorFailed } from "./simulator-failed.ts";
import { type RunPool, ThreadPool } from "./thread-pool.ts";

export type { TraceLine } from "./serve-runs.ts";
export { PoolClosed } from "./thread-pool.ts";

export type SeedPool = RunPool<RunOptions, RunReport>;

export class WorkerPool extends ThreadPool<RunOptions, RunReport> {
  constructor(jobs: number) {
    super(jobs, new URL("./seed-worker.js", import.meta.url), simulatorFailed);
  }
}
