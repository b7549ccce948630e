/**
 * What a load process is told to do, and what it answers. Jobs travel over the IPC channel, so they are plain data.
 */
/** Keys 0 .. KEY_COUNT - 1 are stored before anything is measured, unless the work says otherwise. */
export const KEY_COUNT = 100_000;
export const KEY_BYTES = 16;
export const VALUE_BYTES = 64;

/** What is stored and read. */
export interface Data {
  /** Keys are numbered from here. */
  readonly firstKey: number;
  /** A power of two or ten, or a product of them. @see scattered */
  readonly keys: number;
  readonly valueBytes: number;
}

export const DEFAULT_DATA: Data = Object.freeze({ firstKey: 0, keys: KEY_COUNT, valueBytes: VALUE_BYTES });

/** Load that lasts `seconds` after `warmUpSeconds` of the same that do not count. */
export interface Duration {
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/** Raw Redis protocol: every connection sends `pipeline` commands at once and waits for all replies. */
export interface RespWork {
  readonly type: "resp";
  readonly command: "SET" | "GET";
  readonly connections: number;
  readonly pipeline: number;
  /**
   * `WAIT 1 0` after each batch, for a replica to have all of it, too: sent with the batch, or by itself once the batch is answered, as
   * programs do that await one call after the other.
   */
  readonly waitForReplica: "no" | "with-batch" | "when-answered";
  /** `READONLY` first: any replica may answer. */
  readonly readOnly: boolean;
  /** A key that is found to hold nothing is counted, not a failure: a local copy may be behind. */
  readonly mayMiss?: boolean;
  /** Batches of all connections together, at even distances; null: each is sent once the one before is answered. */
  readonly perSecond: number | null;
  readonly data: Data;
}

/** etcd's gRPC: every client has one call under way. Reads are linearizable, etcd's default. */
export interface EtcdWork {
  readonly type: "etcd";
  readonly command: "put" | "range";
  readonly clients: number;
}

/** The public API within the process of the node itself; `get` and `peek` read one after the other. */
export interface EmbeddedWork {
  readonly type: "embedded";
  readonly command: "get" | "peek" | "put";
  readonly outstanding: number;
}

/** The load that comes with Redis, one door, keys at random. */
export interface RedisBenchmarkWork {
  readonly type: "redis-benchmark";
  readonly command: "SET" | "GET";
  readonly connections: number;
  readonly pipeline: number;
}

export type Work = RespWork | EtcdWork | EmbeddedWork | RedisBenchmarkWork;

/** `ports`: the doors of the servers, among which connections are spread evenly. */
export type Job =
  | { readonly type: "prefill"; readonly work: Work; readonly ports: readonly number[] }
  | {
      readonly type: "measure";
      readonly work: Work;
      readonly ports: readonly number[];
      readonly duration: Duration;
    }
  /** Lasts until the parent has enough of it; the window that counts begins when it says so. */
  | { readonly type: "hold"; readonly work: Work; readonly ports: readonly number[] };

/** What the slowest operations took. */
export interface Tail {
  readonly p999Ms: number;
  readonly maxMs: number;
}

export interface Outcome {
  readonly operations: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** null: whoever measured does not tell. */
  readonly tail: Tail | null;
  /** Refusals of a busy server, which are no failure of it; not counted as operations. */
  readonly busy: number;
  /** Keys that were found to hold nothing, where that may be; counted as operations. */
  readonly missing: number;
}

/** What is held begins to count, or ends. */
export type Word = "open" | "enough";

export type ToWorker = Job | { readonly type: "open" } | { readonly type: "enough" };

export type FromWorker =
  | { readonly type: "ready" }
  /** The window that counts begins, or has ended, now. */
  | { readonly type: "window-begins" }
  | { readonly type: "window-ends" }
  | { readonly type: "done"; readonly outcome: Outcome | null }
  | { readonly type: "failed"; readonly message: string };

/** The key with this number, {@link KEY_BYTES} long. */
export function keyText(number: number): string {
  return `key:${String(number).padStart(KEY_BYTES - 4, "0")}`;
}

const VALUE_TAIL = "abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** What is stored under it. */
export function valueText(number: number, bytes = VALUE_BYTES): string {
  return String(number).padStart(12, "0").padEnd(bytes, VALUE_TAIL);
}

/** Every key number once, far from in order: 61,803 and a number of keys such as {@link Data} allows have no common divisor. */
export function scattered(position: number, keys = KEY_COUNT): number {
  return (position * 61_803) % keys;
}
