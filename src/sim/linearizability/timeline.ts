/**
 * A failing window in words: a line for each operation, when it was in flight, what it asked, what it got, and then
 * what cannot be explained. Written for somebody who has never seen this history.
 */
import { unreachable } from "../../base/assert.ts";
import type { FailingWindow } from "./failing-window.ts";
import { ABSENT } from "./key-model.ts";
import { isCompleted, type Operation, type OperationResult, observedValue } from "./operation.ts";

/** Of alternatives to a wrong answer, how many are named. */
const ALTERNATIVES_NAMED_MAX = 4;
const VALUE_CHARACTERS_MAX = 40;

/**
 * What of a window is worth a line: what was answered, and open writes of values that are read in it. The checker took
 * all the others into account, and they did not help.
 */
export function shownOperations(window: FailingWindow): readonly Operation[] {
  const read = new Set(window.operations.map(observedValue));
  return window.operations.filter(
    (each) =>
      isCompleted(each) ||
      ((each.input.type === "put" || each.input.type === "cas") && read.has(each.input.value)),
  );
}

/** `alternatives`: answers to the culprit that could have been explained. */
export function timeline(window: FailingWindow, alternatives: readonly OperationResult[]): string {
  const shown = shownOperations(window);
  const rows = shown.map((each) => [
    `#${each.id}`,
    `${each.client} on ${each.node}`,
    interval(each),
    question(each),
    each.returned === null ? "-> unknown" : `-> ${answer(each, each.returned.result)}`,
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map(
    (row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`,
  );
  const key = JSON.stringify(window.culprit.key);
  return [`key ${key}:`, ...lines, ...conclusion(window, shown.length, alternatives)].join("\n");
}

function conclusion(
  window: FailingWindow,
  shownCount: number,
  alternatives: readonly OperationResult[],
): readonly string[] {
  const { culprit, starts } = window;
  const sentences = [
    `No order explains that ${name(culprit)} was answered: ${answer(culprit, culprit.returned.result)}.`,
  ];
  if (alternatives.length > 0) {
    const named = alternatives.slice(0, ALTERNATIVES_NAMED_MAX).map((result) => answer(culprit, result));
    const more = alternatives.length > ALTERNATIVES_NAMED_MAX ? " or others" : "";
    sentences.push(`Right would have been: ${named.join(" or ")}${more}.`);
  }
  const value = observedValue(culprit);
  if (value !== undefined) sentences.push(origin(value, window));
  sentences.push(
    starts.length === 1 && starts[0] === ABSENT
      ? "The key was absent at first."
      : "This holds whatever the key was before.",
  );
  const hidden = window.operations.length - shownCount;
  if (hidden > 0) {
    sentences.push(
      hidden === 1
        ? "One more operation was taken to have been applied at any moment, or never, and does not help."
        : `${hidden} more operations were taken to have been applied at any moment, or never, and do not help.`,
    );
  }
  return sentences;
}

/** Who wrote the value that was read: mostly somebody long before the window. */
function origin(value: string, { prefix }: FailingWindow): string {
  const writer = prefix.findLast(
    ({ input, returned }) =>
      ((input.type === "put" || input.type === "cas") &&
        input.value === value &&
        returned?.result !== null) ||
      (input.type === "increment" && String(returned?.result) === value),
  );
  if (writer === undefined) return `Nothing is known to have written ${quoted(value)} before.`;
  return `${quoted(value)} was written by ${name(writer)}, ${interval(writer)}.`;
}

function name(operation: Operation): string {
  return `#${operation.id} (${question(operation)} by ${operation.client})`;
}

function interval({ invokedAtMs, returned }: Operation): string {
  return `${milliseconds(invokedAtMs)} .. ${returned === null ? "?" : milliseconds(returned.atMs)} ms`;
}

function question({ input }: Operation): string {
  switch (input.type) {
    case "get":
    case "get-versioned":
    case "delete":
      return input.type;
    case "put": {
      const condition = input.condition === "always" ? "" : ` ${input.condition}`;
      return `put ${quoted(input.value)}${condition}${input.ttlMs === null ? "" : ` for ${input.ttlMs} ms`}`;
    }
    case "cas":
      return `cas version ${input.expectedVersion} to ${quoted(input.value)}`;
    case "increment":
      return `increment by ${input.by}`;
    case "expire":
      return `expire in ${input.ttlMs} ms`;
    case "evict":
      return `evict version ${input.version}`;
    default:
      return unreachable(input);
  }
}

function answer({ input }: Operation, result: OperationResult): string {
  if (typeof result === "string") return quoted(result);
  if (typeof result === "boolean") return result ? "existed" : "did not exist";
  if (typeof result === "number") return input.type === "increment" ? String(result) : `version ${result}`;
  if (result !== null) return `${quoted(result.value)} version ${result.version}`;
  return input.type === "put" || input.type === "cas" ? "refused" : "absent";
}

function quoted(value: string): string {
  return JSON.stringify(
    value.length <= VALUE_CHARACTERS_MAX ? value : `${value.slice(0, VALUE_CHARACTERS_MAX - 3)}...`,
  );
}

/** At most three decimals, and only those that are needed. */
function milliseconds(timeMs: number): string {
  return String(Math.round(timeMs * 1000) / 1000);
}
