/**
 * What a snapshot of a shard is made of, as data; `wire/snapshot-codec` turns it into bytes.
 * Order: header, sessions each followed by its replies (ascending ids and sequences), entries (ascending creation
 * revisions: the order of the map), end.
 */
import type { BootNonce, NodeId } from "../base/ids.ts";
import type { Reply } from "./reply.ts";

export interface SnapshotHeader {
  readonly type: "header";
  readonly appliedIndex: number;
  readonly revision: number;
  readonly machineTimeMs: number;
  readonly lastSessionId: number;
}

export interface SnapshotSession {
  readonly type: "session";
  readonly id: number;
  readonly node: NodeId;
  readonly boot: BootNonce;
  readonly lowWater: number;
  readonly lastUsedIndex: number;
}

/** A stored reply of the session before it. */
export interface SnapshotReply {
  readonly type: "reply";
  readonly sequence: number;
  readonly reply: Reply;
}

export interface SnapshotEntry {
  readonly type: "entry";
  readonly key: string;
  readonly value: string;
  readonly version: number;
  readonly createdRevision: number;
  /** Null when the key never expires. */
  readonly expiresAtMs: number | null;
}

/** Says that nothing is missing. */
export interface SnapshotEnd {
  readonly type: "end";
  readonly sessions: number;
  readonly entries: number;
}

export type SnapshotRecord = SnapshotHeader | SnapshotSession | SnapshotReply | SnapshotEntry | SnapshotEnd;

/** A slice of a snapshot, small enough to be one message. */
export interface SnapshotChunk {
  /** 0, 1, 2, ... */
  readonly sequence: number;
  readonly records: readonly SnapshotRecord[];
}
