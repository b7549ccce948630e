/**
 * Where scans stand. A position is the creation revision of the last key looked at; finding it again in a map means
 * walking from the start, so the iterators of recent scans are parked here and a continued scan costs what it looks at.
 *
 * A parked iterator keeps the map's old tables alive as the map is rebuilt, so it is dropped once the shard has changed
 * about as often as it has keys. Losing one costs time, never correctness.
 */
import type { CacheEntry } from "./cache-entry.ts";
import type { Keyspace } from "./keyspace.ts";

const PARKED_MAX = 64;
/** Changes a parked cursor survives even in a tiny shard. */
const PARKED_CHANGES_MIN = 1_024;

/** Walks the keys created after a position, in order of creation, through any changes made meanwhile. */
export class ScanCursor {
  readonly keyspace: Keyspace;
  readonly #after: number;
  readonly #iterator: IterableIterator<[string, CacheEntry]>;
  /** Keys to be looked at once more, the next one last. */
  readonly #again: string[] = [];
  key = "";
  entry: CacheEntry | undefined = undefined;

  constructor(keyspace: Keyspace, after: number) {
    this.keyspace = keyspace;
    this.#after = after;
    this.#iterator = keyspace.entries.entries();
  }

  /** Moves to the next key: `key` and `entry` are its; false at the end. */
  next(): boolean {
    for (let key = this.#again.pop(); key !== undefined; key = this.#again.pop()) {
      const entry = this.keyspace.entries.get(key);
      if (entry === undefined) continue;
      this.key = key;
      this.entry = entry;
      return true;
    }
    for (;;) {
      const step = this.#iterator.next();
      if (step.done === true) return false;
      if (step.value[1].createdRevision <= this.#after) continue;
      this.key = step.value[0];
      this.entry = step.value[1];
      return true;
    }
  }

  /** Looks at `keys` once more before going on. */
  goBackTo(keys: readonly string[]): void {
    for (let at = keys.length - 1; at >= 0; at--) this.#again.push(keys[at] ?? "");
  }
}

interface Parked {
  readonly cursor: ScanCursor;
  readonly parkedRevision: number;
}

/** Parked cursors by position, a bounded number of them. */
export class ScanCursors {
  /** Oldest first. */
  readonly #parked = new Map<number, Parked>();

  get size(): number {
    return this.#parked.size;
  }

  /** The cursor that continues after `position` in `keyspace`: the parked one, else a new one that has to walk there. */
  take(keyspace: Keyspace, position: number): ScanCursor {
    const parked = this.#parked.get(position);
    if (parked === undefined) return new ScanCursor(keyspace, position);
    this.#parked.delete(position);
    return parked.cursor.keyspace === keyspace ? parked.cursor : new ScanCursor(keyspace, position);
  }

  park(position: number, cursor: ScanCursor, revision: number): void {
    this.#parked.delete(position);
    this.#parked.set(position, { cursor, parkedRevision: revision });
    if (this.#parked.size > PARKED_MAX) this.#dropOldest();
  }

  /** Drops what has been parked too long. Cheap: called after every applied entry. */
  sweep(keyspace: Keyspace, revision: number): void {
    if (this.#parked.size === 0) return;
    const changesMax = Math.max(PARKED_CHANGES_MIN, keyspace.size);
    for (const [position, { cursor, parkedRevision }] of this.#parked) {
      if (cursor.keyspace === keyspace && revision - parkedRevision <= changesMax) return;
      this.#parked.delete(position);
    }
  }

  #dropOldest(): void {
    for (const position of this.#parked.keys()) {
      this.#parked.delete(position);
      return;
    }
  }
}
