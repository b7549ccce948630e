/**
 * What many runs add up to.
 */
import { FAULT_KINDS, type FaultKind } from "../../src/sim/fault-kind.ts";
import type { RunReport } from "../../src/sim/run-report.ts";

/** Whole reports are kept of so many failing seeds; the others are counted. */
const FAILURES_KEPT_MAX = 100;

export class RunTally {
  /** Seeds that are done. */
  done = 0;
  failed = 0;
  virtualMs = 0;
  events = 0;
  readonly operations = { acknowledged: 0, failed: 0, ambiguous: 0 };
  /** Keys that leaders chose and removed. */
  readonly evictions = { memory: 0, idle: 0 };
  /** Runs on machines with disks. */
  durable = 0;
  readonly #failures: RunReport[] = [];
  readonly #injected = new Map<FaultKind, { times: number; seeds: number }>();

  add(report: RunReport): void {
    this.done++;
    this.virtualMs += report.virtualMs;
    this.events += report.events;
    this.operations.acknowledged += report.operations.acknowledged;
    this.operations.failed += report.operations.failed;
    this.operations.ambiguous += report.operations.ambiguous;
    this.evictions.memory += report.evictions.memory;
    this.evictions.idle += report.evictions.idle;
    if (report.durable) this.durable++;
    for (const kind of FAULT_KINDS) {
      const enabled = report.enabled.includes(kind);
      const times = report.injected[kind] ?? 0;
      if (!enabled && times === 0) continue;
      const sum = this.#injected.get(kind) ?? { times: 0, seeds: 0 };
      sum.times += times;
      sum.seeds++;
      this.#injected.set(kind, sum);
    }
    if (report.failure === null) return;
    this.failed++;
    if (this.#failures.length < FAILURES_KEPT_MAX) this.#failures.push(report);
  }

  /** Failing runs by ascending seed: threads finish in any order. */
  get failures(): readonly RunReport[] {
    return this.#failures.toSorted((left, right) => (left.options.seed < right.options.seed ? -1 : 1));
  }

  /** How often `kind` was injected, and in how many seeds it was switched on. */
  injected(kind: FaultKind): { readonly times: number; readonly seeds: number } {
    return this.#injected.get(kind) ?? { times: 0, seeds: 0 };
  }
}
