/**
 * The simplest store that keeps what a log store must keep: the medium is a list in memory, a call is durable when the turn is
 * over, and a life that crashes loses what it had not written by then. To be read by whoever writes another one, and to be used
 * where a test wants a durable node without a disk.
 */
import type { GroupId } from "../../src/base/ids.ts";
import type {
  Checkpoint,
  CheckpointWriter,
  GroupWrite,
  KeptCheckpoint,
  LogBase,
  LogStore,
  NodeRecord,
  StoreDone,
  StoredPast,
  Tombstone,
} from "../../src/host/ports.ts";
import { type StoreChange, StoreRecordEncoder } from "../../src/wire/store-record.ts";
import { StoreReplay } from "../../src/wire/store-replay.ts";

/** What outlives the lives of a node. */
export class MemoryMedium {
  readonly records: Uint8Array[] = [];
  full = false;
  broken = false;
}

interface Call {
  readonly changes: readonly StoreChange[];
  readonly done: StoreDone;
}

class KeptSlices implements KeptCheckpoint {
  readonly slices: Uint8Array[] = [];

  discard(): void {}
}

export class MemoryLogStore implements LogStore {
  readonly durable = true;
  onStall: (reason: string | null) => void = () => {};
  onFailed: (error: Error) => void = () => {};
  readonly #medium: MemoryMedium;
  readonly #encoder = new StoreRecordEncoder();
  #calls: Call[] = [];
  #failure: Error | null = null;
  #stalled = false;
  #ended: "no" | "closed" | "crashed" = "no";

  /** One life on `medium`. */
  constructor(medium: MemoryMedium) {
    this.#medium = medium;
  }

  async load(): Promise<StoredPast> {
    const replay = new StoreReplay(1);
    for (const bytes of this.#medium.records) replay.add(bytes);
    const { node, groups, tombstones, damaged } = replay.finish(() => null);
    const opened = groups.map(({ machine, ...rest }) => {
      return { ...rest, checkpoint: machine as readonly Uint8Array[] | null };
    });
    return { node, groups: opened, tombstones, damaged };
  }

  write(writes: readonly GroupWrite[], done: StoreDone): void {
    const changes = writes.map(({ group, base, checkpoint, entries, hardState }): StoreChange => {
      return { type: "group", group, base, machine: slicesOf(checkpoint), entries, hardState };
    });
    this.#take({ changes, done });
  }

  beginCheckpoint(): CheckpointWriter {
    const kept = new KeptSlices();
    return {
      write: (slice) => void kept.slices.push(slice.slice()),
      finish: (done) => done(null, kept),
      abandon: () => {},
    };
  }

  checkpoint(group: GroupId, base: LogBase, checkpoint: Checkpoint, done: StoreDone): void {
    this.#take({ changes: [{ type: "checkpoint", group, base, machine: slicesOf(checkpoint) }], done });
  }

  remove(group: GroupId, tombstone: Tombstone): void {
    this.#take({ changes: [{ type: "remove", group, tombstone }], done: () => {} });
  }

  saveNode(record: NodeRecord, done: StoreDone): void {
    this.#take({ changes: [{ type: "node", ...record }], done });
  }

  counters(): Readonly<Record<string, number>> {
    return { waiting: this.#calls.length };
  }

  /** The process dies: nobody hears of anything any more. */
  crash(): void {
    this.#ended = "crashed";
    this.#calls = [];
  }

  async close(): Promise<void> {
    if (this.#ended !== "no") return;
    if (!this.#medium.full) this.flush();
    this.#ended = "closed";
    for (const { done } of this.#calls.splice(0)) done(new Error("the store is closed"));
  }

  /** What a turn has to keep becomes durable. Called at the end of a turn, and by whoever cannot wait for that. */
  flush(): void {
    this.#tellStall();
    if (this.#medium.full) return;
    for (const { changes, done } of this.#calls.splice(0)) {
      if (this.#medium.broken && this.#failure === null) {
        this.#failure = new Error("the medium takes no more");
        this.onFailed(this.#failure);
      }
      if (this.#failure === null) {
        const { bytes } = this.#encoder.encode(this.#medium.records.length + 1, changes);
        this.#medium.records.push(bytes);
      }
      done(this.#failure);
    }
  }

  #take(call: Call): void {
    if (this.#ended === "crashed") return;
    if (this.#failure !== null || this.#ended === "closed") {
      call.done(this.#failure ?? new Error("the store is closed"));
      return;
    }
    this.#calls.push(call);
    if (this.#calls.length === 1) queueMicrotask(() => this.flush());
  }

  #tellStall(): void {
    const stalled = this.#medium.full && this.#calls.length > 0;
    if (stalled === this.#stalled) return;
    this.#stalled = stalled;
    this.onStall(stalled ? "the medium is full" : null);
  }
}

function slicesOf(checkpoint: Checkpoint): readonly Uint8Array[] | null {
  if (checkpoint === null) return null;
  return checkpoint instanceof KeptSlices ? checkpoint.slices : (checkpoint as readonly Uint8Array[]);
}
