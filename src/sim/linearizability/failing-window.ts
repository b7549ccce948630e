/**
 * Makes a violation small enough to be read. A history is only ever relaxed here: whatever order explains it before
 * explains it afterwards too, so if the smaller one cannot be explained, neither can the larger.
 *
 * - `until`: what was asked later is left out, what was answered later becomes open.
 * - `since`: what was answered earlier is left out and the start becomes unknown; a write in flight becomes
 *   open, for it may have come before, among or after those left out, and a read in flight is left out with them.
 * - `relaxed`: what is known to have changed nothing is left out; any other operation becomes open, for others may need
 *   what it wrote. A write is never simply dropped, and an open one never at all.
 */
import { ABSENT, expiryOf, type KeyState, unknownStarts } from "./key-model.ts";
import { type CompletedOperation, isCompleted, isPassive, type Operation, opened } from "./operation.ts";
import type { SearchLimits } from "./order-search.ts";
import { searchLeniently, searchOrder } from "./search.ts";

export interface FailingWindow {
  /** By invocation. Open ones were answered too late, do not matter by their answer, or were never answered. */
  readonly operations: readonly Operation[];
  readonly starts: readonly KeyState[];
  /** Everything asked up to the answer that no order explains, nothing left out. */
  readonly prefix: readonly Operation[];
  /** The operation that got that answer. */
  readonly culprit: CompletedOperation;
}

/** The history as it was known at `atMs`. */
export function until(operations: readonly Operation[], atMs: number): readonly Operation[] {
  return operations
    .filter((each) => each.invokedAtMs <= atMs)
    .map((each) => (each.returned !== null && each.returned.atMs > atMs ? opened(each) : each));
}

/** The history after `fromMs`, to be explained from {@link unknownStarts}. */
export function since(operations: readonly Operation[], fromMs: number): readonly Operation[] {
  return operations
    .filter((each) => each.returned === null || each.returned.atMs >= fromMs)
    .filter((each) => each.invokedAtMs >= fromMs || !isPassive(each))
    .map((each) => (each.invokedAtMs < fromMs ? opened(each) : each));
}

/** The history without what `chosen` operations were answered. */
export function relaxed(
  operations: readonly Operation[],
  chosen: ReadonlySet<Operation>,
): readonly Operation[] {
  return operations
    .filter((each) => !(chosen.has(each) && isPassive(each)))
    .map((each) => (chosen.has(each) ? opened(each) : each));
}

/** What a history of one key can begin with when part of it is left out. */
export function startsAfter(operations: readonly Operation[], toleranceMs: number): readonly KeyState[] {
  let expiresAtMs = Number.POSITIVE_INFINITY;
  for (const { input, invokedAtMs } of operations) {
    expiresAtMs = Math.min(expiresAtMs, expiryOf(input, invokedAtMs, toleranceMs));
  }
  return unknownStarts(expiresAtMs);
}

/**
 * The smallest part of `operations`, a history of one key that starts absent and cannot be explained, that cannot be
 * explained either. First the shortest prefix, then the latest start, then as many operations relaxed as possible.
 * Each trial may cost `trial.configurationsMax`, all together `configurationsMax`; an undecided trial changes nothing.
 * `stuckAtMs` is where the search got stuck: mostly the end of the shortest prefix.
 */
export function findFailingWindow(
  operations: readonly Operation[],
  stuckAtMs: number,
  trial: SearchLimits,
  configurationsMax: number,
): FailingWindow {
  const absent: readonly KeyState[] = [ABSENT];
  const whole = searchLeniently(operations, absent, trial);
  // What is wrong by the lenient rules is made small by them: they refute much faster, above all where much is open.
  const search = whole.type === "violation" ? searchLeniently : searchOrder;
  let left = configurationsMax - whole.configurations;
  const fails = (part: readonly Operation[], from: readonly KeyState[]): boolean => {
    if (left <= 0) return false;
    const configurations = Math.min(left, trial.configurationsMax);
    const outcome = search(part, from, { ...trial, configurationsMax: configurations });
    // A search of no configurations still cost the preparation.
    left -= Math.max(1, outcome.configurations);
    return outcome.type === "violation";
  };
  const completed = operations.filter(isCompleted);
  const answers = ascending(completed.map((each) => each.returned.atMs));
  const end = firstAnswer(answers, stuckAtMs, (atMs) => fails(until(operations, atMs), absent));
  const prefix = end === null ? operations : until(operations, end);

  const unknown = startsAfter(operations, trial.toleranceMs);
  const moments = ascending(prefix.map((each) => each.invokedAtMs)).reverse();
  const begin = gallop(moments.length, (at) => fails(since(prefix, moments[at] as number), unknown));
  const starts = begin === null ? absent : unknown;
  const window = begin === null ? prefix : since(prefix, moments[begin] as number);
  const least = relaxMost(window, (part) => fails(part, starts));
  return { operations: inOrder(least), starts, prefix, culprit: lastAnswered(least) };
}

/** Relaxes halves, quarters and so on of what is completed, as long as the rest still fails. */
function relaxMost(
  window: readonly Operation[],
  fails: (part: readonly Operation[]) => boolean,
): readonly Operation[] {
  let least = window;
  for (let size = Math.ceil(least.filter(isCompleted).length / 2); size >= 1; size = size >> 1) {
    const completed = least.filter(isCompleted);
    for (let at = 0; at < completed.length; at += size) {
      const smaller = relaxed(least, new Set(completed.slice(at, at + size)));
      if (fails(smaller)) least = smaller;
    }
  }
  return least;
}

/** The first of `answers` with which the history fails; null when that could not be told. */
function firstAnswer(
  answers: readonly number[],
  stuckAtMs: number,
  failsAt: (atMs: number) => boolean,
): number | null {
  const holds = (at: number): boolean => failsAt(answers[at] as number);
  const guess = answers.indexOf(stuckAtMs);
  if (guess >= 0 && holds(guess) && (guess === 0 || !holds(guess - 1))) return stuckAtMs;
  const found = bisect(0, answers.length, holds);
  return found === null ? null : (answers[found] as number);
}

/** As {@link bisect} from 0 on, trying small indices first: to be used where these are cheap. */
function gallop(count: number, holds: (at: number) => boolean): number | null {
  let passed = 0;
  for (let next = 1; next < count; next *= 2) {
    if (holds(next)) return bisect(passed, next, holds) ?? next;
    passed = next + 1;
  }
  return bisect(passed, count, holds);
}

/** The first index from `low` on for which `holds`, given that it then holds for all that follow; null if none. */
function bisect(low: number, count: number, holds: (at: number) => boolean): number | null {
  let first = low;
  let high = count;
  while (first < high) {
    const middle = (first + high) >>> 1;
    if (holds(middle)) high = middle;
    else first = middle + 1;
  }
  return first >= count ? null : first;
}

function ascending(times: readonly number[]): number[] {
  return [...new Set(times)].sort((left, right) => left - right);
}

function inOrder(operations: readonly Operation[]): readonly Operation[] {
  return [...operations].sort((left, right) => left.invokedAtMs - right.invokedAtMs || left.id - right.id);
}

function lastAnswered(operations: readonly Operation[]): CompletedOperation {
  return operations
    .filter(isCompleted)
    .reduce((last, each) => (each.returned.atMs > last.returned.atMs ? each : last));
}
