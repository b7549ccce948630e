/**
 * Which other answers to the operation that cannot be explained could have been. They tell a reader what the system
 * should have done, often at a glance: a read that should have seen the newer value, a sum that is one too high.
 */
import { ABSENT } from "./key-model.ts";
import { type CompletedOperation, type Operation, type OperationResult, observedValue } from "./operation.ts";
import type { SearchLimits } from "./order-search.ts";
import { searchOrder } from "./search.ts";

/** Candidates that are tried; each costs a search. */
const CANDIDATES_MAX = 8;

/** Answers under which `prefix`, that ends with the answer of `culprit`, can be explained. `nearby` suggests values. */
export function possibleAnswers(
  prefix: readonly Operation[],
  culprit: CompletedOperation,
  nearby: readonly Operation[],
  limits: SearchLimits,
): readonly OperationResult[] {
  return candidates(culprit, nearby)
    .slice(0, CANDIDATES_MAX)
    .filter((result) => {
      // Versions nobody saw cannot be guessed: whether a value fits is asked as if it had been read without one.
      const input: Operation["input"] =
        culprit.input.type === "get-versioned" ? { type: "get" } : culprit.input;
      const changed = { ...culprit, input, returned: { ...culprit.returned, result } };
      const history = prefix.map((each) => (each.id === culprit.id ? changed : each));
      return searchOrder(history, [ABSENT], limits).type === "linearizable";
    });
}

function candidates(culprit: CompletedOperation, nearby: readonly Operation[]): readonly OperationResult[] {
  const { input } = culprit;
  const { result } = culprit.returned;
  switch (input.type) {
    case "get":
    case "get-versioned": {
      const values = new Set([null, ...valuesOf(nearby)]);
      values.delete(observedValue(culprit) ?? null);
      return [...values];
    }
    case "delete":
    case "expire":
      return [result === false];
    case "increment": {
      const sums = new Set([input.by]);
      for (const value of valuesOf(nearby)) sums.add(Number(value) + input.by);
      sums.delete(Number(result));
      return [...sums].filter(Number.isSafeInteger);
    }
    case "evict":
      return [];
    default:
      return result === null ? [] : [null];
  }
}

/** Values the operations wrote or read, the latest first. */
function valuesOf(operations: readonly Operation[]): readonly string[] {
  return operations.toReversed().flatMap((each) => {
    const { input, returned } = each;
    if (input.type === "put" || input.type === "cas") return [input.value];
    if (input.type === "increment") return returned === null ? [] : [String(returned.result)];
    return observedValue(each) ?? [];
  });
}
