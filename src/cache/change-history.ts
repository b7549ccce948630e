/**
 * The last changes of a shard, kept so that a watcher that lost its connection can go on where it stopped.
 * Bounded by number and by bytes. Rows of parallel arrays, not objects: recording a change allocates nothing.
 */
import { assert } from "../base/assert.ts";
import type { Change } from "./change.ts";

export class ChangeHistory {
  readonly #capacity: number;
  readonly #bytesMax: number;
  /** Rings: the change of revision r sits at r % capacity. */
  readonly #types: (Change["type"] | undefined)[];
  readonly #keys: (string | undefined)[];
  readonly #values: (string | null | undefined)[];
  /** Of key and value together: what is forgotten need not be looked at, for it has long left the processor's cache. */
  readonly #sizes: Uint32Array;
  /** Revision of the last change ever recorded. */
  #last: number;
  /** Changes kept: revisions `#last - #count + 1` .. `#last`. */
  #count = 0;
  #bytes = 0;

  /** `revision` is that of the last change before this history begins. */
  constructor(capacity: number, bytesMax: number, revision: number) {
    this.#capacity = capacity;
    this.#bytesMax = bytesMax;
    this.#types = new Array(capacity);
    this.#keys = new Array(capacity);
    this.#values = new Array(capacity);
    this.#sizes = new Uint32Array(capacity);
    this.#last = revision;
  }

  get lastRevision(): number {
    return this.#last;
  }

  /** Records the next change and answers its revision. A change larger than the byte limit forgets everything. */
  record(type: Change["type"], key: string, value: string | null): number {
    if (this.#count === this.#capacity) this.#forgetOldest();
    this.#last++;
    this.#count++;
    const at = this.#last % this.#capacity;
    this.#types[at] = type;
    this.#keys[at] = key;
    this.#values[at] = value;
    const size = key.length + (value === null ? 0 : value.length);
    this.#sizes[at] = size;
    this.#bytes += size;
    while (this.#bytes > this.#bytesMax) this.#forgetOldest();
    return this.#last;
  }

  /**
   * Every change after `revision`, oldest first; "compacted" when the first of them is no longer kept. A revision that
   * lies ahead (a watcher that comes from a replica further on) has no changes yet.
   */
  since(revision: number): readonly Change[] | "compacted" {
    if (revision >= this.#last) return [];
    if (revision < this.#last - this.#count) return "compacted";
    const changes: Change[] = [];
    for (let at = revision + 1; at <= this.#last; at++) changes.push(this.#changeOf(at));
    return changes;
  }

  #changeOf(revision: number): Change {
    const at = revision % this.#capacity;
    const type = this.#types[at];
    assert(type !== undefined, "a kept revision has its change", { revision });
    return { revision, type, key: this.#keys[at] ?? "", value: this.#values[at] ?? null };
  }

  #forgetOldest(): void {
    const at = (this.#last - this.#count + 1) % this.#capacity;
    this.#bytes -= this.#sizes[at] ?? 0;
    this.#types[at] = undefined;
    this.#keys[at] = undefined;
    this.#values[at] = undefined;
    this.#count--;
  }
}
