/**
 * Load on a cache in the same process: `get` or `peek` one after the other, `put` with many outstanding.
 */
import { type EmbeddedWork, KEY_COUNT, keyText, scattered, valueText, type Work } from "../job.ts";
import type { Load } from "../load/load.ts";
import type { Tally } from "../tally.ts";

/** What the load uses of a node. */
export interface InProcessCache {
  get(key: string): Promise<string | null>;
  /** null: no such key; undefined: it is not here. */
  peek(key: string): string | null | undefined;
  put(key: string, value: string): Promise<unknown>;
}

const PREFILL_OUTSTANDING = 256;
/** Reads between two looks at the clock, which costs as much as some of them. */
const READS_PER_LOOK = 256;

/** A plain Map behind the same signatures: what there is to lose. */
export class MapCache implements InProcessCache {
  readonly #values = new Map<string, string>();

  async get(key: string): Promise<string | null> {
    return this.#values.get(key) ?? null;
  }

  peek(key: string): string | undefined {
    return this.#values.get(key);
  }

  async put(key: string, value: string): Promise<void> {
    this.#values.set(key, value);
  }
}

export class EmbeddedLoad implements Load {
  readonly finished: Promise<void>;
  readonly #cache: InProcessCache;
  readonly #tally: Tally;
  readonly #once: boolean;
  readonly #keys: readonly string[];
  readonly #values: readonly string[];
  #next = 0;
  #stopping = false;

  /** `once`: every key is put once, then the load ends by itself. */
  constructor(work: Work, cache: InProcessCache, tally: Tally, once: boolean) {
    if (work.type !== "embedded")
      throw new Error(`a program with a node of its own cannot do ${work.type} work`);
    this.#cache = cache;
    this.#tally = tally;
    this.#once = once;
    const numbers = Array.from({ length: KEY_COUNT }, (_, position) => scattered(position));
    this.#keys = numbers.map(keyText);
    this.#values = numbers.map((number) => valueText(number));
    const outstanding = once ? PREFILL_OUTSTANDING : work.outstanding;
    const command = once ? "put" : work.command;
    const loops = Array.from({ length: outstanding }, () => this.#goOn(command));
    this.finished = Promise.all(loops).then(() => undefined);
  }

  stop(): void {
    this.#stopping = true;
  }

  destroy(): void {
    this.#stopping = true;
  }

  #goOn(command: EmbeddedWork["command"]): Promise<void> {
    switch (command) {
      case "get":
        return this.#readOn();
      case "peek":
        return this.#peekOn();
      case "put":
        return this.#writeOn();
    }
  }

  /** Counts a read as what it took on average since the last look at the clock. */
  async #readOn(): Promise<void> {
    let at = 0;
    while (!this.#stopping) {
      const beganMs = performance.now();
      for (let count = 0; count < READS_PER_LOOK; count++) {
        const value = await this.#cache.get(this.#keys[at] as string);
        if (value === null) throw new Error(`${this.#keys[at]} was put and is not found`);
        at = at + 1 === KEY_COUNT ? 0 : at + 1;
      }
      this.#tally.succeeded((performance.now() - beganMs) / READS_PER_LOOK, READS_PER_LOOK);
      // Promises alone never let the process hear that the window has ended.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /** Likewise. */
  async #peekOn(): Promise<void> {
    let at = 0;
    while (!this.#stopping) {
      const beganMs = performance.now();
      for (let count = 0; count < READS_PER_LOOK; count++) {
        const value = this.#cache.peek(this.#keys[at] as string);
        if (typeof value !== "string") throw new Error(`${this.#keys[at]} was put and is not found`);
        at = at + 1 === KEY_COUNT ? 0 : at + 1;
      }
      this.#tally.succeeded((performance.now() - beganMs) / READS_PER_LOOK, READS_PER_LOOK);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  async #writeOn(): Promise<void> {
    while (!this.#stopping) {
      if (this.#next === KEY_COUNT) {
        if (this.#once) return;
        this.#next = 0;
      }
      const at = this.#next++;
      const beganMs = performance.now();
      await this.#write(this.#keys[at] as string, this.#values[at] as string);
      this.#tally.succeeded(performance.now() - beganMs, 1);
    }
  }

  /** A busy node is asked again, in a later turn: one that is asked at once has no turn in which to become less busy. */
  async #write(key: string, value: string): Promise<void> {
    for (;;) {
      try {
        await this.#cache.put(key, value);
        return;
      } catch (error) {
        if ((error as { readonly code?: unknown }).code !== "CREMA_BUSY") throw error;
        this.#tally.refusedAsBusy();
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
    }
  }
}
