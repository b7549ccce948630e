/**
 * Everything that can be asked of a shard without changing it.
 */

export type Query =
  /** Reply: the value, or null. */
  | { readonly type: "get"; readonly key: string }
  /** Reply: [value, version, remaining milliseconds or -1], or null. */
  | { readonly type: "get-versioned"; readonly key: string }
  /** Reply: an array of values or nulls in the order of `keys`. */
  | { readonly type: "get-many"; readonly keys: readonly string[] }
  /** Reply: how many of `keys` exist, each mention counted. */
  | { readonly type: "exists"; readonly keys: readonly string[] }
  /** Reply: length in bytes, 0 when absent. */
  | { readonly type: "length"; readonly key: string }
  /** Reply: bytes `first` .. `last` (both included, negative from the end) as Redis GETRANGE. */
  | { readonly type: "get-range"; readonly key: string; readonly first: number; readonly last: number }
  /** Reply: remaining milliseconds, -1 without expiry, -2 when absent. */
  | { readonly type: "ttl"; readonly key: string }
  /** Reply: "string" or "none". */
  | { readonly type: "type-of"; readonly key: string }
  /** Reply: number of keys. */
  | { readonly type: "count" }
  /** Reply: keys that match the glob `pattern`; at most `limit`. */
  | { readonly type: "keys"; readonly pattern: string; readonly limit: number }
  /**
   * Reply: [next position, keys]. Positions are opaque; 0 starts, 0 ends. A key present from start to end of a scan
   * is returned at least once. `count` is how many keys are looked at, as Redis SCAN COUNT.
   */
  | {
      readonly type: "scan";
      readonly position: number;
      readonly count: number;
      readonly pattern: string | null;
    }
  /** Reply: a key, or null; `pick` is any integer >= 0 drawn by the asker. */
  | { readonly type: "random-key"; readonly pick: number }
  /** Reply: [keys, bytes of keys and values, revision, sessions, accounted bytes]. */
  | { readonly type: "stats" };
