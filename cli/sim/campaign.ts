/**
 * All seeds of one `crema sim run`: hands them to the threads of a pool, in order, and adds up what comes back.
 */
import type { RunReport } from "../../src/sim/run-report.ts";
import type { RunPlan } from "./run-flags.ts";
import { RunTally } from "./run-tally.ts";
import { PoolClosed, type SeedPool, type TraceLine } from "./seed-pool.ts";

export class Campaign {
  readonly plan: RunPlan;
  readonly tally = new RunTally();
  /** Seeds that are running, or were when the pool was closed. */
  readonly running = new Set<bigint>();
  /** The report that came last: of a single seed the only one. */
  last: RunReport | null = null;
  onReport: (report: RunReport) => void = () => {};
  onLines: ((lines: readonly TraceLine[]) => void) | undefined;
  readonly #pool: SeedPool;
  readonly #nowMs: () => number;
  readonly #startedAtMs: number;
  #endedAtMs: number | null = null;
  #handedOut = 0;

  /** `nowMs`: of a real clock that never goes back. */
  constructor(plan: RunPlan, pool: SeedPool, nowMs: () => number) {
    this.plan = plan;
    this.#pool = pool;
    this.#nowMs = nowMs;
    this.#startedAtMs = nowMs();
  }

  /** Real time since the beginning, until the end. */
  get elapsedMs(): number {
    return (this.#endedAtMs ?? this.#nowMs()) - this.#startedAtMs;
  }

  /** Whether every seed has been run. */
  get complete(): boolean {
    return this.tally.done === this.plan.seeds;
  }

  /** Resolves when all seeds are done or the pool was closed. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: this.plan.jobs }, () => this.#lane()));
    this.#endedAtMs = this.#nowMs();
  }

  async #lane(): Promise<void> {
    while (this.#handedOut < this.plan.seeds) {
      const seed = this.plan.first + BigInt(this.#handedOut++);
      this.running.add(seed);
      try {
        this.last = await this.#pool.run({ ...this.plan.options, seed }, this.onLines);
      } catch (error) {
        if (error instanceof PoolClosed) return;
        throw error;
      }
      this.running.delete(seed);
      this.tally.add(this.last);
      this.onReport(this.last);
    }
  }
}
