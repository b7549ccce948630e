/**
 * A hand that walks round and round over the keys of a shard, in order of creation, through any changes made meanwhile.
 * It keeps its place between calls, so that a step costs a step, however large the shard is.
 *
 * A lap ends at the keys that were created after it began: without that the hand would run along with the newest keys,
 * and never come back to the old ones.
 */
import type { CacheEntry } from "./cache-entry.ts";
import type { Keyspace } from "./keyspace.ts";
import type { ShardState } from "./shard-state.ts";

/** Changes that a resting hand survives even in a tiny shard. */
const RESTING_CHANGES_MIN = 1_024;

export class KeyspaceWalk {
  readonly #shard: ShardState;
  #keyspace: Keyspace | null = null;
  #iterator: IterableIterator<[string, CacheEntry]> | null = null;
  #lapRevision = 0;
  #movedRevision = 0;
  key = "";
  entry: CacheEntry | undefined = undefined;

  constructor(shard: ShardState) {
    this.#shard = shard;
  }

  /** Moves to the next key, from the last one to the first: `key` and `entry` are its. False when there is none. */
  next(): boolean {
    const { keyspace, revision } = this.#shard;
    this.#movedRevision = revision;
    if (keyspace === this.#keyspace && this.#iterator !== null && this.#step(this.#iterator)) return true;
    this.#keyspace = keyspace;
    this.#lapRevision = revision;
    this.#iterator = keyspace.entries.entries();
    return this.#step(this.#iterator);
  }

  /**
   * Lets go of its place when it has not moved for as many changes as there are keys: a resting iterator keeps alive
   * every table that the map has outgrown. Cheap: called after every applied entry.
   */
  sweep(): void {
    if (this.#iterator === null) return;
    const { keyspace, revision } = this.#shard;
    const changesMax = Math.max(RESTING_CHANGES_MIN, keyspace.size);
    if (keyspace === this.#keyspace && revision - this.#movedRevision <= changesMax) return;
    this.#iterator = null;
    this.#keyspace = null;
    this.entry = undefined;
  }

  #step(iterator: IterableIterator<[string, CacheEntry]>): boolean {
    const step = iterator.next();
    if (step.done === true || step.value[1].createdRevision > this.#lapRevision) return false;
    this.key = step.value[0];
    this.entry = step.value[1];
    return true;
  }
}
