/**
 * From a key to its shard: xxhash64 (seed 0) of the key's bytes, modulo the number of shards. Of a key with a hash tag
 * only the tag counts, so that keys which must meet in one command can be named to live together: `{user:1}:cart`.
 */
import xxhash from "xxhash-wasm";
import { assert } from "../base/assert.ts";
import { SHARDS_MAX, type ShardId, shardId } from "../base/ids.ts";
import { KEY_BYTES_MAX } from "../base/limits.ts";
import { SHORT_BYTES_MAX, shortHashModulo } from "./short-hash.ts";

/** Keys of up to so many bytes use views made once; longer ones make one each. */
const VIEWS_MAX = 256;

/** Hashes keys. Holds the compiled WebAssembly and a scratch buffer: one serves a whole process. */
export class KeyHash {
  readonly #h64: (bytes: Uint8Array) => bigint;
  readonly #scratch = new Uint8Array(KEY_BYTES_MAX);
  readonly #views: readonly Uint8Array[];
  /** Every shard's id, so that none is checked anew for each key. */
  readonly #shardIds: ShardId[] = [shardId(0)];
  #shards = 1;
  #divisor = 1n;

  constructor(h64: (bytes: Uint8Array) => bigint) {
    this.#h64 = h64;
    this.#views = Array.from({ length: VIEWS_MAX + 1 }, (_, length) => this.#scratch.subarray(0, length));
  }

  /** xxhash64 with seed 0 of a binary string of at most `KEY_BYTES_MAX` bytes, from `start` to `end`. */
  hash(text: string, start = 0, end = text.length): bigint {
    const length = end - start;
    assert(length <= KEY_BYTES_MAX, "a key fits its limit", { bytes: length });
    const scratch = this.#scratch;
    for (let at = 0; at < length; at++) scratch[at] = text.charCodeAt(start + at);
    return this.#h64(this.#views[length] ?? scratch.subarray(0, length));
  }

  /** The shard of `key` among `shards` (1 .. 4,096). Never changes for given arguments: data lies where it says. */
  shardOf(key: string, shards: number): ShardId {
    if (shards !== this.#shards) this.#setShards(shards);
    let start = 0;
    let end = key.length;
    // The tag is what stands between the first `{` and the first `}` after it, if anything does.
    const open = key.indexOf("{");
    if (open >= 0) {
      const close = key.indexOf("}", open + 1);
      if (close > open + 1) {
        start = open + 1;
        end = close;
      }
    }
    const shard =
      end - start <= SHORT_BYTES_MAX
        ? shortHashModulo(key, start, end, shards)
        : Number(this.hash(key, start, end) % this.#divisor);
    return this.#shardIds[shard] as ShardId;
  }

  #setShards(shards: number): void {
    assert(Number.isInteger(shards) && shards >= 1 && shards <= SHARDS_MAX, "there are 1..4096 shards", {
      shards,
    });
    this.#shards = shards;
    this.#divisor = BigInt(shards);
    while (this.#shardIds.length < shards) this.#shardIds.push(shardId(this.#shardIds.length));
  }
}

/** Compiles the hash. */
export async function loadKeyHash(): Promise<KeyHash> {
  const { h64Raw } = await xxhash();
  return new KeyHash(h64Raw);
}
