/**
 * How far a small heap may grow before V8 collects all garbage.
 *
 * V8 lets a heap grow up to fourfold where it sees much allocated, and hardly at all where it does not. It does not see what lies outside of the heap (entries, and
 * values from 1 MiB on), but counts it when it asks whether it is time: every ten values of 1 MiB began a collection of everything, in which a
 * node spent most of its time. So a small heap grows fourfold here; one that is not small is left to V8, as memory would be short otherwise.
 * What is set belongs to the process, so only the daemon does it: a program with a node in it is started as its author wishes
 * (`node --heap-growing-percent=300`).
 */
import { getHeapStatistics, setFlagsFromString } from "node:v8";

const MEBIBYTE = 1_024 ** 2;
/** Alive and garbage together: beyond, up to a quarter of it was alive when it was collected last. */
const SMALL_BYTES_MAX = 256 * MEBIBYTE;
const SMALL_GROWING_PERCENT = 300;
/** V8's own judgement. */
const UNSET_PERCENT = 0;
const LOOK_INTERVAL_MS = 1_000;

/** What of V8 is needed. */
export interface HeapControl {
  usedBytes(): number;
  setGrowingPercent(percent: number): void;
}

const V8: HeapControl = {
  usedBytes: () => getHeapStatistics().used_heap_size,
  setGrowingPercent: (percent) => setFlagsFromString(`--heap-growing-percent=${percent}`),
};

export class HeapGrowth {
  readonly #heap: HeapControl;
  #percent = UNSET_PERCENT;

  constructor(heap: HeapControl = V8) {
    this.#heap = heap;
  }

  /** Looks now, and from time to time while the process lives; it does not keep it alive. Whoever gave Node.js the flag is obeyed. */
  watch(flagsOfNode: readonly string[] = process.execArgv): void {
    if (flagsOfNode.some((flag) => /^--heap[-_]growing[-_]percent\b/.test(flag))) return;
    this.look();
    setInterval(() => this.look(), LOOK_INTERVAL_MS).unref();
  }

  look(): void {
    const percent = this.#heap.usedBytes() <= SMALL_BYTES_MAX ? SMALL_GROWING_PERCENT : UNSET_PERCENT;
    if (percent === this.#percent) return;
    this.#percent = percent;
    this.#heap.setGrowingPercent(percent);
  }
}
