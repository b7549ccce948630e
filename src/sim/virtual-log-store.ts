/**
 * A durable log store on a virtual disk: every call is one record, encoded by the codec that real adapters use, appended
 * to the one file there is. One process life of one node; the disk goes on to the next.
 */
import { CremaError } from "../base/errors.ts";
import type { GroupId } from "../base/ids.ts";
import type {
  Checkpoint,
  GroupWrite,
  LogBase,
  LogStore,
  NodeRecord,
  StoreDone,
  StoredPast,
  Tombstone,
} from "../host/ports.ts";
import { decodeStoreRecord, encodeStoreRecord, type StoreRecord } from "../wire/store-codec.ts";
import { StoredImage } from "./stored-image.ts";
import type { VirtualDisk } from "./virtual-disk.ts";
import { ENTRY, type VirtualProcess } from "./virtual-process.ts";

/** Bytes appended between two times at which the file is rewritten, at least. */
const REWRITE_BYTES_MIN = 4 * 1024 * 1024;

export class VirtualLogStore implements LogStore {
  readonly durable = true;
  readonly #disk: VirtualDisk;
  readonly #rewriteBytesMin: number;
  readonly #process: VirtualProcess | null;
  /** Appends under way. */
  #open = 0;
  #failure: Error | null = null;
  /** Bytes appended since the file was rewritten, and how many it takes until it is again: what it had then, at least. */
  #appendedBytes = 0;
  #rewriteBytes: number;
  #closed = false;
  #onIdle: (() => void)[] = [];

  /**
   * `rewriteBytesMin`: how far the file may grow, at least, before what is outdated in it is dropped. Default 4 MiB.
   * `process`: where confirmations are heard; null for an owner that is no process.
   */
  constructor(
    disk: VirtualDisk,
    rewriteBytesMin: number = REWRITE_BYTES_MIN,
    process: VirtualProcess | null = null,
  ) {
    this.#disk = disk;
    this.#process = process;
    this.#rewriteBytesMin = rewriteBytesMin;
    this.#rewriteBytes = Math.max(rewriteBytesMin, disk.size);
  }

  async load(): Promise<StoredPast> {
    return this.past();
  }

  /** What `load` answers, at once: a virtual disk keeps nobody waiting. Throws CREMA_STORE_DAMAGED. */
  past(): StoredPast {
    const image = new StoredImage();
    for (const payload of this.#disk.read()) image.replay(decodeStoreRecord(payload));
    return image.past();
  }

  write(writes: readonly GroupWrite[], done: StoreDone): void {
    this.#append({ type: "turn", changes: writes }, done);
  }

  checkpoint(group: GroupId, base: LogBase, checkpoint: Checkpoint, done: StoreDone): void {
    this.#append({ type: "checkpoint", group, base, checkpoint }, done);
  }

  remove(group: GroupId, tombstone: Tombstone): void {
    this.#append({ type: "remove", group, tombstone }, () => {});
  }

  saveNode(record: NodeRecord, done: StoreDone): void {
    this.#append({ type: "node", node: record }, done);
  }

  close(): Promise<void> {
    this.#closed = true;
    if (this.#open === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#onIdle.push(resolve));
  }

  #append(record: StoreRecord, done: StoreDone): void {
    if (this.#closed || this.#failure !== null) {
      done(this.#failure ?? new CremaError("CREMA_CLOSED", "the store is closed"));
      return;
    }
    this.#open++;
    const payload = encodeStoreRecord(record);
    this.#appendedBytes += payload.length;
    this.#disk.append(payload, (error) => {
      if (this.#process === null) this.#ended(error, done);
      else this.#process.enter(ENTRY.disk, payload.length, () => this.#ended(error, done));
    });
  }

  #ended(error: Error | null, done: StoreDone): void {
    this.#open--;
    this.#failure ??= error;
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
    const image = new StoredImage();
    for (const payload of before) image.replay(decodeStoreRecord(payload));
    const payloads = image.records().map(encodeStoreRecord);
    this.#disk.rewrite(payloads);
    const bytes = payloads.reduce((sum, { length }) => sum + length, 0);
    this.#rewriteBytes = Math.max(this.#rewriteBytesMin, bytes);
  }
}
