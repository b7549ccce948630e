/**
 * Everything that can change a shard. A command is data: what it does is a function of the state, the command and
 * the stamp of the entry that carries it, and of nothing else, so that every replica does the same.
 *
 * Keys and values are binary strings: one UTF-16 code unit per byte, each 0 .. 255 (measured: the cheapest way to
 * hold them in V8, and a slice never pins a network buffer).
 */
import type { BootNonce, NodeId } from "../base/ids.ts";

/** `ttlMs` that removes any expiry. */
export const NO_TTL = 0;
/** `ttlMs` that leaves the expiry of an existing key as it is. */
export const KEEP_TTL = -1;

/** Stores `value`. Reply: the new version, or null when the condition failed; with `returnOld`: [that, old value or null]. */
export interface SetCommand {
  readonly type: "set";
  readonly key: string;
  readonly value: string;
  /** Milliseconds from the entry's stamp, {@link NO_TTL} or {@link KEEP_TTL}. */
  readonly ttlMs: number;
  readonly condition: "always" | "if-absent" | "if-present" | "if-version";
  /** Only for `if-version`; 0 means "absent". */
  readonly expectedVersion: number;
  readonly returnOld: boolean;
}

/** Stores all pairs, clearing their expiries. Reply: 1, or 0 when `onlyIfAllAbsent` and one key exists (nothing stored then). */
export interface SetManyCommand {
  readonly type: "set-many";
  readonly pairs: readonly (readonly [key: string, value: string])[];
  readonly onlyIfAllAbsent: boolean;
}

/** Removes keys. Reply: how many existed. */
export interface DeleteCommand {
  readonly type: "delete";
  readonly keys: readonly string[];
}

/** Removes `key` if its version is `expectedVersion`. Reply: 1 or 0. */
export interface DeleteIfVersionCommand {
  readonly type: "delete-if-version";
  readonly key: string;
  readonly expectedVersion: number;
}

/** Removes `key`. Reply: the value it had, or null. */
export interface GetDeleteCommand {
  readonly type: "get-delete";
  readonly key: string;
}

/** Sets or removes the expiry of `key` and reads it. Reply: the value, or null when absent. `ttlMs` as in `set`; < -1 never sent. */
export interface GetExpireCommand {
  readonly type: "get-expire";
  readonly key: string;
  readonly ttlMs: number;
}

/** Sets the expiry; `ttlMs` <= 0 removes the key. Reply: 1, or 0 when absent or the condition failed. */
export interface ExpireCommand {
  readonly type: "expire";
  readonly key: string;
  readonly ttlMs: number;
  /** Redis EXPIRE's NX, XX, GT and LT: no expiry yet, has one, later than now's, earlier than now's (none counts as infinite). */
  readonly condition: "always" | "if-none" | "if-some" | "if-later" | "if-earlier";
}

/** Removes the expiry. Reply: 1, or 0 when the key is absent or has none. */
export interface PersistCommand {
  readonly type: "persist";
  readonly key: string;
}

/** Adds to a 64-bit signed integer, absent = 0; the expiry stays. Reply: the sum (bigint beyond 2^53), or a fault. */
export interface IncrementCommand {
  readonly type: "increment";
  readonly key: string;
  readonly by: number | bigint;
}

/** Adds to a floating point number, absent = 0; the expiry stays. Reply: the sum as Redis prints it, or a fault. */
export interface IncrementFloatCommand {
  readonly type: "increment-float";
  readonly key: string;
  readonly by: number;
}

/** Appends; the expiry stays. Reply: the new length in bytes, or a fault. */
export interface AppendCommand {
  readonly type: "append";
  readonly key: string;
  readonly value: string;
}

/** Overwrites from `offset`, padding with zero bytes; the expiry stays. Reply: the new length in bytes, or a fault. */
export interface SetRangeCommand {
  readonly type: "set-range";
  readonly key: string;
  readonly offset: number;
  readonly value: string;
}

/** Moves value and expiry to another key of the same shard. Reply: 1, 0 when `onlyIfAbsent` and `to` exists, or fault `no-such-key`. */
export interface RenameCommand {
  readonly type: "rename";
  readonly from: string;
  readonly to: string;
  readonly onlyIfAbsent: boolean;
}

/** Removes every key of the shard. Reply: how many there were. */
export interface ClearCommand {
  readonly type: "clear";
}

/**
 * Proposed by the leader alone: removes each key that still has exactly this expiry and whose expiry is not after the
 * entry's stamp. Reply: how many were removed.
 */
export interface RemoveExpiredCommand {
  readonly type: "remove-expired";
  readonly items: readonly ExpiryItem[];
}

export interface ExpiryItem {
  readonly key: string;
  /** Machine time in milliseconds. */
  readonly expiresAtMs: number;
}

/**
 * Proposed by the leader alone: removes each key that still has exactly this version. Which keys is the leader's choice,
 * by what it knows of their use; once committed the removal is the same on every replica. Reply: how many were removed.
 */
export interface EvictCommand {
  readonly type: "evict";
  /** Some node that holds the shard is short of memory, or nobody has used the keys for long. */
  readonly reason: "memory" | "idle";
  readonly items: readonly EvictItem[];
}

export interface EvictItem {
  readonly key: string;
  readonly version: number;
}

/**
 * Opens a session for one life of one node. Reply: the session id, which is the revision-independent index of the entry.
 * Commands under an unknown session are refused with the fault `session-expired`, so a forgotten session can never
 * apply anything twice. @see Raft dissertation §6.3
 */
export interface OpenSessionCommand {
  readonly type: "open-session";
  readonly node: NodeId;
  readonly boot: BootNonce;
}

export type Command =
  | SetCommand
  | SetManyCommand
  | DeleteCommand
  | DeleteIfVersionCommand
  | GetDeleteCommand
  | GetExpireCommand
  | ExpireCommand
  | PersistCommand
  | IncrementCommand
  | IncrementFloatCommand
  | AppendCommand
  | SetRangeCommand
  | RenameCommand
  | ClearCommand
  | RemoveExpiredCommand
  | EvictCommand
  | OpenSessionCommand;

/** A command with what makes it apply once. */
export interface SessionCommand {
  /** Session id from `open-session`; 0 for `open-session`, `remove-expired` and `evict`, which are idempotent by nature. */
  readonly session: number;
  /** 1, 2, 3, ... per session. */
  readonly sequence: number;
  /** Every sequence below this one has been answered to its caller: its reply can be forgotten. */
  readonly lowWater: number;
  readonly command: Command;
}
