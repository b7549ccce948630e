/**
 * How a history of one key is decided. The plain search is quick when there is an order and slow when there is none and
 * much is open, so it is given a little time, then a search by lenient rules is asked, and only when that finds an order
 * is the plain one run to its end.
 */
import type { KeyState } from "./key-model.ts";
import { type Operation, observedValue } from "./operation.ts";
import { OrderSearch, type SearchLimits, type SearchOutcome } from "./order-search.ts";

/** Limits of a whole decision. */
export interface DecisionLimits extends SearchLimits {
  /** Configurations after which a search that has found no order suspects that there is none. */
  readonly suspicionMax?: number;
}

/** Of `suspicionMax`, when it is not given, per operation and for 50 operations more. */
const SUSPICION_PER_OPERATION = 2;

/**
 * Whether `operations`, all of one key, can be explained from one of `starts`. Of the choices among open operations most
 * lead nowhere, and to exclude them all is what costs. So when no order is found at once, {@link searchLeniently} is
 * asked whether there can be one at all.
 */
export function searchOrder(
  operations: readonly Operation[],
  starts: readonly KeyState[],
  limits: DecisionLimits,
): SearchOutcome {
  const { configurationsMax, suspicionMax = SUSPICION_PER_OPERATION * (operations.length + 50) } = limits;
  const plain = withPlainValues(operations);
  const exact = (most: number): SearchOutcome =>
    new OrderSearch(plain, starts, { ...limits, configurationsMax: most }, false).run();
  const quick = exact(Math.min(configurationsMax, suspicionMax));
  if (quick.type !== "undecided") return quick;
  let left = configurationsMax - quick.configurations;
  const lenient = searchLeniently(operations, starts, { ...limits, configurationsMax: left });
  left -= lenient.configurations;
  const last = lenient.type === "linearizable" ? exact(left) : lenient;
  return { ...last, configurations: configurationsMax - left + (last === lenient ? 0 : last.configurations) };
}

/**
 * Whether `operations` could be explained if open writes whose values nobody read could be applied any number of times.
 * If not, they cannot be explained either; if so, nothing is known. Cheap: it need not remember which were applied.
 */
export function searchLeniently(
  operations: readonly Operation[],
  starts: readonly KeyState[],
  limits: SearchLimits,
): SearchOutcome {
  return new OrderSearch(withPlainValues(operations), starts, limits, true).run();
}

/**
 * The same operations with every value that no read saw replaced by one of them: in nothing that was answered do they
 * differ, and what is alike is searched once. Not where increments are: they look at the value.
 */
function withPlainValues(operations: readonly Operation[]): readonly Operation[] {
  if (operations.some(({ input }) => input.type === "increment")) return operations;
  const read = new Set(operations.map(observedValue));
  let plain: string | null = null;
  return operations.map((operation) => {
    const { input } = operation;
    if ((input.type !== "put" && input.type !== "cas") || read.has(input.value)) return operation;
    plain ??= input.value;
    return plain === input.value ? operation : { ...operation, input: { ...input, value: plain } };
  });
}
