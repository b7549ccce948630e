/**
 * What the operations still to be placed demand of the state. A search that only looks back learns late that it went
 * wrong; these two see it at once: a version (or a growing counter) that has passed what an answer needs, and a value
 * given up while somebody who read it is not yet placed and nobody is left to write it again.
 * They may only refuse what cannot succeed.
 */
import { ANY_VALUE, integerOf, type KeyState } from "./key-model.ts";
import { type CompletedOperation, isRead, type Operation, observedValue } from "./operation.ts";

/**
 * A number of the state that never falls, and for each completed operation the most it can be when that is applied.
 * Both by index into the completed operations.
 */
export interface Ceiling {
  /** Indices of the operations that have a limit, the lowest limit first. */
  readonly order: readonly number[];
  readonly limits: readonly number[];
  readonly level: (state: KeyState) => number;
}

/** Ceilings of a history that begins in one of `starts`. */
export function ceilings(
  completed: readonly CompletedOperation[],
  open: readonly Operation[],
  starts: readonly KeyState[],
): readonly Ceiling[] {
  const found = [ceiling(completed.map(versionLimit), (state) => state.revisionMin)];
  const lasting = starts.every((start) => start.expiresAtMs === Number.POSITIVE_INFINITY);
  if (lasting && isGrowingCounter([...completed, ...open]))
    found.push(ceiling(completed.map(sumLimit), sumOf));
  return found.filter((each) => each.order.length > 0);
}

function ceiling(limits: readonly number[], level: Ceiling["level"]): Ceiling {
  const order = limits.flatMap((limit, index) => (limit === Number.POSITIVE_INFINITY ? [] : [index]));
  order.sort((left, right) => (limits[left] as number) - (limits[right] as number));
  return { order, limits, level };
}

/** The highest revision at which `operation` can still get its answer. */
function versionLimit({ input, returned: { result } }: CompletedOperation): number {
  if (input.type === "put" && typeof result === "number") return result - 1;
  if (input.type === "cas" && typeof result === "number")
    return input.expectedVersion === 0 ? result - 1 : Math.min(input.expectedVersion, result - 1);
  if (input.type === "get-versioned" && typeof result === "object" && result !== null) return result.version;
  if (input.type === "evict") return input.version;
  return Number.POSITIVE_INFINITY;
}

/** Nothing but reads and additions of more than 0: the sum only grows. */
function isGrowingCounter(operations: readonly Operation[]): boolean {
  return operations.every(
    (operation) =>
      (operation.input.type === "increment" && operation.input.by > 0) ||
      (isRead(operation) && integerOf(observedValue(operation) ?? "0") !== null),
  );
}

function sumLimit(operation: CompletedOperation): number {
  if (operation.input.type === "increment") return Number(operation.returned.result) - operation.input.by;
  return Number(observedValue(operation) ?? "0");
}

function sumOf(state: KeyState): number {
  if (state.value === ANY_VALUE) return Number.NEGATIVE_INFINITY;
  return state.value === null ? 0 : Number(state.value);
}

/** Who still reads and who can still write each value. Only values that some read saw are counted. */
export class ValueDemand {
  readonly #reads = new Map<string, number>();
  readonly #writes = new Map<string, number>();
  /** Open increments not applied: they can make any sum. */
  #wildcards = 0;

  constructor(operations: readonly Operation[]) {
    for (const operation of operations) {
      const value = observedValue(operation);
      if (value !== undefined) this.#reads.set(value, 0);
    }
    for (const operation of operations) this.#count(operation, 1);
  }

  place(operation: Operation): void {
    this.#count(operation, -1);
  }

  /** Undoes `place`. */
  lift(operation: Operation): void {
    this.#count(operation, 1);
  }

  /** Whether every value still to be read is `now` or can still be written, given that this held for `before`. */
  canMove(before: KeyState["value"], now: KeyState["value"]): boolean {
    if (before === now || before === null) return true;
    if (before !== ANY_VALUE) return !this.#isLost(before);
    return this.canStart(now);
  }

  canStart(now: KeyState["value"]): boolean {
    if (now === ANY_VALUE || this.#wildcards > 0) return true;
    for (const value of this.#reads.keys()) if (value !== now && this.#isLost(value)) return false;
    return true;
  }

  #isLost(value: string): boolean {
    return this.#wildcards === 0 && (this.#reads.get(value) ?? 0) > 0 && (this.#writes.get(value) ?? 0) === 0;
  }

  #count(operation: Operation, by: 1 | -1): void {
    const read = observedValue(operation);
    if (read !== undefined) this.#reads.set(read, (this.#reads.get(read) ?? 0) + by);
    const written = writtenValue(operation);
    if (written === ANY_VALUE) this.#wildcards += by;
    else if (written !== null && this.#reads.has(written))
      this.#writes.set(written, (this.#writes.get(written) ?? 0) + by);
  }
}

/** The value an operation leaves behind if it is applied; null when it writes none. */
function writtenValue({ input, returned }: Operation): KeyState["value"] {
  if (input.type === "increment") return returned === null ? ANY_VALUE : String(returned.result);
  if (input.type !== "put" && input.type !== "cas") return null;
  return returned !== null && returned.result === null ? null : input.value;
}
