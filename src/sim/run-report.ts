/**
 * What a run came to. Plain data: it crosses the border between threads.
 */
import type { FaultKind } from "./fault-kind.ts";
import type { RunOptions } from "./run-options.ts";

/** Why a run failed. */
export interface RunFailure {
  /** The checker that found it: one of `checkers/`, `linearizability`, `liveness`, `counters` or `crash`. */
  readonly checker: string;
  /** What must hold and does not. */
  readonly message: string;
  /** More about it, for people; may have many lines. */
  readonly details: string;
  readonly atMs: number;
  /** The last events of the nodes concerned. */
  readonly lastEvents: readonly string[];
}

export interface RunReport {
  readonly options: RunOptions;
  /** null: nothing was found. */
  readonly failure: RunFailure | null;
  /** Equal for equal histories. */
  readonly traceHash: string;
  /** Whether the machines of this run had disks. */
  readonly durable: boolean;
  /** Faults that this seed switched on. */
  readonly enabled: readonly FaultKind[];
  /** How often each kind was injected; for kinds that concern messages, how many messages. */
  readonly injected: Readonly<Partial<Record<FaultKind, number>>>;
  readonly virtualMs: number;
  readonly events: number;
  /** Keys that leaders chose and removed: because nodes were at their limits, and because nobody used them. */
  readonly evictions: { readonly memory: number; readonly idle: number };
  readonly operations: {
    readonly acknowledged: number;
    /** Failed, and certainly not applied. */
    readonly failed: number;
    /** Nobody can say whether they were applied. */
    readonly ambiguous: number;
  };
}
