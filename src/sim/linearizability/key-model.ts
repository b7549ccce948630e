/**
 * One key as a sequential machine: what may follow when an operation is applied to it. What nobody was told (the version
 * an increment gave, when a key expired) is not guessed but kept as the set of all it can still be, so that a step has
 * one outcome at most and the search need not branch.
 *
 * It follows src/cache: put, cas, increment, delete, expiry and eviction take a new revision of the shard each, an expire does not.
 */
import { unreachable } from "../../base/assert.ts";
import type { Operation, OperationInput, OperationResult } from "./operation.ts";

/** A value that is there, but of which nothing is known yet: the first answer about it tells. */
export const ANY_VALUE: unique symbol = Symbol("any value");

export interface KeyState {
  /** Null: absent. */
  readonly value: string | null | typeof ANY_VALUE;
  /**
   * The least the shard's revision can have been at the last change of this key. For a present key this is its
   * version when `versionKnown`; else the version is this or more, except `versionsExcluded`.
   */
  readonly revisionMin: number;
  readonly versionKnown: boolean;
  /** Ascending, all above `revisionMin`; empty when the version is known. */
  readonly versionsExcluded: readonly number[];
  /** The key may expire at this time or any time after it; Infinity: never. */
  readonly expiresAtMs: number;
}

const NONE_EXCLUDED: readonly number[] = Object.freeze([]);

/** Before the first operation. */
export const ABSENT: KeyState = Object.freeze({
  value: null,
  revisionMin: 0,
  versionKnown: false,
  versionsExcluded: NONE_EXCLUDED,
  expiresAtMs: Number.POSITIVE_INFINITY,
});

/** All that a key can be after operations nobody listed, none of which let it expire before `expiresAtMs`. */
export function unknownStarts(expiresAtMs: number): readonly KeyState[] {
  return [ABSENT, { ...ABSENT, value: ANY_VALUE, revisionMin: 1, expiresAtMs }];
}

/**
 * The state after `operation`, or null when it cannot be applied here: its answer would be wrong, or it is open and
 * would change nothing (as good as never applied). The same object when nothing changes and nothing is learned.
 * `toleranceMs` is how much earlier than its time a key may expire.
 */
export function step(state: KeyState, operation: Operation, toleranceMs = 0): KeyState | null {
  const { input } = operation;
  /** Undefined: any answer will do. */
  const result = operation.returned?.result;
  const present = state.value !== null;
  switch (input.type) {
    case "get":
      return result === undefined ? null : withValueRead(state, result);
    case "get-versioned":
      return result === undefined ? null : withVersionedRead(state, result);
    case "put":
      if (!(input.condition === "always" || present === (input.condition === "if-present")))
        return result === null ? state : null;
      return changed(state, input.value, result, expiryOf(input, operation.invokedAtMs, toleranceMs));
    case "cas":
      return casStep(state, input.expectedVersion, input.value, result);
    case "delete":
      return present ? (result === false ? null : removed(state)) : result === false ? state : null;
    case "increment":
      return incrementStep(state, input.by, result);
    case "expire": {
      if (!present) return result === false ? state : null;
      if (result === false) return null;
      if (input.ttlMs <= 0) return removed(state);
      const expiresAtMs = expiryOf(input, operation.invokedAtMs, toleranceMs);
      return { ...state, expiresAtMs };
    }
    case "evict":
      return evictStep(state, input.version, result);
    default:
      return unreachable(input);
  }
}

/** The earliest time a key can expire by the will of `input`; Infinity when it sets no expiry. */
export function expiryOf(input: OperationInput, invokedAtMs: number, toleranceMs: number): number {
  if (input.type !== "put" && input.type !== "expire") return Number.POSITIVE_INFINITY;
  if (input.ttlMs === null || input.ttlMs <= 0) return Number.POSITIVE_INFINITY;
  return invokedAtMs + input.ttlMs - toleranceMs;
}

/** The key is gone: deleted, or its time was over. Both take a revision. */
export function removed(state: KeyState): KeyState {
  return { ...ABSENT, revisionMin: state.revisionMin + 1 };
}

/** The state when nothing that is still to come can be before `nowMs`: a time that is over is as good as any other. */
export function at(nowMs: number, state: KeyState): KeyState {
  const over = state.expiresAtMs <= nowMs && state.expiresAtMs !== Number.NEGATIVE_INFINITY;
  return over ? { ...state, expiresAtMs: Number.NEGATIVE_INFINITY } : state;
}

/** The integer a value stands for, or null. */
export function integerOf(value: string): number | null {
  const integer = Number(value);
  return Number.isSafeInteger(integer) && String(integer) === value ? integer : null;
}

/** Equal for states that have the same value; no value can imitate the absence of one. */
export function valueKey(state: KeyState): string {
  return state.value === null ? "-" : state.value === ANY_VALUE ? "*" : `=${state.value}`;
}

/** Equal for equal states of one {@link valueKey}. */
export function knowledgeKey(state: KeyState): string {
  const version = `${state.versionKnown ? "=" : ">"}${state.revisionMin}!${state.versionsExcluded.join()}`;
  return `${version}@${state.expiresAtMs}`;
}

/** Whether `wide`, of the same value, allows whatever `narrow` allows: all its versions, and to expire no later. */
export function covers(wide: KeyState, narrow: KeyState): boolean {
  if (wide.expiresAtMs > narrow.expiresAtMs || wide.revisionMin > narrow.revisionMin) return false;
  if (wide.value === null) return true;
  if (wide.versionKnown) return narrow.versionKnown && wide.revisionMin === narrow.revisionMin;
  if (narrow.versionKnown) return !wide.versionsExcluded.includes(narrow.revisionMin);
  return wide.versionsExcluded.every(
    (version) => version < narrow.revisionMin || narrow.versionsExcluded.includes(version),
  );
}

function casStep(
  state: KeyState,
  expected: number,
  value: string,
  result: OperationResult | undefined,
): KeyState | null {
  if (state.value === null || expected === 0) {
    const holds = state.value === null && expected === 0;
    if (!holds) return result === null ? state : null;
    return changed(state, value, result, state.expiresAtMs);
  }
  if (result === null) return withoutVersion(state, expected);
  const found = withVersion(state, expected);
  return found === null ? null : changed(found, value, result, state.expiresAtMs);
}

function incrementStep(state: KeyState, by: number, result: OperationResult | undefined): KeyState | null {
  if (state.value === ANY_VALUE) {
    const value = result === undefined ? ANY_VALUE : String(result);
    return changed(state, value, undefined, state.expiresAtMs);
  }
  const old = state.value === null ? 0 : integerOf(state.value);
  if (old === null || (result !== undefined && result !== old + by)) return null;
  return changed(state, String(old + by), undefined, state.expiresAtMs);
}

/** Only what is there, in the version that was chosen, is removed: a removal excuses no other loss. */
function evictStep(state: KeyState, version: number, result: OperationResult | undefined): KeyState | null {
  const found = state.value === null ? null : withVersion(state, version);
  if (found === null) return null;
  const revisionMin = typeof result === "number" ? result : found.revisionMin + 1;
  return revisionMin <= found.revisionMin ? null : { ...ABSENT, revisionMin };
}

/** A new value under the version `result`, or, when that is undefined, under any that is new. */
function changed(
  state: KeyState,
  value: KeyState["value"],
  result: OperationResult | undefined,
  expiresAtMs: number,
): KeyState | null {
  const versionKnown = result !== undefined;
  const revisionMin = versionKnown ? result : state.revisionMin + 1;
  if (typeof revisionMin !== "number" || revisionMin <= state.revisionMin) return null;
  return { value, revisionMin, versionKnown, versionsExcluded: NONE_EXCLUDED, expiresAtMs };
}

function withValueRead(state: KeyState, result: OperationResult): KeyState | null {
  if (state.value === result) return state;
  return state.value === ANY_VALUE && typeof result === "string" ? { ...state, value: result } : null;
}

function withVersionedRead(state: KeyState, result: OperationResult): KeyState | null {
  if (typeof result !== "object" || result === null) return state.value === result ? state : null;
  const read = withValueRead(state, result.value);
  return read === null ? null : withVersion(read, result.version);
}

/** The state, known to have `version`. */
function withVersion(state: KeyState, version: number): KeyState | null {
  if (state.versionKnown) return state.revisionMin === version ? state : null;
  if (version < state.revisionMin || state.versionsExcluded.includes(version)) return null;
  return { ...state, revisionMin: version, versionKnown: true, versionsExcluded: NONE_EXCLUDED };
}

/** The state, known not to have `version`. */
function withoutVersion(state: KeyState, version: number): KeyState | null {
  if (state.versionKnown) return state.revisionMin === version ? null : state;
  if (version < state.revisionMin || state.versionsExcluded.includes(version)) return state;
  const excluded = [...state.versionsExcluded, version].sort((left, right) => left - right);
  let { revisionMin } = state;
  while (excluded[0] === revisionMin) {
    excluded.shift();
    revisionMin++;
  }
  return { ...state, revisionMin, versionsExcluded: excluded };
}
