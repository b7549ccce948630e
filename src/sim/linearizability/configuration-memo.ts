/**
 * Where the search has been. A configuration (what is placed, and the state that gives) that allows no more than one
 * seen before cannot succeed where that one failed. It may forget, which costs time; it must never claim to have seen
 * what it has not: keys are exact, no hashes.
 */
import { covers, type KeyState, knowledgeKey, valueKey } from "./key-model.ts";
import { leavesMore, type OpenRun } from "./open-operations.ts";

/** Entries of one bucket that are compared one by one; beyond them only equality is looked for. */
const COMPARED_MAX = 32;

interface Seen {
  readonly state: KeyState;
  readonly applied: Int32Array;
}

interface Bucket {
  readonly compared: Seen[];
  /** Exact keys of all further ones. */
  readonly others: Set<string>;
}

export class ConfigurationMemo {
  readonly #runs: readonly OpenRun[];
  /** Where the counts of `#runs` are in `openApplied`. */
  readonly #indices: readonly number[];
  readonly #buckets = new Map<string, Bucket>();

  /** Configurations differ in what was applied of `runs[index]` for the `indices` only. */
  constructor(runs: readonly OpenRun[], indices: readonly number[]) {
    this.#runs = indices.map((index) => runs[index] as OpenRun);
    this.#indices = indices;
  }

  /**
   * Remembers a configuration; false when one that allows at least as much was remembered before. `placedKey` stands
   * for the completed operations placed so far, `deadlineMs` is the first answer among the others; `openApplied` counts
   * the open ones by run and is copied.
   */
  add(placedKey: string, deadlineMs: number, state: KeyState, openApplied: Int32Array): boolean {
    const key = `${placedKey}|${valueKey(state)}`;
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      bucket = { compared: [], others: new Set() };
      this.#buckets.set(key, bucket);
    }
    const applied = this.#ofInterest(openApplied);
    for (const seen of bucket.compared) {
      if (!covers(seen.state, state)) continue;
      if (leavesMore(this.#runs, seen.applied, applied, deadlineMs, state.revisionMin)) return false;
    }
    if (bucket.compared.length < COMPARED_MAX) {
      bucket.compared.push({ state, applied });
      return true;
    }
    const exact = knowledgeKey(state) + String.fromCharCode(...applied);
    if (bucket.others.has(exact)) return false;
    bucket.others.add(exact);
    return true;
  }

  #ofInterest(openApplied: Int32Array): Int32Array {
    const applied = new Int32Array(this.#indices.length);
    for (let at = 0; at < applied.length; at++) {
      applied[at] = openApplied[this.#indices[at] as number] as number;
    }
    return applied;
  }
}
