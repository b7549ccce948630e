/**
 * What a shard tells its watchers: every change, in order, by revision.
 */

export interface Change {
  /** 1, 2, 3, ... per shard: every change has its own. A key's version is the revision of its last change. */
  readonly revision: number;
  readonly type: "put" | "delete" | "expire" | "evict" | "clear";
  /** Empty for `clear`. */
  readonly key: string;
  /** Only for `put`. */
  readonly value: string | null;
}
