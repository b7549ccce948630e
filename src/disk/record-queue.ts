/**
 * Group commit: whatever is given in one turn of the event loop, and while a write is under way, is the next write, with one
 * sync. One write at a time, so that what a crash leaves is always a first part of the sequence, and so that a torn write is
 * the last one.
 *
 * A full disk is waited for: the database is closed and opened again (after a failed write it takes no more), and the same records
 * are written again under the same keys. Nothing is confirmed meanwhile. Any other failure is final.
 */
import type { FsyncPolicy } from "../base/fsync-policy.ts";
import type { RecordDatabase, StoredRecord } from "./level-database.ts";
import { isNoSpace } from "./store-error.ts";

interface Queued extends StoredRecord {
  readonly done: (error: Error | null) => void;
}

export interface RecordQueueParts {
  readonly database: RecordDatabase;
  readonly fsync: FsyncPolicy;
  /** Whether the disk has space for `bytes` more. */
  readonly hasSpace: (bytes: number) => Promise<boolean>;
  /** The disk is full (why), or is not any more (null). */
  readonly onFull: (reason: string | null) => void;
  /** Nothing will be written any more. */
  readonly onFailed: (error: Error) => void;
}

/** How often a full disk is looked at again. */
const SPACE_POLL_MS = 250;

export class RecordQueue {
  readonly #parts: RecordQueueParts;
  #waiting: Queued[] = [];
  #scheduled = false;
  #writing = false;
  #failure: Error | null = null;
  #full = false;
  #closed = false;
  #unsynced = false;
  #syncTimer: NodeJS.Timeout | null = null;
  #wakeFromFull: (() => void) | null = null;
  #onIdle: (() => void)[] = [];
  readonly counters = { writes: 0, records: 0, bytes: 0, syncs: 0 };

  constructor(parts: RecordQueueParts) {
    this.#parts = parts;
  }

  get failure(): Error | null {
    return this.#failure;
  }

  /** Sequence numbers ascend. `done` is called in order: the record is as durable as the policy says. */
  add(sequence: number, bytes: Uint8Array, done: (error: Error | null) => void): void {
    if (this.#failure !== null || this.#closed) {
      done(this.#failure ?? new Error("the store is closed"));
      return;
    }
    this.#waiting.push({ sequence, bytes, done });
    if (this.#scheduled || this.#writing) return;
    this.#scheduled = true;
    // At the end of the turn: what its other groups write belongs to the same sync.
    queueMicrotask(() => {
      this.#scheduled = false;
      void this.#drain();
    });
  }

  /** Resolves when nothing waits or is under way. Does not wait for a full disk. */
  idle(): Promise<void> {
    if (!this.#writing && this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#onIdle.push(resolve));
  }

  /** Takes nothing more. Resolves when what was taken is written, or is refused because the disk is full. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wakeFromFull?.();
    await this.idle();
    if (this.#syncTimer !== null) clearTimeout(this.#syncTimer);
    if (this.#unsynced && this.#failure === null) await this.#parts.database.sync();
  }

  async #drain(): Promise<void> {
    if (this.#writing) return;
    this.#writing = true;
    while (this.#waiting.length > 0 && this.#failure === null) {
      const batch = this.#waiting;
      this.#waiting = [];
      const error = await this.#write(batch);
      if (error !== null) this.#fail(error);
      for (const { done } of batch) done(error);
    }
    this.#writing = false;
    for (const { done } of this.#waiting.splice(0)) done(this.#failure);
    for (const idle of this.#onIdle.splice(0)) idle();
  }

  async #write(batch: readonly Queued[]): Promise<Error | null> {
    const { database, fsync } = this.#parts;
    const bytes = batch.reduce((sum, record) => sum + record.bytes.length, 0);
    for (;;) {
      try {
        await database.write(batch, fsync.type === "always");
        this.counters.writes++;
        this.counters.records += batch.length;
        this.counters.bytes += bytes;
        if (fsync.type === "always") this.counters.syncs++;
        else this.#syncLater();
        if (this.#full) this.#setFull(null);
        return null;
      } catch (error) {
        if (!isNoSpace(error)) return errorOf(error);
        const refused = await this.#waitForSpace(bytes, errorOf(error));
        if (refused !== null) return refused;
      }
    }
  }

  /** null: there is space, and the database is open again. */
  async #waitForSpace(bytes: number, full: Error): Promise<Error | null> {
    const { database, hasSpace } = this.#parts;
    this.#setFull("the disk is full");
    await database.close();
    while (!this.#closed) {
      if (await hasSpace(bytes)) {
        try {
          await database.open();
          return null;
        } catch (error) {
          if (!isNoSpace(error)) return errorOf(error);
        }
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, SPACE_POLL_MS);
        this.#wakeFromFull = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return full;
  }

  #fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.#parts.onFailed(error);
  }

  #setFull(reason: string | null): void {
    this.#full = reason !== null;
    this.#parts.onFull(reason);
  }

  #syncLater(): void {
    const { fsync, database } = this.#parts;
    this.#unsynced = true;
    if (fsync.type !== "interval" || this.#syncTimer !== null) return;
    this.#syncTimer = setTimeout(() => {
      this.#syncTimer = null;
      // The database of a full disk is closed. What is not synced yet is synced with what is written next.
      if (this.#full) return;
      this.#unsynced = false;
      this.counters.syncs++;
      database.sync().catch((error: unknown) => {
        // No space to write the mark: the next write meets the same, and waits.
        this.#unsynced = true;
        if (isNoSpace(error) || this.#closed) return;
        this.#fail(errorOf(error));
      });
    }, fsync.intervalMs);
  }
}

function errorOf(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
