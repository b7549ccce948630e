/**
 * A scenario: something that happens to fleets whose machines come and go, as a script. Which machines, when, and how far
 * apart they are is drawn from the seed; what must hold, and within which virtual time, the script says.
 */

import type { Storage } from "../run-options.ts";
import type { RunFailure } from "../run-report.ts";
import type { ScenarioWorld } from "./scenario-world.ts";

export interface Scenario {
  /** Kebab-case; what is typed. */
  readonly name: string;
  /** What happens and what must hold, in one line. */
  readonly meaning: string;
  /** What machines of this scenario have. `either`: drawn from the seed. */
  readonly storage: Storage;
  /** Shards of the cluster, drawn from these. Default 4, 8 or 16. */
  readonly shards?: readonly number[];
  /** How far a clock may be off, as a fraction: what the judge of expiry must forgive. Default 0. */
  readonly clockDriftMax?: number;
  /** Whether all that ever belong to a cluster belong to the same one. Default true. */
  readonly oneCluster?: boolean;
  /** From the first machine to the last demand. What every run demands at its end, the runner demands after it. */
  run(world: ScenarioWorld): Promise<void>;
}

export interface ScenarioOptions {
  readonly scenario: string;
  /** 0 .. 2^64-1. */
  readonly seed: bigint;
}

/** What one run of a scenario came to. Plain data: it crosses the border between threads. */
export interface ScenarioReport {
  readonly options: ScenarioOptions;
  /** null: nothing was found. */
  readonly failure: RunFailure | null;
  /** Equal for equal histories. */
  readonly traceHash: string;
  readonly durable: boolean;
  readonly virtualMs: number;
  readonly events: number;
  /** What took how long, or came to how many: by name. */
  readonly measured: Readonly<Record<string, number>>;
  readonly operations: {
    readonly acknowledged: number;
    readonly failed: number;
    readonly ambiguous: number;
  };
}

/** The command that tells this very run again. */
export function replayScenario({ scenario, seed }: ScenarioOptions): string {
  return `npx crema sim scenario ${scenario} --seed ${seed} --trace`;
}
