/**
 * The LevelDB store as the conformance suite takes it: on a real folder, behind a database in whose way faults can be put. A
 * process that dies asks nothing more of its database and hears nothing more from it; what was under way is in the folder or not.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_DISK_OPTIONS, type DiskOptions } from "../../src/disk/disk-options.ts";
import { LevelDatabase, type RecordDatabase, type StoredRecord } from "../../src/disk/level-database.ts";
import { LevelLogStore, type TidyLimits } from "../../src/disk/level-log-store.ts";
import type { LogStore } from "../../src/host/ports.ts";
import type { LogStoreSubject } from "../conformance/log-store.ts";

export type DiskState = "well" | "full" | "broken";

/** What one folder holds, from life to life. */
export class LevelSubject implements LogStoreSubject {
  readonly root = mkdtempSync(join(tmpdir(), "crema-store-"));
  readonly options: DiskOptions;
  readonly messages: string[] = [];
  state: DiskState = "well";
  readonly logPath = join(this.root, "log");
  readonly checkpointsPath = join(this.root, "checkpoints");
  #store: LevelLogStore | null = null;
  #database: FaultyDatabase | null = null;

  readonly #tidy: TidyLimits | undefined;

  constructor(options: Partial<DiskOptions> = {}, tidy?: TidyLimits) {
    this.#tidy = tidy;
    this.options = { ...DEFAULT_DISK_OPTIONS, minFreeDiskBytes: 0, ...options };
  }

  open(): LevelLogStore {
    const { logPath, checkpointsPath, options } = this;
    const database = new FaultyDatabase(new LevelDatabase(logPath), () => this.state);
    this.#database = database;
    this.#store = new LevelLogStore({
      database,
      logPath,
      checkpointsPath,
      options,
      ...(this.#tidy === undefined ? {} : { tidy: this.#tidy }),
      log: (level, message) => this.messages.push(`${level}: ${message}`),
      hasSpace: async () => this.state !== "full",
    });
    return this.#store;
  }

  async settle(): Promise<void> {
    const store = this.#store;
    if (store === null) return;
    // A disk that is full is never idle: what can be waited for is that it was noticed.
    if (this.state === "full") await until(() => store.isStalled);
    else await store.idle();
  }

  async crash(_store: LogStore): Promise<void> {
    await this.#database?.die();
    this.#store = null;
  }

  setFull(full: boolean): void {
    this.state = full ? "full" : "well";
  }

  setBroken(broken: boolean): void {
    this.state = broken ? "broken" : "well";
  }

  async dispose(): Promise<void> {
    this.state = "well";
    await this.#store?.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Passes everything on, unless the disk is not well, or its process is dead. */
class FaultyDatabase implements RecordDatabase {
  readonly #inner: RecordDatabase;
  readonly #state: () => DiskState;
  #dead = false;

  constructor(inner: RecordDatabase, state: () => DiskState) {
    this.#inner = inner;
    this.#state = state;
  }

  /** Nothing is asked of the disk any more, and nobody hears from it. */
  async die(): Promise<void> {
    this.#dead = true;
    await this.#inner.close();
  }

  open(): Promise<void> {
    return this.#pass(() => this.#inner.open());
  }

  write(records: readonly StoredRecord[], sync: boolean): Promise<void> {
    return this.#fault() ?? this.#pass(() => this.#inner.write(records, sync));
  }

  sync(): Promise<void> {
    return this.#fault() ?? this.#pass(() => this.#inner.sync());
  }

  values(): AsyncIterable<Uint8Array> {
    return this.#inner.values();
  }

  read(sequence: number): Promise<Uint8Array | undefined> {
    return this.#pass(() => this.#inner.read(sequence));
  }

  drop(sequence: number): Promise<void> {
    return this.#pass(() => this.#inner.drop(sequence));
  }

  close(): Promise<void> {
    return this.#pass(() => this.#inner.close());
  }

  #pass<Result>(call: () => Promise<Result>): Promise<Result> {
    if (this.#dead) return never();
    return call().then(
      (result) => (this.#dead ? never<Result>() : result),
      (error: unknown) => (this.#dead ? never<Result>() : Promise.reject(error)),
    );
  }

  #fault(): Promise<void> | null {
    const state = this.#state();
    if (state === "full") return Promise.reject(new Error("IO error: 000003.log: No space left on device"));
    if (state === "broken") return Promise.reject(new Error("IO error: 000003.log: Input/output error"));
    return null;
  }
}

function never<Result>(): Promise<Result> {
  return new Promise(() => {});
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
