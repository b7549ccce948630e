/**
 * The log of one replica, held in memory from its base on. The base is where the state machine's checkpoint stands:
 * what lies at or below it is gone, only its index and term are still known. This class orders entries; which of
 * them are durable, committed or applied is kept elsewhere. Entries are held by reference and never copied.
 */
import { assert } from "../base/assert.ts";
import { type LogIndex, logIndex, type Term } from "../base/ids.ts";
import type { Entry } from "./entry.ts";

/** What an entry costs besides its data when bytes are counted, so that a million empty entries are not free. */
export const ENTRY_OVERHEAD_BYTES = 32;

/** What one entry counts towards every limit that is given in bytes. */
export function entryBytes(entry: Entry): number {
  return entry.kind === "data" ? ENTRY_OVERHEAD_BYTES + entry.data.length : ENTRY_OVERHEAD_BYTES;
}

/** Invariants: indexes are contiguous from the base on, and terms never fall. @see Raft Figure 3, Log Matching */
export class RaftLog {
  #baseIndex: LogIndex;
  #baseTerm: Term;
  #entries: Entry[] = [];
  /** For each entry the bytes of the log up to and including it, counted from the first base: sums by subtraction. */
  #bytesUpTo: number[] = [];
  #bytesAtBase = 0;

  constructor(baseIndex: LogIndex, baseTerm: Term) {
    this.#baseIndex = baseIndex;
    this.#baseTerm = baseTerm;
  }

  get baseIndex(): LogIndex {
    return this.#baseIndex;
  }

  get baseTerm(): Term {
    return this.#baseTerm;
  }

  get lastIndex(): LogIndex {
    return (this.#baseIndex + this.#entries.length) as LogIndex;
  }

  get lastTerm(): Term {
    return this.#at(this.#entries.length - 1)?.term ?? this.#baseTerm;
  }

  /** Bytes of all entries held. */
  get bytes(): number {
    return this.#bytesThrough(this.lastIndex) - this.#bytesAtBase;
  }

  /** The term of the entry at `index`; null where it is not known: below the base or beyond the end. */
  termAt(index: number): Term | null {
    if (index === this.#baseIndex) return this.#baseTerm;
    return this.#at(index - this.#baseIndex - 1)?.term ?? null;
  }

  /** Whether this log holds an entry (or its base) with this index and term. */
  holds(index: LogIndex, term: Term): boolean {
    return this.termAt(index) === term;
  }

  /** Whether a log that ends in (`lastTerm`, `lastIndex`) is at least as up to date as this one. @see Raft §5.4.1 */
  isCoveredBy(lastIndex: LogIndex, lastTerm: Term): boolean {
    return isAtLeast(lastTerm, lastIndex, this.lastTerm, this.lastIndex);
  }

  /** Adds one entry at the end. */
  append(entry: Entry): void {
    assert(entry.index === this.lastIndex + 1, "entries are appended without gaps", { index: entry.index });
    assert(entry.term >= this.lastTerm, "terms in a log never fall", {
      index: entry.index,
      term: entry.term,
    });
    this.#bytesUpTo.push(this.#bytesThrough(this.lastIndex) + entryBytes(entry));
    this.#entries.push(entry);
  }

  /** Drops the entries at and above `index`. */
  truncateFrom(index: LogIndex): void {
    assert(index > this.#baseIndex && index <= this.lastIndex, "a truncation lies within the log", { index });
    const kept = index - this.#baseIndex - 1;
    this.#entries.length = kept;
    this.#bytesUpTo.length = kept;
  }

  /** Entries `from` .. `to`, cut short where they exceed `bytesMax`, but never to nothing. */
  slice(from: number, to: number, bytesMax: number): Entry[] {
    assert(from > this.#baseIndex && to <= this.lastIndex, "a slice lies within the log", { from, to });
    if (from > to) return [];
    const first = from - this.#baseIndex - 1;
    const limit = this.#bytesThrough(from - 1) + bytesMax;
    let low = first + 1;
    let high = to - this.#baseIndex;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#bytesUpTo[middle - 1] as number) <= limit) low = middle;
      else high = middle - 1;
    }
    return this.#entries.slice(first, low);
  }

  /** Bytes of the entries above `after` up to and including `to`. */
  bytesBetween(after: LogIndex, to: LogIndex): number {
    return this.#bytesThrough(to) - this.#bytesThrough(after);
  }

  /**
   * The last index <= `index` whose term is <= `term`; the base where no entry qualifies. Both sides of a failed
   * consistency check use it to skip a whole term of disagreement at once. @see Raft §5.3
   */
  lastIndexWithin(index: number, term: Term): LogIndex {
    let low = 0;
    let high = Math.max(0, Math.min(index, this.lastIndex) - this.#baseIndex);
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#entries[middle - 1] as Entry).term <= term) low = middle;
      else high = middle - 1;
    }
    return logIndex(this.#baseIndex + low);
  }

  /** Moves the base up to `index`, dropping the entries below. */
  compactTo(index: LogIndex): void {
    const term = this.termAt(index);
    assert(term !== null, "the new base lies within the log", { index });
    const dropped = index - this.#baseIndex;
    this.#bytesAtBase = this.#bytesThrough(index);
    this.#entries = this.#entries.slice(dropped);
    this.#bytesUpTo = this.#bytesUpTo.slice(dropped);
    this.#baseIndex = index;
    this.#baseTerm = term;
  }

  /** Starts over, empty, from a snapshot at (`baseIndex`, `baseTerm`). */
  reset(baseIndex: LogIndex, baseTerm: Term): void {
    this.#entries = [];
    this.#bytesUpTo = [];
    this.#bytesAtBase = 0;
    this.#baseIndex = baseIndex;
    this.#baseTerm = baseTerm;
  }

  /** Asking an array for what lies before its beginning makes V8 give up on that place: it is looked up by name from then on. */
  #at(position: number): Entry | undefined {
    return position < 0 ? undefined : this.#entries[position];
  }

  #bytesThrough(index: number): number {
    const position = index - this.#baseIndex - 1;
    return position < 0 ? this.#bytesAtBase : (this.#bytesUpTo[position] as number);
  }
}

/** Whether the log end (`term`, `index`) is at least as up to date as the other one. @see Raft §5.4.1 */
export function isAtLeast(term: Term, index: LogIndex, otherTerm: Term, otherIndex: LogIndex): boolean {
  return term > otherTerm || (term === otherTerm && index >= otherIndex);
}
