/**
 * The bounded queue between a shard's changes and a program that reads them at its own pace. A reader that falls behind
 * is told so by an error: a change is never left out silently, and nobody else waits for a slow reader.
 */
import { CremaError } from "../base/errors.ts";
import type { ShardId } from "../base/ids.ts";

/** One change as a watcher sees it; keys and values as UTF-8 text. */
export interface WatchChange {
  readonly shard: ShardId;
  /** 1, 2, 3, ... per shard. Pass the last one seen of each shard as `from` to go on later. */
  readonly revision: number;
  readonly type: "put" | "delete" | "expire" | "evict" | "clear";
  readonly key: string;
  /** Only for `put`. */
  readonly value: string | null;
}

/** Changes a watcher may be behind. */
export const WATCH_QUEUE_MAX = 16_384;

export class WatchQueue implements AsyncIterableIterator<WatchChange> {
  #changes: WatchChange[] = [];
  #head = 0;
  #waiting: ((result: IteratorResult<WatchChange>) => void) | null = null;
  #rejecting: ((error: CremaError) => void) | null = null;
  #error: CremaError | null = null;
  #ended = false;
  readonly #onEnd: () => void;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  get ended(): boolean {
    return this.#ended;
  }

  push(change: WatchChange): void {
    if (this.#ended) return;
    if (this.#waiting !== null) {
      const resolve = this.#waiting;
      this.#waiting = null;
      this.#rejecting = null;
      resolve({ done: false, value: change });
      return;
    }
    if (this.#changes.length - this.#head >= WATCH_QUEUE_MAX) {
      this.fail(
        new CremaError("CREMA_WATCH_LAGGED", `the watcher is more than ${WATCH_QUEUE_MAX} changes behind`, {
          retryable: true,
        }),
      );
      return;
    }
    this.#changes.push(change);
  }

  /** Ends the watch with `error`, at once: what is queued is not delivered any more. */
  fail(error: CremaError): void {
    if (this.#ended) return;
    this.#error = error;
    this.#end();
  }

  next(): Promise<IteratorResult<WatchChange>> {
    if (this.#head < this.#changes.length && this.#error === null) {
      const value = this.#changes[this.#head++] as WatchChange;
      if (this.#head === this.#changes.length) {
        this.#changes = [];
        this.#head = 0;
      }
      return Promise.resolve({ done: false, value });
    }
    if (this.#error !== null) {
      const error = this.#error;
      this.#error = null;
      this.#changes = [];
      this.#head = 0;
      return Promise.reject(error);
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    if (this.#waiting !== null)
      return Promise.reject(new TypeError("a watch is read by one reader at a time"));
    return new Promise((resolve, reject) => {
      this.#waiting = resolve;
      this.#rejecting = reject;
    });
  }

  return(): Promise<IteratorResult<WatchChange>> {
    this.#changes = [];
    this.#head = 0;
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const resolve = this.#waiting;
    const reject = this.#rejecting;
    this.#waiting = null;
    this.#rejecting = null;
    if (this.#error !== null && reject !== null) {
      const error = this.#error;
      this.#error = null;
      reject(error);
    } else {
      resolve?.({ done: true, value: undefined });
    }
    this.#onEnd();
  }
}
