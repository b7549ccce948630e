/**
 * The future of a simulated world: a binary heap of events, ordered by time and then by the order in which they were
 * made. Two events of one instant never swap, so equal inputs give equal histories.
 */
import type { Timer } from "../host/ports.ts";

/** Something that will happen. Cancelling forgets the callback; the queue drops the husk when it meets it. */
export class ScheduledEvent implements Timer {
  /** Virtual milliseconds. */
  readonly atMs: number;
  /** 1, 2, 3, ... in the order of scheduling. */
  readonly sequence: number;
  #callback: (() => void) | null;
  #onCancel: (() => void) | null;

  constructor(atMs: number, sequence: number, callback: () => void, onCancel: () => void) {
    this.atMs = atMs;
    this.sequence = sequence;
    this.#callback = callback;
    this.#onCancel = onCancel;
  }

  get cancelled(): boolean {
    return this.#callback === null;
  }

  cancel(): void {
    if (this.#callback === null) return;
    this.#callback = null;
    this.#onCancel?.();
    this.#onCancel = null;
  }

  /** Runs the callback unless it was cancelled; at most once. */
  readonly run = (): void => {
    const callback = this.#callback;
    this.#callback = null;
    this.#onCancel = null;
    callback?.();
  };
}

/** Earliest first. Cancelled events cost memory only until they outnumber the live ones. */
export class EventQueue {
  #heap: ScheduledEvent[] = [];
  #sequence = 0;
  #cancelled = 0;
  readonly #countCancelled = (): void => {
    this.#cancelled++;
    if (this.#cancelled > 64 && this.#cancelled * 2 > this.#heap.length) this.#sweep();
  };

  /** Events that will still run. */
  get size(): number {
    return this.#heap.length - this.#cancelled;
  }

  add(atMs: number, callback: () => void): ScheduledEvent {
    const event = new ScheduledEvent(atMs, ++this.#sequence, callback, this.#countCancelled);
    this.#heap.push(event);
    this.#siftUp(this.#heap.length - 1);
    return event;
  }

  /** When the next event is due; Infinity when none is. */
  nextAtMs(): number {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined) return Number.POSITIVE_INFINITY;
      if (!first.cancelled) return first.atMs;
      this.#removeFirst();
      this.#cancelled--;
    }
  }

  /** Takes the next event out; undefined when none is left. */
  take(): ScheduledEvent | undefined {
    return this.nextAtMs() === Number.POSITIVE_INFINITY ? undefined : this.#removeFirst();
  }

  #removeFirst(): ScheduledEvent | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#siftDown(0);
    }
    return first;
  }

  #sweep(): void {
    this.#heap = this.#heap.filter((event) => !event.cancelled);
    this.#cancelled = 0;
    for (let at = (this.#heap.length >> 1) - 1; at >= 0; at--) this.#siftDown(at);
  }

  #siftUp(start: number): void {
    const heap = this.#heap;
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!precedes(heap[at], heap[parent])) return;
      swap(heap, at, parent);
      at = parent;
    }
  }

  #siftDown(start: number): void {
    const heap = this.#heap;
    let at = start;
    for (;;) {
      const left = at * 2 + 1;
      let least = at;
      if (precedes(heap[left], heap[least])) least = left;
      if (precedes(heap[left + 1], heap[least])) least = left + 1;
      if (least === at) return;
      swap(heap, at, least);
      at = least;
    }
  }
}

function precedes(one: ScheduledEvent | undefined, other: ScheduledEvent | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.sequence < other.sequence);
}

function swap(heap: ScheduledEvent[], one: number, other: number): void {
  const held = heap[one] as ScheduledEvent;
  heap[one] = heap[other] as ScheduledEvent;
  heap[other] = held;
}
