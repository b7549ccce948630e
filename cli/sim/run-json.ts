/**
 * A whole `crema sim run` as one JSON document, for programs. Seeds are text: JSON's numbers do not hold 64 bits.
 */
import { replayCommand } from "../../src/sim/run-options.ts";
import type { RunReport } from "../../src/sim/run-report.ts";
import type { Ended } from "./summary-view.ts";

/** `shrunk`: what shrinking made of the first failure; null when nobody asked or nothing failed. */
export function runDocument(ended: Ended, version: string, shrunk: RunReport | null): string {
  const { plan, tally, last } = ended;
  const { faults } = plan.options;
  const document = {
    version,
    options: plan.options,
    first: plan.first,
    seeds: plan.seeds,
    done: tally.done,
    failed: tally.failed,
    complete: ended.complete,
    wallMs: Math.round(ended.elapsedMs),
    jobs: plan.jobs,
    virtualMs: tally.virtualMs,
    events: tally.events,
    operations: tally.operations,
    evictions: tally.evictions,
    faults: Object.fromEntries(faults.map((kind) => [kind, tally.injected(kind)])),
    reports: (plan.single && last !== null ? [last] : tally.failures).map(withReplay),
    shrunk: shrunk === null ? null : withReplay(shrunk),
  };
  return JSON.stringify(document, (_, value) => (typeof value === "bigint" ? String(value) : value), 2);
}

function withReplay(report: RunReport): RunReport & { readonly replay: string } {
  return { ...report, replay: replayCommand(report.options) };
}
