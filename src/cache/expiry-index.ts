/**
 * Which keys expire when: a binary heap that knows where each of its items sits, so that a key whose expiry changes
 * leaves at once instead of leaving garbage behind. Held in typed arrays: 16 bytes and one reference per expiring key.
 *
 * Looking never changes it: an expired key stays here until the state machine applies its committed removal.
 */
import { assert } from "../base/assert.ts";
import type { ExpiryItem } from "./command.ts";

const CAPACITY_MIN = 16;
/** `#positionOf` of a slot that is free. */
const FREE = -1;

/**
 * Expiries by slot. A slot is a small integer that `add` hands out and `remove` takes back; the owner of a key keeps it.
 * All operations cost O(log n) except `nextMs` and `timeOf`, O(1). The arrays follow the peak number of expiring keys.
 */
export class ExpiryIndex {
  #times = new Float64Array(CAPACITY_MIN);
  #keys: (string | undefined)[] = [];
  /** Slot -> position in the heap, or {@link FREE}. */
  #positionOf = new Int32Array(CAPACITY_MIN).fill(FREE);
  /** The heap: position -> slot, earliest first; behind `#size` a stack of slots that are free. */
  #heap = new Int32Array(CAPACITY_MIN);
  #size = 0;
  /** Slots handed out so far: those beyond were never used. */
  #slots = 0;

  get size(): number {
    return this.#size;
  }

  /** Registers `key` and answers its slot. The caller sees to it that a key has one slot at most. */
  add(key: string, expiresAtMs: number): number {
    // Free slots sit in the heap array right behind the live ones: the next one is where the heap grows.
    const slot = this.#size < this.#slots ? (this.#heap[this.#size] as number) : this.#newSlot();
    this.#times[slot] = expiresAtMs;
    this.#keys[slot] = key;
    this.#place(this.#size, slot);
    this.#size++;
    this.#siftUp(this.#size - 1);
    return slot;
  }

  /** Frees `slot`. */
  remove(slot: number): void {
    const position = this.#positionOf[slot] ?? FREE;
    assert(position !== FREE, "only a slot in use is removed", { slot });
    this.#size--;
    const last = this.#heap[this.#size] as number;
    this.#keys[slot] = undefined;
    if (last !== slot) {
      this.#place(position, last);
      this.#siftDown(position);
      this.#siftUp(position);
    }
    this.#heap[this.#size] = slot;
    this.#positionOf[slot] = FREE;
  }

  /** Moves the expiry of `slot` to another time. */
  move(slot: number, expiresAtMs: number): void {
    const position = this.#positionOf[slot] ?? FREE;
    assert(position !== FREE, "only a slot in use is moved", { slot });
    this.#times[slot] = expiresAtMs;
    this.#siftDown(position);
    this.#siftUp(this.#positionOf[slot] as number);
  }

  /** When `slot` expires, in machine milliseconds. */
  timeOf(slot: number): number {
    return this.#times[slot] as number;
  }

  /** The earliest expiry, or null when nothing expires. */
  nextMs(): number | null {
    return this.#size === 0 ? null : this.timeOf(this.#heap[0] as number);
  }

  /** Up to `max` keys whose expiry is at or before `nowMs`, in no particular order. Costs O(answer). */
  due(nowMs: number, max: number): ExpiryItem[] {
    const items: ExpiryItem[] = [];
    if (this.#size === 0 || this.timeOf(this.#heap[0] as number) > nowMs || max <= 0) return items;
    // Every due item hangs below a due item: walk the top of the heap only.
    const stack = [0];
    while (items.length < max) {
      const position = stack.pop();
      if (position === undefined) break;
      const slot = this.#heap[position] as number;
      const expiresAtMs = this.timeOf(slot);
      if (expiresAtMs > nowMs) continue;
      items.push({ key: this.#keys[slot] as string, expiresAtMs });
      const child = 2 * position + 1;
      if (child + 1 < this.#size) stack.push(child + 1);
      if (child < this.#size) stack.push(child);
    }
    return items;
  }

  #newSlot(): number {
    if (this.#slots === this.#times.length) this.#grow();
    return this.#slots++;
  }

  #grow(): void {
    const capacity = this.#times.length * 2;
    const times = new Float64Array(capacity);
    times.set(this.#times);
    const positionOf = new Int32Array(capacity).fill(FREE);
    positionOf.set(this.#positionOf);
    const heap = new Int32Array(capacity);
    heap.set(this.#heap);
    this.#times = times;
    this.#positionOf = positionOf;
    this.#heap = heap;
  }

  #place(position: number, slot: number): void {
    this.#heap[position] = slot;
    this.#positionOf[slot] = position;
  }

  #siftUp(from: number): void {
    const slot = this.#heap[from] as number;
    const time = this.timeOf(slot);
    let position = from;
    while (position > 0) {
      const parent = (position - 1) >>> 1;
      const above = this.#heap[parent] as number;
      if (this.timeOf(above) <= time) break;
      this.#place(position, above);
      position = parent;
    }
    this.#place(position, slot);
  }

  #siftDown(from: number): void {
    const slot = this.#heap[from] as number;
    const time = this.timeOf(slot);
    let position = from;
    for (;;) {
      let child = 2 * position + 1;
      if (child >= this.#size) break;
      if (
        child + 1 < this.#size &&
        this.timeOf(this.#heap[child + 1] as number) < this.timeOf(this.#heap[child] as number)
      ) {
        child++;
      }
      const below = this.#heap[child] as number;
      if (this.timeOf(below) >= time) break;
      this.#place(position, below);
      position = child;
    }
    this.#place(position, slot);
  }
}
