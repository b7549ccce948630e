/**
 * What the runs of one scenario add up to.
 */
import type { ScenarioReport } from "../../src/sim/scenarios/scenario.ts";

/** What was measured under one name: how often, and how it is spread. */
export interface Spread {
  readonly runs: number;
  readonly median: number;
  readonly most: number;
}

export class ScenarioTally {
  readonly name: string;
  done = 0;
  virtualMs = 0;
  readonly failures: ScenarioReport[] = [];
  readonly #measured = new Map<string, number[]>();

  constructor(name: string) {
    this.name = name;
  }

  add(report: ScenarioReport): void {
    this.done++;
    this.virtualMs += report.virtualMs;
    if (report.failure !== null) this.failures.push(report);
    for (const [name, value] of Object.entries(report.measured)) {
      const values = this.#measured.get(name);
      if (values === undefined) this.#measured.set(name, [value]);
      else values.push(value);
    }
  }

  /** By name. */
  measured(): Readonly<Record<string, Spread>> {
    const spreads = [...this.#measured].map(([name, values]) => {
      const sorted = values.toSorted((left, right) => left - right);
      const [median = 0, most = 0] = [sorted[sorted.length >> 1], sorted.at(-1)];
      return [name, { runs: sorted.length, median, most }] as const;
    });
    return Object.fromEntries(spreads.toSorted(([left], [right]) => (left < right ? -1 : 1)));
  }
}
