/**
 * A durable log store on a virtual disk: every call is one record, encoded and replayed by the code that real adapters use,
 * appended to the one file there is. One process life of one node; the disk goes on to the next.
 */
import { CremaError } from "../base/errors.ts";
import type { GroupId } from "../base/ids.ts";
import type {
  Checkpoint,
  CheckpointWriter,
  Clock,
  GroupWrite,
  KeptCheckpoint,
  LogBase,
  LogStore,
  NodeRecord,
  StoreDone,
  StoredPast,
  Tombstone,
} from "../host/ports.ts";
import { type StoreChange, type StoredMachine, StoreRecordEncoder } from "../wire/store-record.ts";
import { type Replayed, StoreReplay } from "../wire/store-replay.ts";
import type { VirtualDisk } from "./virtual-disk.ts";
import { ENTRY, type VirtualProcess } from "./virtual-process.ts";

/** Bytes appended between two times at which the file is rewritten, at least. */
const REWRITE_BYTES_MIN = 4 * 1024 * 1024;
/** Of every group so many, with the log behind the oldest. */
const CHECKPOINTS_KEPT = 2;
/** How often a full disk is looked at again. */
const FULL_POLL_MS = 200;

/** The slices of a checkpoint: they become durable with the record that uses them. */
class KeptSlices implements KeptCheckpoint {
  readonly slices: readonly Uint8Array[];

  constructor(slices: readonly Uint8Array[]) {
    this.slices = slices;
  }

  discard(): void {}
}

/** A call that waits for space. */
interface Waiting {
  readonly changes: readonly StoreChange[];
  readonly done: StoreDone;
}

export class VirtualLogStore implements LogStore {
  readonly durable = true;
  onStall: (reason: string | null) => void = () => {};
  onFailed: (error: Error) => void = () => {};
  readonly #disk: VirtualDisk;
  readonly #clock: Clock;
  readonly #rewriteBytesMin: number;
  readonly #process: VirtualProcess | null;
  readonly #encoder = new StoreRecordEncoder();
  #sequence = 0;
  /** Appends under way. */
  #open = 0;
  #waiting: Waiting[] = [];
  #failure: Error | null = null;
  /** Bytes appended since the file was rewritten, and how many it takes until it is again: what it had then, at least. */
  #appendedBytes = 0;
  #rewriteBytes: number;
  #closed = false;
  #onIdle: (() => void)[] = [];

  /**
   * `clock`: of the owner; polls a full disk. `rewriteBytesMin`: how far the file may grow, at least, before what is outdated in
   * it is dropped. Default 4 MiB. `process`: where confirmations are heard; null for an owner that is no process.
   */
  constructor(
    disk: VirtualDisk,
    clock: Clock,
    rewriteBytesMin: number = REWRITE_BYTES_MIN,
    process: VirtualProcess | null = null,
  ) {
    this.#disk = disk;
    this.#clock = clock;
    this.#process = process;
    this.#rewriteBytesMin = rewriteBytesMin;
    this.#rewriteBytes = Math.max(rewriteBytesMin, disk.size);
  }

  async load(): Promise<StoredPast> {
    return this.past();
  }

  /** What `load` answers, at once: a virtual disk keeps nobody waiting. Throws CREMA_STORE_DAMAGED. */
  past(): StoredPast {
    const replay = new StoreReplay(CHECKPOINTS_KEPT);
    for (const { payload } of this.#disk.read()) replay.add(payload);
    this.#sequence = replay.index.lastSequence;
    return pastOf(replay.finish(() => null));
  }

  write(writes: readonly GroupWrite[], done: StoreDone): void {
    const changes = writes.map(({ group, base, checkpoint, entries, hardState }): StoreChange => {
      return { type: "group", group, base, machine: machineOf(checkpoint), entries, hardState };
    });
    this.#append(changes, done);
  }

  beginCheckpoint(): CheckpointWriter {
    const slices: Uint8Array[] = [];
    return {
      write: (slice) => void slices.push(slice),
      finish: (done) => done(null, new KeptSlices(slices)),
      abandon: () => {},
    };
  }

  checkpoint(group: GroupId, base: LogBase, checkpoint: Checkpoint, done: StoreDone): void {
    this.#append([{ type: "checkpoint", group, base, machine: machineOf(checkpoint) }], done);
  }

  remove(group: GroupId, tombstone: Tombstone): void {
    this.#append([{ type: "remove", group, tombstone }], () => {});
  }

  saveNode(record: NodeRecord, done: StoreDone): void {
    this.#append([{ type: "node", ...record }], done);
  }

  counters(): Readonly<Record<string, number>> {
    return this.#disk.counters;
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#refuseWaiting();
    if (this.#open === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#onIdle.push(resolve));
  }

  #append(changes: readonly StoreChange[], done: StoreDone): void {
    if (this.#closed || this.#failure !== null) {
      done(this.#refusal());
      return;
    }
    if (this.#disk.full || this.#waiting.length > 0) this.#wait({ changes, done });
    else this.#write(changes, done);
  }

  #write(changes: readonly StoreChange[], done: StoreDone): void {
    this.#open++;
    const { bytes: payload } = this.#encoder.encode(++this.#sequence, changes);
    this.#appendedBytes += payload.length;
    this.#disk.append(payload, (error) => {
      if (this.#process === null) this.#ended(error, done);
      else this.#process.enter(ENTRY.disk, payload.length, () => this.#ended(error, done));
    });
  }

  #wait(call: Waiting): void {
    this.#waiting.push(call);
    if (this.#waiting.length > 1) return;
    this.onStall("the virtual disk is full");
    this.#poll();
  }

  #poll(): void {
    this.#clock.setTimer(FULL_POLL_MS, () => {
      if (this.#closed || this.#failure !== null) return this.#refuseWaiting();
      if (this.#disk.full) return this.#poll();
      for (const { changes, done } of this.#waiting.splice(0)) this.#write(changes, done);
      this.onStall(null);
    });
  }

  #refuseWaiting(): void {
    for (const { done } of this.#waiting.splice(0)) done(this.#refusal());
  }

  #refusal(): Error {
    return this.#failure ?? new CremaError("CREMA_CLOSED", "the store is closed");
  }

  #ended(error: Error | null, done: StoreDone): void {
    this.#open--;
    if (error !== null && this.#failure === null) {
      this.#failure = error;
      this.onFailed(error);
    }
    if (this.#appendedBytes > this.#rewriteBytes) this.#rewrite();
    // What was on its way when the first one failed may have reached the disk; nobody is to count on it.
    done(this.#failure);
    if (this.#open === 0) for (const idle of this.#onIdle.splice(0)) idle();
  }

  /** Costs no time: a real store does it beside its work. What is damaged is left as it is, for the next load to find. */
  #rewrite(): void {
    this.#appendedBytes = 0;
    const before = this.#disk.synced();
    if (before === null) return;
    const replay = new StoreReplay(CHECKPOINTS_KEPT);
    for (const payload of before) replay.add(payload);
    const replayed = replay.finish(() => null);
    if (replayed.damaged.length > 0) return;
    // The records that follow go on counting from the last of these.
    const rewritten = changesOf(replayed);
    const first = replay.index.lastSequence - rewritten.length + 1;
    if (rewritten.length > replay.index.lastSequence) return;
    const payloads = rewritten.map((change, at) => this.#encoder.encode(first + at, [change]).bytes);
    this.#disk.rewrite(payloads);
    const bytes = payloads.reduce((sum, { length }) => sum + length, 0);
    this.#rewriteBytes = Math.max(this.#rewriteBytesMin, bytes);
  }
}

function machineOf(checkpoint: Checkpoint): StoredMachine {
  if (checkpoint === null) return null;
  return checkpoint instanceof KeptSlices ? checkpoint.slices : (checkpoint as readonly Uint8Array[]);
}

function pastOf({ node, groups, tombstones, damaged }: Replayed): StoredPast {
  return {
    node,
    groups: groups.map(({ machine, ...rest }) => ({ ...rest, checkpoint: machine as readonly Uint8Array[] })),
    tombstones,
    damaged,
  };
}

/** The fewest changes that add up to the same. */
function changesOf({ node, groups, tombstones }: Replayed): StoreChange[] {
  const changes: StoreChange[] = node === null ? [] : [node];
  for (const each of tombstones) changes.push({ type: "remove", ...each });
  for (const each of groups) changes.push({ type: "group", ...each });
  return changes;
}
