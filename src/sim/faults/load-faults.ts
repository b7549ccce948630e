/**
 * What clients do to a fleet beyond their quiet questions: values that fill many frames, and bursts beyond what a shard
 * takes at once. Both keep books of their own: what was acknowledged must be there at the end, and counted once.
 */
import { CremaError } from "../../base/errors.ts";
import type { FleetLife } from "../fleet.ts";
import { ENTRY } from "../virtual-process.ts";
import { drawLife, type Fault } from "./fault.ts";

const LARGE_BYTES_MIN = 64 * 1024;
const LARGE_BYTES_MAX = 1024 * 1024;
const LARGE_VALUES_MAX = 6;
const BURST_MIN = 100;
const BURST_MAX = 1_500;
const BURST_KEYS = 3;
const BURST_TIMEOUT_MS = 1_500;
const READ_TIMEOUT_MS = 5_000;
const LARGE_TIMEOUT_MS = 3_000;

interface Count {
  acknowledged: number;
  /** Asked, and nobody knows. */
  open: number;
}

/** What bursts and large values were told, for the reckoning at the end. */
export class LoadBooks {
  readonly #counts = new Map<string, Count>();
  /** Large values by key: their length, and whether they were acknowledged. */
  readonly #large = new Map<string, { readonly length: number; acknowledged: boolean }>();

  /** By key: a read that did not see what was asked before it. */
  readonly #outOfOrder = new Map<string, string>();
  /** Keys that a leader has chosen for removal, ever: what they had counted may be gone. */
  readonly #evicted = new Set<string>();

  get largeValues(): number {
    return this.#large.size;
  }

  burst(life: FleetLife, key: string, increments: number): void {
    const count = this.#counts.get(key) ?? { acknowledged: 0, open: 0 };
    this.#counts.set(key, count);
    count.open += increments;
    life.process.enter(ENTRY.client, increments, () => {
      const writes = Array.from({ length: increments }, () => this.#increment(life, key, count));
      void this.#inOrder(key, writes, life.node.cache.consistentGet(key, { timeoutMs: BURST_TIMEOUT_MS }));
    });
  }

  large(life: FleetLife, key: string, length: number): void {
    const entry = { length, acknowledged: false };
    this.#large.set(key, entry);
    const put = async (): Promise<void> => {
      try {
        await life.node.cache.put(key, largeText(key, length), { timeoutMs: LARGE_TIMEOUT_MS });
        entry.acknowledged = true;
      } catch (error) {
        if (!(error instanceof CremaError)) throw error;
      }
    };
    life.process.enter(ENTRY.client, length, () => void put());
  }

  evicted(key: string): void {
    this.#evicted.add(key);
  }

  /** Reads everything back through `life`; what is wrong, or null. */
  async reckon(life: FleetLife): Promise<string | null> {
    for (const [key, text] of this.#outOfOrder) if (!this.#evicted.has(key)) return text;
    for (const [key, { acknowledged, open }] of this.#counts) {
      const value = Number((await life.node.cache.consistentGet(key, { timeoutMs: READ_TIMEOUT_MS })) ?? 0);
      if (value < acknowledged && !this.#evicted.has(key))
        return `${key} is ${value}, but ${acknowledged} increments were acknowledged`;
      if (value > acknowledged + open)
        return `${key} is ${value}, but only ${acknowledged} to ${acknowledged + open} increments were asked for`;
    }
    for (const [key, { length, acknowledged }] of this.#large) {
      const value = await life.node.cache.consistentGet(key, { timeoutMs: READ_TIMEOUT_MS });
      if (value === null && this.#evicted.has(key)) continue;
      if (value === null ? acknowledged : value !== largeText(key, length))
        return `${key} of ${length} bytes ${value === null ? "is gone" : "is damaged"}`;
    }
    return null;
  }

  /** A read sees the writes that were asked before it, answered or not. */
  async #inOrder(
    key: string,
    writes: readonly Promise<boolean>[],
    read: Promise<string | null>,
  ): Promise<void> {
    const [outcomes, value] = await Promise.all([Promise.all(writes), read.then(Number, () => null)]);
    const acknowledged = outcomes.filter((done) => done).length;
    if (value === null || value >= acknowledged) return;
    if (!this.#outOfOrder.has(key))
      this.#outOfOrder.set(key, `a read of ${key} behind ${acknowledged} increments was answered ${value}`);
  }

  /** Whether it was acknowledged. */
  async #increment(life: FleetLife, key: string, count: Count): Promise<boolean> {
    try {
      await life.node.cache.increment(key, 1, { timeoutMs: BURST_TIMEOUT_MS });
      count.acknowledged++;
      count.open--;
      return true;
    } catch (error) {
      if (!(error instanceof CremaError)) throw error;
      if (!error.ambiguous) count.open--;
      return false;
    }
  }
}

/** Recognisable at every place, so that a piece which is missing or moved shows. */
function largeText(key: string, length: number): string {
  return `${key}:${length} `.repeat(Math.ceil(length / (key.length + 2))).slice(0, length);
}

export function loadFaults(books: LoadBooks): readonly Fault[] {
  const large: Fault = {
    kind: "large-values",
    inject(tools) {
      const life = drawLife(tools);
      if (life === null || books.largeValues >= LARGE_VALUES_MAX) return null;
      const length = tools.random.nextBetween(LARGE_BYTES_MIN, LARGE_BYTES_MAX);
      books.large(life, `large${books.largeValues + 1}`, length);
      return `${length} bytes through ${life.name}`;
    },
  };
  const overload: Fault = {
    kind: "overload",
    inject(tools) {
      const life = drawLife(tools);
      if (life === null) return null;
      const increments = tools.random.nextBetween(BURST_MIN, BURST_MAX);
      const key = `burst${tools.random.nextBetween(1, BURST_KEYS)}`;
      books.burst(life, key, increments);
      return `${increments} increments of ${key} at once through ${life.name}`;
    },
  };
  return [large, overload];
}
