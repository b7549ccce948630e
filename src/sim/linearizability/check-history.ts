/**
 * The judge of a simulated run: did every client see what one copy of the data, asked one question after the other, could
 * have answered? Keys are independent of one another, so each is judged alone; linearizability is local.
 *
 * @see Herlihy, Wing: Linearizability (1990), theorem 1
 */
import { possibleAnswers } from "./alternatives.ts";
import { findFailingWindow } from "./failing-window.ts";
import { ABSENT } from "./key-model.ts";
import type { Operation } from "./operation.ts";
import type { SearchLimits, SearchOutcome } from "./order-search.ts";
import { searchOrder } from "./search.ts";
import { shownOperations, timeline } from "./timeline.ts";

export interface CheckHistoryOptions {
  /** Milliseconds by which a key may expire early, for clocks that drift. Default 0. */
  readonly toleranceMs?: number;
  /** Configurations looked at for one key before it is given up as undecided. Default 300,000: seconds. */
  readonly configurationsMax?: number;
  /** Configurations looked at to make a violation small; fewer leave it larger. Default 150,000. */
  readonly shrinkConfigurationsMax?: number;
}

export type LinearizabilityVerdict =
  | {
      readonly type: "linearizable";
      readonly operations: number;
      readonly keys: number;
      /** Over all keys. A measure of the effort that, unlike time, is the same in every run. */
      readonly configurations: number;
    }
  | {
      readonly type: "violation";
      readonly key: string;
      /** The operations that contradict one another, by invocation. */
      readonly window: readonly Operation[];
      /** The window as a timeline, and what cannot be explained. */
      readonly explanation: string;
      readonly configurations: number;
    }
  | { readonly type: "undecided"; readonly key: string; readonly configurations: number };

export const CHECK_HISTORY_DEFAULTS: Readonly<Required<CheckHistoryOptions>> = Object.freeze({
  toleranceMs: 0,
  configurationsMax: 300_000,
  shrinkConfigurationsMax: 150_000,
});

/** Configurations for one trial of shrinking. */
const TRIAL_CONFIGURATIONS_MAX = 20_000;

/**
 * Judges a history in which every key was absent at first. A violation of any key outranks an undecided one; of several
 * the first is told. `configurations` of a violation or an undecided key are those of that key.
 */
export function checkHistory(
  operations: readonly Operation[],
  options: CheckHistoryOptions = {},
): LinearizabilityVerdict {
  const { toleranceMs, configurationsMax, shrinkConfigurationsMax } = {
    ...CHECK_HISTORY_DEFAULTS,
    ...options,
  };
  const limits: SearchLimits = { toleranceMs, configurationsMax };
  const keys = byKey(operations);
  let undecided: LinearizabilityVerdict | null = null;
  let total = 0;
  for (const [key, history] of keys) {
    const outcome = searchOrder(history, [ABSENT], limits);
    const { type, configurations } = outcome;
    total += configurations;
    if (type === "violation") return violation(key, history, outcome, limits, shrinkConfigurationsMax);
    if (type === "undecided") undecided ??= { type, key, configurations };
  }
  return (
    undecided ?? {
      type: "linearizable",
      operations: operations.length,
      keys: keys.size,
      configurations: total,
    }
  );
}

function violation(
  key: string,
  history: readonly Operation[],
  { configurations, stuckAtMs }: SearchOutcome,
  limits: SearchLimits,
  shrinkConfigurationsMax: number,
): LinearizabilityVerdict {
  const trial = {
    ...limits,
    configurationsMax: Math.min(TRIAL_CONFIGURATIONS_MAX, limits.configurationsMax),
  };
  const found = findFailingWindow(history, stuckAtMs, trial, shrinkConfigurationsMax);
  const window = shownOperations(found);
  const answers = possibleAnswers(found.prefix, found.culprit, window, trial);
  return { type: "violation", key, window, explanation: timeline(found, answers), configurations };
}

function byKey(operations: readonly Operation[]): ReadonlyMap<string, readonly Operation[]> {
  const keys = new Map<string, Operation[]>();
  for (const operation of operations) {
    const history = keys.get(operation.key);
    if (history === undefined) keys.set(operation.key, [operation]);
    else history.push(operation);
  }
  return keys;
}
