/**
 * A photograph of a shard that is developed in slices while the shard goes on changing.
 *
 * It walks the live keyspace. Whatever is about to change before the walk has come to it is kept as it was (its
 * pre-image) and handed out in its place. So a snapshot costs memory only for what changes while it runs, and is
 * exactly the state of the moment it began.
 */
import type { CacheEntry } from "./cache-entry.ts";
import { type Keyspace, NEVER_MS } from "./keyspace.ts";
import { MinHeap } from "./min-heap.ts";
import type { Reply } from "./reply.ts";
import type { Session } from "./session.ts";
import type { PreImageKeeper, ShardState } from "./shard-state.ts";
import type {
  SnapshotChunk,
  SnapshotEntry,
  SnapshotHeader,
  SnapshotRecord,
  SnapshotSession,
} from "./snapshot-record.ts";

/** What a record weighs beside its text. */
const RECORD_BYTES = 32;

/** A session as it was, detached from the live one. */
interface FrozenSession {
  readonly record: SnapshotSession;
  readonly replies: readonly (readonly [sequence: number, reply: Reply])[];
}

/** One running snapshot. Close it, or read it to its end: until then it costs every change a look. */
export class SnapshotSource implements PreImageKeeper {
  readonly #shard: ShardState;
  readonly #keyspace: Keyspace;
  readonly #header: SnapshotHeader;
  readonly #walk: Generator<undefined, void>;
  #slice: SnapshotRecord[] = [];
  /** Bytes that the slice may still take. */
  #room = 0;
  #chunks = 0;
  #open = true;

  /** Sessions that are not handed out yet, by ascending id. */
  readonly #sessionsLeft: Set<Session>;
  readonly #frozen = new Map<Session, FrozenSession>();

  /** Pre-images by creation revision, and those revisions in order. */
  readonly #kept = new Map<number, SnapshotEntry>();
  readonly #keptOrder = new MinHeap();
  /** Entries created up to this revision have been handed out. */
  #entriesDone = 0;

  constructor(shard: ShardState) {
    this.#shard = shard;
    this.#keyspace = shard.keyspace;
    this.#sessionsLeft = new Set(shard.sessions.values());
    this.#header = {
      type: "header",
      appliedIndex: shard.appliedIndex,
      revision: shard.revision,
      machineTimeMs: shard.machineTimeMs,
      lastSessionId: shard.sessions.lastId,
    };
    this.#walk = this.#records();
    shard.keepers.push(this);
  }

  /** Index of the last entry whose effects it holds. */
  get appliedIndex(): number {
    return this.#header.appliedIndex;
  }

  /** Pre-images held at the moment. */
  get keptCount(): number {
    return this.#kept.size + this.#frozen.size;
  }

  /** The next slice of about `maxBytes` (one record at least, whatever its size), or null after the last one. */
  next(maxBytes: number): SnapshotChunk | null {
    if (!this.#open) return null;
    const records: SnapshotRecord[] = [];
    this.#slice = records;
    this.#room = maxBytes;
    if (this.#walk.next().done === true) this.close();
    return records.length === 0 ? null : { sequence: this.#chunks++, records };
  }

  /** Ends the snapshot and lets go of everything it kept. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#shard.keepers.splice(this.#shard.keepers.indexOf(this), 1);
    this.#kept.clear();
    this.#keptOrder.clear();
    this.#frozen.clear();
    this.#sessionsLeft.clear();
  }

  keepEntry(keyspace: Keyspace, key: string, entry: CacheEntry): void {
    const created = entry.createdRevision;
    if (keyspace !== this.#keyspace || created > this.#header.revision || created <= this.#entriesDone)
      return;
    if (this.#kept.has(created)) return;
    this.#kept.set(created, entryRecord(keyspace, key, entry));
    this.#keptOrder.push(created);
  }

  keepSession(session: Session): void {
    if (!this.#sessionsLeft.has(session) || this.#frozen.has(session)) return;
    this.#frozen.set(session, freeze(session));
  }

  /** Yields where a slice is full, not for each record: to go on costs as much as to make one. */
  *#records(): Generator<undefined, void> {
    if (this.#add(this.#header)) yield;
    const sessions = this.#sessionsLeft.size;
    for (const session of this.#sessionsLeft) {
      const { record, replies } = this.#frozen.get(session) ?? freeze(session);
      this.#frozen.delete(session);
      this.#sessionsLeft.delete(session);
      if (this.#add(record)) yield;
      for (const [sequence, reply] of replies) if (this.#add({ type: "reply", sequence, reply })) yield;
    }
    let entries = 0;
    for (const [key, entry] of this.#keyspace.entries) {
      if (entry.createdRevision > this.#header.revision) break;
      // Mostly there are none: then each key is spared a generator of its own.
      if (this.#kept.size > 0)
        for (const kept of this.#keptUpTo(entry.createdRevision)) {
          entries++;
          if (this.#add(kept)) yield;
        }
      if (entry.createdRevision <= this.#entriesDone) continue;
      entries++;
      this.#entriesDone = entry.createdRevision;
      if (this.#add(entryRecord(this.#keyspace, key, entry))) yield;
    }
    for (const kept of this.#keptUpTo(this.#header.revision)) {
      entries++;
      if (this.#add(kept)) yield;
    }
    this.#entriesDone = this.#header.revision;
    if (this.#add({ type: "end", sessions, entries })) yield;
  }

  /** Whether the slice is full with that. */
  #add(record: SnapshotRecord): boolean {
    this.#slice.push(record);
    this.#room -= recordBytes(record);
    return this.#room <= 0;
  }

  /** Takes out the pre-images of entries created up to `revision`, in order; some may join while it runs. */
  *#keptUpTo(revision: number): Generator<SnapshotEntry, void> {
    for (let created = this.#keptOrder.peek(); created !== undefined; created = this.#keptOrder.peek()) {
      if (created > revision) return;
      this.#keptOrder.pop();
      const kept = this.#kept.get(created);
      this.#kept.delete(created);
      this.#entriesDone = created;
      if (kept !== undefined) yield kept;
    }
  }
}

function entryRecord(keyspace: Keyspace, key: string, entry: CacheEntry): SnapshotEntry {
  const expiresAtMs = keyspace.expiryOf(entry);
  return {
    type: "entry",
    key,
    value: entry.value,
    version: entry.version,
    createdRevision: entry.createdRevision,
    expiresAtMs: expiresAtMs === NEVER_MS ? null : expiresAtMs,
  };
}

function freeze(session: Session): FrozenSession {
  const { id, node, boot, lowWater, lastUsedIndex } = session;
  return {
    record: { type: "session", id, node, boot, lowWater, lastUsedIndex },
    replies: [...session.replies()],
  };
}

function recordBytes(record: SnapshotRecord): number {
  if (record.type === "entry") return RECORD_BYTES + record.key.length + record.value.length;
  if (record.type === "reply") return RECORD_BYTES + replyBytes(record.reply);
  return RECORD_BYTES;
}

function replyBytes(reply: Reply): number {
  if (typeof reply === "string") return reply.length;
  if (!Array.isArray(reply)) return 0;
  let bytes = 0;
  for (const part of reply) bytes += RECORD_BYTES + replyBytes(part);
  return bytes;
}
