/**
 * The checkpoints of one replica in durable mode: what a restart begins with, so that the log behind it is all that has to be
 * applied again. One is due when the log has grown by as much as a checkpoint costs, or when some time has passed and
 * there is any log at all. The machine is read slice by slice in the background, while it goes on applying, and no slice is read
 * before the disk has taken the one before.
 *
 * A checkpoint that fails costs nothing but its work: the log it would have replaced is still there.
 */
import type { GroupId, LogIndex } from "../base/ids.ts";
import type { Background } from "./background.ts";
import type { CheckpointLine } from "./checkpoint-line.ts";
import type { HostOptions } from "./options.ts";
import type { CheckpointWriter, Clock, LogBase, LogStore } from "./ports.ts";
import { SliceSizes } from "./slice-sizes.ts";
import type { SnapshotSource, StateMachine } from "./state-machine.ts";

export interface GroupCheckpointsParts {
  readonly group: GroupId;
  readonly store: LogStore;
  readonly clock: Clock;
  readonly background: Background;
  readonly line: CheckpointLine;
  readonly options: HostOptions;
  /** Where the replica's log begins: the store holds the machine there. */
  readonly index: LogIndex;
  /** Bytes of the log behind it. */
  readonly logBytes: number;
  /** The machine, and where it stands now. */
  readonly now: () => { readonly machine: StateMachine<unknown>; readonly base: LogBase };
  readonly onTaken: (checkpoint: TakenCheckpoint) => void;
  readonly onFailed: (error: Error) => void;
}

export interface TakenCheckpoint {
  readonly group: GroupId;
  readonly index: LogIndex;
  /** Bytes of its slices. */
  readonly bytes: number;
  readonly durationMs: number;
}

/** One that is under way. Its own token: whatever a former one still does is ignored. */
interface UnderWay {
  readonly source: SnapshotSource;
  readonly writer: CheckpointWriter;
  readonly base: LogBase;
  readonly beganAtMs: number;
  /** Log bytes that it will replace. */
  readonly logBytes: number;
  readonly leave: () => void;
  readonly sizes: SliceSizes;
  bytes: number;
}

const SLICE_BYTES_MAX = 64 * 1024;
/** After a failure the next attempt waits so long at least. */
const RETRY_MS = 5_000;

export class GroupCheckpoints {
  readonly #parts: GroupCheckpointsParts;
  #index: LogIndex;
  /** Bytes written to the log since the newest checkpoint. */
  #logBytes: number;
  /** Bytes of the newest checkpoint. */
  #machineBytes = 0;
  #lastAtMs: number;
  #notBeforeMs = 0;
  #inLine = false;
  #underWay: UnderWay | null = null;
  #closed = false;

  constructor(parts: GroupCheckpointsParts) {
    this.#parts = parts;
    this.#index = parts.index;
    this.#logBytes = parts.logBytes;
    this.#lastAtMs = parts.clock.nowMs();
  }

  /** Index of the newest checkpoint. */
  get index(): LogIndex {
    return this.#index;
  }

  /** Entries of so many bytes were given to the store. */
  appended(bytes: number): void {
    this.#logBytes += bytes;
  }

  /** Takes a checkpoint if one is due: after entries were applied, and now and then. */
  look(applied: LogIndex): void {
    if (this.#closed || this.#inLine || applied <= this.#index || !this.#isDue()) return;
    this.#inLine = true;
    this.#parts.line.enter((leave) => this.#begin(leave));
  }

  /** The machine was replaced by a snapshot at `index`, which is on its way to the store. */
  replaced(index: LogIndex): void {
    this.#end();
    if (index <= this.#index) return;
    this.#index = index;
    this.#logBytes = 0;
    this.#lastAtMs = this.#parts.clock.nowMs();
  }

  close(): void {
    this.#closed = true;
    this.#end();
  }

  /** A restart reads checkpoint and log: neither should be much longer than the other. */
  #isDue(): boolean {
    const { checkpointLogBytes, checkpointIntervalMs } = this.#parts.options;
    const nowMs = this.#parts.clock.nowMs();
    if (nowMs < this.#notBeforeMs) return false;
    if (this.#logBytes >= Math.max(checkpointLogBytes, this.#machineBytes)) return true;
    return this.#logBytes > 0 && nowMs - this.#lastAtMs >= checkpointIntervalMs;
  }

  #begin(leave: () => void): void {
    const { now, store, clock, group } = this.#parts;
    if (this.#closed || !this.#inLine) {
      leave();
      return;
    }
    const { machine, base } = now();
    this.#underWay = {
      source: machine.beginSnapshot(),
      writer: store.beginCheckpoint(group),
      base,
      beganAtMs: clock.nowMs(),
      logBytes: this.#logBytes,
      leave,
      sizes: new SliceSizes(SLICE_BYTES_MAX),
      bytes: 0,
    };
    this.#step(this.#underWay);
  }

  #step(underWay: UnderWay): void {
    if (this.#underWay !== underWay) return;
    const slice = underWay.source.next(underWay.sizes.next());
    if (slice === null) {
      this.#finish(underWay);
      return;
    }
    underWay.bytes += slice.length;
    const next = (): void => this.#parts.background.queue(() => this.#step(underWay));
    const taken = underWay.writer.write(new Uint8Array(slice));
    if (taken === undefined) next();
    else taken.then(next, (error: unknown) => this.#failed(underWay, error));
  }

  #finish(underWay: UnderWay): void {
    const { group, store } = this.#parts;
    underWay.source.close();
    underWay.writer.finish((error, kept) => {
      if (this.#underWay !== underWay) kept?.discard();
      else if (kept === null) this.#failed(underWay, error);
      else
        store.checkpoint(group, underWay.base, kept, (refused) => {
          if (refused !== null) this.#failed(underWay, refused);
          else this.#taken(underWay);
        });
    });
  }

  #taken(underWay: UnderWay): void {
    if (this.#underWay !== underWay) return;
    const { group, clock } = this.#parts;
    const { base, bytes, beganAtMs } = underWay;
    const nowMs = clock.nowMs();
    this.#index = base.index;
    this.#logBytes -= underWay.logBytes;
    this.#machineBytes = bytes;
    this.#lastAtMs = nowMs;
    this.#end();
    this.#parts.onTaken({ group, index: base.index, bytes, durationMs: nowMs - beganAtMs });
  }

  #failed(underWay: UnderWay, error: unknown): void {
    if (this.#underWay !== underWay) return;
    this.#notBeforeMs = this.#parts.clock.nowMs() + RETRY_MS;
    underWay.writer.abandon();
    this.#end();
    this.#parts.onFailed(error instanceof Error ? error : new Error(String(error)));
  }

  #end(): void {
    const underWay = this.#underWay;
    this.#underWay = null;
    this.#inLine = false;
    if (underWay === null) return;
    underWay.source.close();
    underWay.writer.abandon();
    underWay.leave();
  }
}
