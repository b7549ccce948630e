/**
 * Builds a shard from the chunks of a snapshot, beside the one in use, and puts it in its place when it is complete.
 * What arrives comes from another node: anything out of order is an error of that snapshot and leaves the shard as it was.
 */
import { unreachable } from "../base/assert.ts";
import { CremaError } from "../base/errors.ts";
import type { CacheOptions } from "./cache-options.ts";
import { ChangeHistory } from "./change-history.ts";
import { Keyspace } from "./keyspace.ts";
import { Session } from "./session.ts";
import { SessionTable } from "./session-table.ts";
import type { ShardState } from "./shard-state.ts";
import type {
  SnapshotChunk,
  SnapshotEnd,
  SnapshotEntry,
  SnapshotHeader,
  SnapshotRecord,
  SnapshotReply,
  SnapshotSession,
} from "./snapshot-record.ts";

/** Takes the chunks of one snapshot in order. Abandoned without `finish`, it changes nothing. */
export class SnapshotSink {
  readonly #shard: ShardState;
  readonly #options: CacheOptions;
  readonly #keyspace = new Keyspace();
  readonly #sessions: SessionTable;
  #chunks = 0;
  #header: SnapshotHeader | null = null;
  #session: Session | null = null;
  #lastSequence = 0;
  #lastCreated = 0;
  #ended = false;

  constructor(shard: ShardState) {
    this.#shard = shard;
    this.#options = shard.options;
    this.#sessions = new SessionTable(shard.options.sessionsMax);
  }

  /** Takes the next chunk. Throws `CREMA_PROTOCOL` when it does not follow the one before. */
  write(chunk: SnapshotChunk): void {
    if (chunk.sequence !== this.#chunks) {
      throw damaged(`chunk ${chunk.sequence} came where ${this.#chunks} was due`);
    }
    this.#chunks++;
    for (const record of chunk.records) this.#take(record);
  }

  /** Replaces the shard's whole state. Throws `CREMA_PROTOCOL` when the snapshot is not complete. */
  finish(): void {
    const header = this.#header;
    if (header === null || !this.#ended) throw damaged("it ends too early");
    const shard = this.#shard;
    shard.keyspace = this.#keyspace;
    shard.sessions = this.#sessions;
    shard.machineTimeMs = header.machineTimeMs;
    shard.appliedIndex = header.appliedIndex;
    const { changeHistoryMax, changeHistoryBytesMax } = this.#options;
    shard.history = new ChangeHistory(changeHistoryMax, changeHistoryBytesMax, header.revision);
  }

  #take(record: SnapshotRecord): void {
    if (this.#ended) throw damaged("records follow its end");
    if ((this.#header === null) !== (record.type === "header")) throw damaged("its header is not first");
    switch (record.type) {
      case "header":
        this.#header = record;
        this.#sessions.restoreLastId(record.lastSessionId);
        return;
      case "session":
        this.#takeSession(record);
        return;
      case "reply":
        this.#takeReply(record);
        return;
      case "entry":
        this.#takeEntry(record);
        return;
      case "end":
        this.#takeEnd(record);
        return;
      default:
        unreachable(record);
    }
  }

  #takeSession(record: SnapshotSession): void {
    if (this.#keyspace.size > 0) throw damaged("a session follows an entry");
    if (record.id <= (this.#session?.id ?? 0) || record.id > this.#sessions.lastId) {
      throw damaged(`session ${record.id} is out of order`);
    }
    const session = new Session(record.id, record.node, record.boot, record.lastUsedIndex);
    session.acknowledge(record.lowWater);
    this.#sessions.restore(session);
    this.#session = session;
    this.#lastSequence = record.lowWater - 1;
  }

  #takeReply(record: SnapshotReply): void {
    const session = this.#session;
    if (session === null || this.#keyspace.size > 0) throw damaged("a reply belongs to no session");
    if (
      record.sequence <= this.#lastSequence ||
      record.sequence - session.lowWater >= this.#options.sessionWindowMax
    ) {
      throw damaged(`reply ${record.sequence} of session ${session.id} is out of order`);
    }
    this.#lastSequence = record.sequence;
    session.remember(record.sequence, record.reply);
  }

  #takeEntry(record: SnapshotEntry): void {
    const { key, value, version, createdRevision, expiresAtMs } = record;
    if (createdRevision <= this.#lastCreated || createdRevision > (this.#header?.revision ?? 0)) {
      throw damaged(`the key created at revision ${createdRevision} is out of order`);
    }
    if (this.#keyspace.entries.has(key)) throw damaged("a key comes twice");
    this.#lastCreated = createdRevision;
    const entry = this.#keyspace.insert(
      key,
      value,
      version,
      createdRevision,
      this.#shard.meter?.fresh() ?? 0,
    );
    if (expiresAtMs !== null) this.#keyspace.setExpiry(key, entry, expiresAtMs);
  }

  #takeEnd(record: SnapshotEnd): void {
    if (record.sessions !== this.#sessions.size || record.entries !== this.#keyspace.size) {
      throw damaged(
        `it announces ${record.sessions} sessions and ${record.entries} keys, ` +
          `and holds ${this.#sessions.size} and ${this.#keyspace.size}`,
      );
    }
    this.#ended = true;
  }
}

function damaged(how: string): CremaError {
  return new CremaError("CREMA_PROTOCOL", `the snapshot cannot be restored: ${how}`, { retryable: true });
}
