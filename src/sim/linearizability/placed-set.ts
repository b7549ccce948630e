/**
 * Which completed operations have been given their place in the order, and which may come next: those asked before
 * the first answer among the others. Placed and taken back like a stack.
 */
import { assert } from "../../base/assert.ts";
import type { CompletedOperation } from "./operation.ts";

const WORD_BITS = 32;

/** The first operation of a list that is not placed, found without walking the list anew. */
export class UnplacedQueue {
  readonly #set: PlacedSet;
  readonly #order: readonly number[];
  readonly #positionOf = new Map<number, number>();
  /** Everything before it is placed. */
  #at = 0;

  constructor(set: PlacedSet, order: readonly number[]) {
    this.#set = set;
    this.#order = order;
    for (const [position, index] of order.entries()) this.#positionOf.set(index, position);
  }

  first(): number | undefined {
    for (;;) {
      const index = this.#order[this.#at];
      if (index === undefined || !this.#set.has(index)) return index;
      this.#at++;
    }
  }

  /** To be called when an operation is taken back. */
  rewind(index: number): void {
    this.#at = Math.min(this.#at, this.#positionOf.get(index) ?? this.#at);
  }
}

export class PlacedSet {
  readonly #invokedAtMs: Float64Array;
  readonly #returnedAtMs: Float64Array;
  /** The earliest answer first. */
  readonly #byReturn: UnplacedQueue;
  readonly #queues: UnplacedQueue[] = [];
  readonly #words: Uint32Array;
  /** In the order of placing. */
  readonly #trail: number[] = [];
  /** A ring of those not placed, by invocation; the last item is its head. */
  readonly #next: Int32Array;
  readonly #previous: Int32Array;

  /** `completed` by invocation; known here by their index. */
  constructor(completed: readonly CompletedOperation[]) {
    const count = completed.length;
    this.#invokedAtMs = Float64Array.from(completed, (each) => each.invokedAtMs);
    this.#returnedAtMs = Float64Array.from(completed, (each) => each.returned.atMs);
    this.#words = new Uint32Array(Math.ceil(count / WORD_BITS));
    this.#next = Int32Array.from({ length: count + 1 }, (_, index) => (index === count ? 0 : index + 1));
    this.#previous = Int32Array.from({ length: count + 1 }, (_, index) => (index === 0 ? count : index - 1));
    const byReturn = completed.map((_, index) => index);
    byReturn.sort((left, right) => this.#returnedAt(left) - this.#returnedAt(right));
    this.#byReturn = this.queue(byReturn);
  }

  get size(): number {
    return this.#trail.length;
  }

  get isFull(): boolean {
    return this.#trail.length === this.#invokedAtMs.length;
  }

  has(index: number): boolean {
    return (((this.#words[index >>> 5] as number) >>> (index & 31)) & 1) === 1;
  }

  add(index: number): void {
    assert(!this.has(index), "an operation is placed once", { index });
    this.#words[index >>> 5] = (this.#words[index >>> 5] as number) | (1 << (index & 31));
    const next = this.#next[index] as number;
    const previous = this.#previous[index] as number;
    this.#next[previous] = next;
    this.#previous[next] = previous;
    this.#trail.push(index);
  }

  /** Takes back the operation placed last and answers its index. */
  removeLast(): number {
    const index = this.#trail.pop();
    assert(index !== undefined, "only what was placed is taken back");
    this.#words[index >>> 5] = (this.#words[index >>> 5] as number) & ~(1 << (index & 31));
    this.#next[this.#previous[index] as number] = index;
    this.#previous[this.#next[index] as number] = index;
    for (const queue of this.#queues) queue.rewind(index);
    return index;
  }

  /** Follows which of some operations, listed in any order of interest, is the first not placed. */
  queue(order: readonly number[]): UnplacedQueue {
    const queue = new UnplacedQueue(this, order);
    this.#queues.push(queue);
    return queue;
  }

  /** The first answer among those not placed: nothing asked after it may come next. Infinity when all are placed. */
  deadlineMs(): number {
    const index = this.#byReturn.first();
    return index === undefined ? Number.POSITIVE_INFINITY : this.#returnedAt(index);
  }

  /** Those that may come next, by invocation. */
  candidates(): number[] {
    const deadlineMs = this.deadlineMs();
    const head = this.#invokedAtMs.length;
    const found: number[] = [];
    for (let at = this.#next[head] as number; at !== head; at = this.#next[at] as number) {
      if ((this.#invokedAtMs[at] as number) > deadlineMs) break;
      found.push(at);
    }
    return found;
  }

  /** Equal for equal sets only. Costs O(operations between the first not placed and the last placed). */
  key(): string {
    const first = this.#next[this.#invokedAtMs.length] as number;
    let last = this.#words.length - 1;
    while (last >= 0 && this.#words[last] === 0) last--;
    let key = String(first);
    for (let word = first >>> 5; word <= last; word++)
      key += `,${(this.#words[word] as number).toString(36)}`;
    return key;
  }

  #returnedAt(index: number): number {
    return this.#returnedAtMs[index] as number;
  }
}
