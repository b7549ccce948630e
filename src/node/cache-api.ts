/**
 * The cache as a program uses it: text or bytes in, promises out. Everything goes through the same router as the
 * Redis door; nothing here knows where a key lives.
 */
import { type ShardId, shardId } from "../base/ids.ts";
import { type Command, KEEP_TTL, NO_TTL } from "../cache/command.ts";
import type { Query } from "../cache/query.ts";
import { Fault, type Reply } from "../cache/reply.ts";
import { binaryFromBytes, binaryFromText, bytesFromBinary, textFromBinary } from "../wire/binary-text.ts";
import type { Consistency, EmbeddedDoor, RequestDoor } from "./door.ts";
import { type AbortSignalLike, faultError, promisedReply, promisedResult } from "./promised-reply.ts";
import { keyError } from "./request-limits.ts";

/** Half of what an integer can hold exactly: added to any machine time it still is one. */
const TTL_MS_MAX = Number.MAX_SAFE_INTEGER / 2;
const NO_OPTIONS: PutOptions = Object.freeze({});

export type CacheValue = string | Uint8Array;

export interface CallOptions {
  /** Longest wait for the answer, all hops and retries included. Default: the node's `requestTimeoutMs`. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignalLike;
}

export interface PutOptions extends CallOptions {
  /** Time-to-live in milliseconds, > 0. Default: the node's `defaultTtlMs`; 0 = none. */
  readonly ttlMs?: number;
  /** Keep the expiry that the key has. */
  readonly keepTtl?: boolean;
  /** Only when the key does not exist. */
  readonly ifAbsent?: boolean;
  /** Only when the key exists. */
  readonly ifPresent?: boolean;
}

/** A value with the version that `cas` compares. */
export interface Versioned {
  readonly value: string;
  readonly version: number;
  /** Remaining time-to-live in milliseconds; null without one. */
  readonly ttlMs: number | null;
}

export interface CacheStats {
  readonly keys: number;
  /** Of keys and values. */
  readonly bytes: number;
  /** The same and what they cost beside: what limits count, once for each replica. */
  readonly accountedBytes: number;
  readonly shards: readonly {
    readonly shard: number;
    readonly keys: number;
    readonly bytes: number;
    readonly accountedBytes: number;
    readonly revision: number;
  }[];
}

export class CacheApi {
  readonly #door: EmbeddedDoor;
  readonly #defaultTimeoutMs: number;
  readonly #defaultTtlMs: number;

  constructor(
    door: EmbeddedDoor,
    defaults: { readonly requestTimeoutMs: number; readonly defaultTtlMs: number },
  ) {
    this.#door = door;
    this.#defaultTimeoutMs = defaults.requestTimeoutMs;
    this.#defaultTtlMs = defaults.defaultTtlMs;
  }

  /** Stores `value`. Linearizable, exactly once. Answers the new version, or null when a condition failed. */
  put(key: string, value: CacheValue, options: PutOptions = NO_OPTIONS): Promise<{ version: number } | null> {
    try {
      return this.#put(key, value, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #put(key: string, value: CacheValue, options: PutOptions): Promise<{ version: number } | null> {
    if (options.ifAbsent && options.ifPresent)
      throw new TypeError("ifAbsent and ifPresent exclude each other");
    if (options.keepTtl && options.ttlMs !== undefined)
      throw new TypeError("keepTtl and ttlMs exclude each other");
    const condition = options.ifAbsent ? "if-absent" : options.ifPresent ? "if-present" : "always";
    const ttlMs = options.keepTtl ? KEEP_TTL : checkedTtl(options.ttlMs ?? this.#defaultTtlMs);
    const binaryKey = binaryFromText(key);
    const command: Command = {
      type: "set",
      key: binaryKey,
      value: binaryOf(value),
      ttlMs,
      condition,
      expectedVersion: 0,
      returnOld: false,
    };
    return this.#write(binaryKey, command, options, versionOrNull);
  }

  putWithTtl(
    key: string,
    value: CacheValue,
    ttlMs: number,
    options: CallOptions = {},
  ): Promise<{ version: number } | null> {
    if (!(ttlMs > 0)) return Promise.reject(new RangeError(`ttlMs must be > 0, got ${ttlMs}`));
    return this.put(key, value, { ...options, ttlMs });
  }

  /** Local: this node's replica, else the nearest one. May be stale, never uncommitted. */
  async get(key: string, options: CallOptions = NO_OPTIONS): Promise<string | null> {
    const here = options.signal?.aborted ? undefined : this.#peek(key);
    return textOrNull(here === undefined ? await this.#readLocal(key, options) : here);
  }

  async getBytes(key: string, options: CallOptions = NO_OPTIONS): Promise<Uint8Array | null> {
    const here = options.signal?.aborted ? undefined : this.#peek(key);
    return bytesOrNull(here === undefined ? await this.#readLocal(key, options) : here);
  }

  /**
   * What {@link get} would find on this node, at once: null when there is no such key. undefined when this node holds no replica of the key's
   * shard, so that only `get`, which asks another node, can tell. May be stale, never uncommitted.
   * Throws what `get` rejects with before it waits: CREMA_KEY_INVALID, CREMA_NOT_READY, CREMA_BUSY, CREMA_CLOSED.
   */
  peek(key: string): string | null | undefined {
    const reply = this.#peek(key);
    return reply === undefined ? undefined : textOrNull(reply);
  }

  peekBytes(key: string): Uint8Array | null | undefined {
    const reply = this.#peek(key);
    return reply === undefined ? undefined : bytesOrNull(reply);
  }

  /** Linearizable: never older than anything acknowledged before the call. */
  async consistentGet(key: string, options: CallOptions = {}): Promise<string | null> {
    const binaryKey = binaryFromText(key);
    return textOrNull(await this.#read(binaryKey, { type: "get", key: binaryKey }, "linearizable", options));
  }

  async consistentGetBytes(key: string, options: CallOptions = {}): Promise<Uint8Array | null> {
    const binaryKey = binaryFromText(key);
    return bytesOrNull(await this.#read(binaryKey, { type: "get", key: binaryKey }, "linearizable", options));
  }

  /** Linearizable read of value, version and remaining time-to-live. */
  async getVersioned(key: string, options: CallOptions = {}): Promise<Versioned | null> {
    const binaryKey = binaryFromText(key);
    const query: Query = { type: "get-versioned", key: binaryKey };
    const reply = await this.#read(binaryKey, query, "linearizable", options);
    if (!Array.isArray(reply)) return null;
    const [value, version, ttlMs] = reply as [string, number, number];
    return { value: textFromBinary(value), version, ttlMs: ttlMs < 0 ? null : ttlMs };
  }

  /** Removes `key`; whether it existed. */
  async delete(key: string, options: CallOptions = {}): Promise<boolean> {
    const binaryKey = binaryFromText(key);
    return this.#write(binaryKey, { type: "delete", keys: [binaryKey] }, options, isOne);
  }

  /**
   * Stores `value` if the key's version is `expectedVersion` (0: absent). Answers the new version, or null when
   * another version was found. The expiry stays unless `ttlMs` is given.
   */
  async cas(
    key: string,
    expectedVersion: number,
    value: CacheValue,
    options: CallOptions & { readonly ttlMs?: number } = {},
  ): Promise<{ version: number } | null> {
    if (!Number.isSafeInteger(expectedVersion) || expectedVersion < 0) {
      throw new RangeError(`expectedVersion must be an integer >= 0, got ${expectedVersion}`);
    }
    const ttlMs = options.ttlMs === undefined ? KEEP_TTL : checkedTtl(options.ttlMs);
    const binaryKey = binaryFromText(key);
    const command: Command = {
      type: "set",
      key: binaryKey,
      value: binaryOf(value),
      ttlMs,
      condition: "if-version",
      expectedVersion,
      returnOld: false,
    };
    return this.#write(binaryKey, command, options, versionOrNull);
  }

  /** Adds to an integer, absent = 0. Answers the sum; a bigint beyond 2^53. */
  async increment(key: string, by: number | bigint = 1, options: CallOptions = {}): Promise<number | bigint> {
    if (typeof by === "bigint" && BigInt.asIntN(64, by) !== by)
      throw new RangeError(`by must fit 64 bits, got ${by}`);
    if (typeof by === "number" && !Number.isSafeInteger(by))
      throw new RangeError(`by must be an integer, got ${by}`);
    const binaryKey = binaryFromText(key);
    return this.#write(binaryKey, { type: "increment", key: binaryKey, by }, options, asSum);
  }

  /** Sets the time-to-live; whether the key exists. */
  async expire(key: string, ttlMs: number, options: CallOptions = {}): Promise<boolean> {
    const binaryKey = binaryFromText(key);
    const command: Command = {
      type: "expire",
      key: binaryKey,
      ttlMs: checkedTtl(ttlMs),
      condition: "always",
    };
    return this.#write(binaryKey, command, options, isOne);
  }

  /** Linearizable. */
  async contains(key: string, options: CallOptions = {}): Promise<boolean> {
    const binaryKey = binaryFromText(key);
    const query: Query = { type: "exists", keys: [binaryKey] };
    return isOne(await this.#read(binaryKey, query, "linearizable", options));
  }

  /** Removes every key of the cluster, shard by shard (not atomic over shards). Answers how many there were. */
  async clear(options: CallOptions = {}): Promise<number> {
    const removed = await this.#everyShard(
      (shard, sink) => this.#door.write(shard, { type: "clear" }, this.#timeoutMs(options), sink),
      options,
    );
    return removed.reduce<number>((sum, count) => sum + (count as number), 0);
  }

  /** Keys of the whole cluster. */
  async entryCount(options: CallOptions = {}): Promise<number> {
    return (await this.stats(options)).keys;
  }

  async stats(options: CallOptions = {}): Promise<CacheStats> {
    const replies = await this.#everyShard(
      (shard, sink) =>
        this.#door.read(shard, { type: "stats" }, "linearizable", this.#timeoutMs(options), sink),
      options,
    );
    const shards = replies.map((reply, shard) => {
      const [keys, bytes, revision, , accounted] = reply as readonly number[];
      const accountedBytes = accounted ?? 0;
      return { shard, keys: keys ?? 0, bytes: bytes ?? 0, accountedBytes, revision: revision ?? 0 };
    });
    return {
      keys: shards.reduce((sum, each) => sum + each.keys, 0),
      bytes: shards.reduce((sum, each) => sum + each.bytes, 0),
      accountedBytes: shards.reduce((sum, each) => sum + each.accountedBytes, 0),
      shards,
    };
  }

  #everyShard(
    ask: (shard: ShardId, sink: Parameters<RequestDoor["write"]>[3]) => void,
    options: CallOptions,
  ): Promise<Reply[]> {
    const shards = Array.from({ length: this.#door.shardCount }, (_, shard) => shardId(shard));
    return Promise.all(shards.map((shard) => promisedReply((sink) => ask(shard, sink), options.signal)));
  }

  /** `key`, here and below, is binary. What is wrong with it is thrown. */
  #write<Result>(
    key: string,
    command: Command,
    options: CallOptions,
    resultOf: (reply: Reply) => Result,
  ): Promise<Result> {
    const shard = this.#shardOf(key);
    const timeoutMs = this.#timeoutMs(options);
    return promisedResult(
      (sink) => this.#door.write(shard, command, timeoutMs, sink),
      resultOf,
      options.signal,
    );
  }

  #read(key: string, query: Query, consistency: Consistency, options: CallOptions): Promise<Reply> {
    const shard = this.#shardOf(key);
    const timeoutMs = this.#timeoutMs(options);
    return promisedReply(
      (sink) => this.#door.read(shard, query, consistency, timeoutMs, sink),
      options.signal,
    );
  }

  #readLocal(key: string, options: CallOptions): Promise<Reply> {
    const binaryKey = binaryFromText(key);
    return this.#read(binaryKey, { type: "get", key: binaryKey }, "local", options);
  }

  /** What this node's replica answers, if it has one: there is nothing to wait for, and nothing that a signal could abort. */
  #peek(key: string): Reply | undefined {
    const binaryKey = binaryFromText(key);
    const shard = this.#shardOf(binaryKey);
    const reply = this.#door.readHere(shard, { type: "get", key: binaryKey });
    if (reply instanceof Fault) throw faultError(reply);
    return reply;
  }

  /** Throws CREMA_KEY_INVALID for what can be no key, CREMA_NOT_READY before there is a map. */
  #shardOf(key: string): ShardId {
    const error = keyError(key);
    if (error !== null) throw error;
    return this.#door.shardOf(key);
  }

  #timeoutMs(options: CallOptions): number {
    return options.timeoutMs ?? this.#defaultTimeoutMs;
  }
}

function binaryOf(value: CacheValue): string {
  if (typeof value === "string") return binaryFromText(value);
  if (value instanceof Uint8Array) return binaryFromBytes(value);
  throw new TypeError("a value is a string or a Uint8Array");
}

function checkedTtl(ttlMs: number): number {
  if (!(ttlMs >= 0 && ttlMs <= TTL_MS_MAX))
    throw new RangeError(`ttlMs must be 0 .. ${TTL_MS_MAX}, got ${ttlMs}`);
  return ttlMs === 0 ? NO_TTL : Math.max(1, Math.floor(ttlMs));
}

function textOrNull(reply: Reply): string | null {
  return typeof reply === "string" ? textFromBinary(reply) : null;
}

function bytesOrNull(reply: Reply): Uint8Array | null {
  return typeof reply === "string" ? bytesFromBinary(reply) : null;
}

function versionOrNull(reply: Reply): { version: number } | null {
  return reply === null ? null : { version: reply as number };
}

function isOne(reply: Reply): boolean {
  return reply === 1;
}

function asSum(reply: Reply): number | bigint {
  return reply as number | bigint;
}
