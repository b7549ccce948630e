/**
 * The log store of durable nodes: one sequence of records in LevelDB for all groups, checkpoints in files beside it, and an
 * index in memory of what is still needed. What no index entry points to any more is dropped from the front; the few that hold
 * back the rest are written again at the end.
 *
 * Invariant: a record is dropped, and a file removed, only after the record that replaces it is as durable as any.
 */
import type { GroupId } from "../base/ids.ts";
import type {
  Checkpoint,
  CheckpointWriter,
  GroupWrite,
  LogBase,
  LogStore,
  NodeRecord,
  StoreDone,
  StoredPast,
  Tombstone,
} from "../host/ports.ts";
import type { Entry } from "../raft/entry.ts";
import { type Holder, StoreIndex } from "../wire/store-index.ts";
import {
  type CheckpointChange,
  type CheckpointFile,
  decodeStoreRecord,
  type GroupChange,
  type NodeChange,
  type StoreChange,
  type StoredMachine,
  StoreRecordEncoder,
} from "../wire/store-record.ts";
import { type Replayed, StoreReplay } from "../wire/store-replay.ts";
import { CheckpointFiles, KeptFile } from "./checkpoint-files.ts";
import type { DiskOptions } from "./disk-options.ts";
import { FreeSpace } from "./free-space.ts";
import type { RecordDatabase } from "./level-database.ts";
import { RecordQueue } from "./record-queue.ts";
import { logError } from "./store-error.ts";
import { writeAheadDamage } from "./write-ahead-scan.ts";

export interface LevelLogStoreParts {
  readonly database: RecordDatabase;
  /** Where the database lives, for its write-ahead log and for messages. */
  readonly logPath: string;
  readonly checkpointsPath: string;
  readonly options: DiskOptions;
  /** Default: as suits a disk. Tests tidy more often. */
  readonly tidy?: TidyLimits;
  /** Whether so many bytes more would fit. Default: the file system is asked. */
  readonly hasSpace?: (bytes: number) => Promise<boolean>;
  /** For people. */
  readonly log: (level: "info" | "warn" | "error", message: string) => void;
}

/** When the log is tidied. */
export interface TidyLimits {
  /** Records are dropped when they hold so many bytes, or are so many. */
  readonly dropBytesMin: number;
  readonly dropRecordsMin: number;
  /** Below this the log is never cleaned. */
  readonly cleanBytesMin: number;
}

const DEFAULT_TIDY_LIMITS: TidyLimits = Object.freeze({
  dropBytesMin: 8 * 1024 * 1024,
  dropRecordsMin: 4_096,
  cleanBytesMin: 64 * 1024 * 1024,
});
/** Cleaned when it holds so many times what is needed of it. */
const CLEAN_FACTOR = 3;
/** A group with more than this in its log is left to its next checkpoint. */
const RESTATED_BYTES_MAX = 32 * 1024 * 1024;

export class LevelLogStore implements LogStore {
  readonly durable = true;
  #onStall: (reason: string | null) => void = () => {};
  onFailed: (error: Error) => void = () => {};
  readonly #parts: LevelLogStoreParts;
  readonly #database: RecordDatabase;
  readonly #files: CheckpointFiles;
  readonly #queue: RecordQueue;
  readonly #space: FreeSpace;
  readonly #encoder = new StoreRecordEncoder();
  readonly #limits: TidyLimits;
  #index: StoreIndex;
  /** Files that records name, by group and index of their base. */
  readonly #named = new Map<GroupId, Map<number, string>>();
  #sequence = 0;
  #node: NodeChange | null = null;
  /** The newest record that each group was given, written or not: the index knows what is confirmed. */
  readonly #newest = new Map<GroupId, number>();
  #confirmedSequence = 0;
  #full: string | null = null;
  #low: string | null = null;
  #tidying: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  readonly #counters = { checkpointsBegun: 0, recordsDropped: 0, groupsRestated: 0 };

  constructor(parts: LevelLogStoreParts) {
    const { options, log } = parts;
    this.#parts = parts;
    this.#database = parts.database;
    this.#limits = parts.tidy ?? DEFAULT_TIDY_LIMITS;
    this.#index = new StoreIndex(options.checkpointsKept);
    this.#files = new CheckpointFiles(parts.checkpointsPath, (error) =>
      log("warn", `a checkpoint file could not be removed: ${error.message}`),
    );
    this.#space = new FreeSpace(parts.logPath, options.minFreeDiskBytes, (low) => {
      this.#low = low;
      this.#tellStall();
    });
    this.#queue = new RecordQueue({
      database: parts.database,
      fsync: options.fsync,
      hasSpace: parts.hasSpace ?? ((bytes) => this.#space.hasSpace(bytes)),
      onFull: (full) => {
        this.#full = full;
        this.#tellStall();
      },
      onFailed: (error) => this.onFailed(error),
    });
  }

  /** Told at once when the disk is full already. */
  set onStall(listener: (reason: string | null) => void) {
    this.#onStall = listener;
    if (this.isStalled) this.#tellStall();
  }

  async load(): Promise<StoredPast> {
    const { logPath, log, options } = this.#parts;
    try {
      const damage = await writeAheadDamage(logPath).catch(missingIsSound);
      if (damage !== null) throw new Error(`Corruption: ${damage}`);
      await this.#database.open();
      const replay = new StoreReplay(options.checkpointsKept);
      for await (const bytes of this.#database.values()) replay.add(bytes);
      const replayed = replay.finish((machine) => this.#damageOf(machine));
      this.#index = replay.index;
      this.#sequence = replay.index.lastSequence;
      this.#node = replayed.node;
      this.#nameFiles(replayed);
      await this.#files.sweep(this.#namedFiles());
      await this.#space.start();
      for (const { group, what } of replayed.fallbacks)
        log("warn", `group ${group} begins from an older checkpoint: ${what}`);
      return this.#pastOf(replayed);
    } catch (error) {
      throw logError(logPath, error);
    }
  }

  write(writes: readonly GroupWrite[], done: StoreDone): void {
    const changes = writes.map(({ group, base, checkpoint, entries, hardState }): StoreChange => {
      return { type: "group", group, base, machine: machineOf(checkpoint), entries, hardState };
    });
    this.#append(changes, done);
  }

  beginCheckpoint(group: GroupId): CheckpointWriter {
    this.#counters.checkpointsBegun++;
    return this.#files.begin(group);
  }

  checkpoint(group: GroupId, base: LogBase, checkpoint: Checkpoint, done: StoreDone): void {
    this.#append([{ type: "checkpoint", group, base, machine: machineOf(checkpoint) }], done);
  }

  remove(group: GroupId, tombstone: Tombstone): void {
    this.#append([{ type: "remove", group, tombstone }], () => {});
  }

  saveNode(record: NodeRecord, done: StoreDone): void {
    this.#node = { type: "node", ...record };
    this.#append([this.#node], done);
  }

  counters(): Readonly<Record<string, number>> {
    const { writes, records, bytes, syncs } = this.#queue.counters;
    return {
      writes,
      records,
      writtenBytes: bytes,
      syncs,
      ...this.#counters,
    };
  }

  /** The disk is full or nearly so. */
  get isStalled(): boolean {
    return (this.#full ?? this.#low) !== null;
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#queue.idle();
    await this.#tidying;
    await this.#files.idle();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#space.close();
    await this.#queue.close();
    await this.#tidying;
    await this.#files.idle();
    await this.#database.close();
  }

  #append(changes: readonly StoreChange[], done: StoreDone): void {
    const record = this.#encoder.encode(this.#sequence + 1, changes);
    this.#sequence = record.sequence;
    for (const change of changes) if ("group" in change) this.#newest.set(change.group, record.sequence);
    this.#queue.add(record.sequence, record.bytes, (error) => {
      if (error === null) {
        this.#index.note(record.sequence, record.bytes.length, record.sections);
        this.#confirmedSequence = record.sequence;
        this.#confirmed(changes);
      }
      done(error);
    });
  }

  /** What these changes replace is of no use any more. */
  #confirmed(changes: readonly StoreChange[]): void {
    let replaced = false;
    for (const change of changes) {
      if (change.type === "node" || (change.type === "group" && change.base === null)) continue;
      replaced = true;
      if (change.type !== "remove" && change.base !== null)
        this.#name(change.group, change.base.index, change.machine);
    }
    if (replaced && this.#tidying === null)
      this.#tidying = this.#tidy()
        .catch((error: unknown) => this.#parts.log("warn", `the log could not be tidied: ${String(error)}`))
        .finally(() => {
          this.#tidying = null;
        });
  }

  async #tidy(): Promise<void> {
    if (this.#parts.options.fsync.type !== "always") await this.#database.sync();
    this.#removeFiles();
    if (this.#needsCleaning()) await this.#clean();
    const from = this.#index.liveFrom();
    const records = from - this.#index.firstSequence;
    const { dropRecordsMin, dropBytesMin } = this.#limits;
    if (records < dropRecordsMin && this.#index.bytesBefore(from) < dropBytesMin) return;
    await this.#database.drop(from);
    this.#index.dropped(from);
    this.#counters.recordsDropped += records;
  }

  #removeFiles(): void {
    for (const [group, files] of this.#named) {
      const kept = this.#index.groups.get(group)?.checkpoints ?? [];
      for (const [index, file] of files) {
        if (kept.some(({ base }) => base.index === index)) continue;
        files.delete(index);
        this.#files.remove(file);
      }
      if (files.size === 0) this.#named.delete(group);
    }
  }

  #needsCleaning(): boolean {
    const { totalBytes, liveBytes } = this.#index;
    return totalBytes > this.#limits.cleanBytesMin && totalBytes > CLEAN_FACTOR * liveBytes;
  }

  /** Writes again whatever is needed of the older half of the log, so that this half can go. */
  async #clean(): Promise<void> {
    const half = this.#index.sequenceBehind(this.#index.totalBytes / 2);
    for (const holder of this.#index.holdersBefore(half)) {
      const changes = await this.#restated(holder);
      if (changes.length === 0) continue;
      this.#counters.groupsRestated++;
      await new Promise<void>((resolve) => this.#append(changes, () => resolve()));
    }
  }

  /**
   * The same once more, as changes that may follow everything; none when it is changing, for what is on its way would be
   * undone by an older state behind it, or when it is too much.
   */
  async #restated(holder: Holder): Promise<readonly StoreChange[]> {
    if (holder.type === "node") return this.#node === null ? [] : [this.#node];
    const { group } = holder;
    const before = this.#newestOf(group);
    if (before > this.#confirmedSequence) return [];
    const tombstone = this.#index.tombstoneOf(group);
    const changes: StoreChange[] = tombstone === null ? [] : [{ type: "remove", group, tombstone }];
    const indexed = this.#index.groups.get(group);
    if (indexed !== undefined) {
      const bytes = indexed.segments.reduce((sum, segment) => sum + segment.bytes, 0);
      if (bytes > RESTATED_BYTES_MAX) return [];
      const [oldest, ...newer] = await this.#checkpointsOf(group);
      if (oldest === undefined || oldest.base === null) return [];
      const { base, machine } = oldest;
      const entries = await this.#entriesOf(group);
      changes.push({ type: "group", group, base, machine, entries, hardState: indexed.hardState });
      for (const each of newer)
        if (each.base !== null)
          changes.push({ type: "checkpoint", group, base: each.base, machine: each.machine });
    }
    return before === this.#newestOf(group) ? changes : [];
  }

  async #checkpointsOf(group: GroupId): Promise<readonly (GroupChange | CheckpointChange)[]> {
    const found: (GroupChange | CheckpointChange)[] = [];
    for (const { at, base } of this.#index.groups.get(group)?.checkpoints ?? []) {
      const changes = await this.#read(at, group);
      const change = changes.find(
        (each): each is GroupChange | CheckpointChange =>
          each.type !== "remove" && each.type !== "node" && each.base?.index === base.index,
      );
      if (change !== undefined) found.push(change);
    }
    return found;
  }

  async #entriesOf(group: GroupId): Promise<readonly Entry[]> {
    const entries: Entry[] = [];
    for (const { at, first, last } of this.#index.groups.get(group)?.segments ?? [])
      for (const change of await this.#read(at, group))
        if (change.type === "group")
          for (const entry of change.entries)
            if (entry.index >= first && entry.index <= last) entries.push(entry);
    return entries;
  }

  /** What the record `sequence` says of `group`. Throws when it is damaged: then nothing of it is moved. */
  async #read(sequence: number, group: GroupId): Promise<readonly StoreChange[]> {
    const bytes = await this.#database.read(sequence);
    if (bytes === undefined) throw new Error(`record ${sequence} is missing`);
    return decodeStoreRecord(bytes)
      .sections.filter(({ header }) => "group" in header && header.group === group)
      .map((section) => {
        if (section.damaged) throw new Error(`record ${sequence} is damaged`);
        return section.read();
      });
  }

  #newestOf(group: GroupId): number {
    return this.#newest.get(group) ?? 0;
  }

  #damageOf(machine: StoredMachine): string | null {
    return isFile(machine) ? this.#files.damage(machine) : null;
  }

  #name(group: GroupId, index: number, machine: StoredMachine): void {
    if (!isFile(machine)) return;
    const files = this.#named.get(group) ?? new Map<number, string>();
    this.#named.set(group, files);
    files.set(index, machine.file);
  }

  /** The files of all checkpoints that the index keeps, also of those that were not used. */
  #nameFiles(replayed: Replayed): void {
    for (const { group, index, machine } of replayed.checkpoints) this.#name(group, index, machine);
  }

  #namedFiles(): ReadonlySet<string> {
    const named = new Set<string>();
    for (const files of this.#named.values()) for (const file of files.values()) named.add(file);
    return named;
  }

  #pastOf({ node, groups, tombstones, damaged }: Replayed): StoredPast {
    const { logPath } = this.#parts;
    return {
      node,
      groups: groups.map(({ machine, ...rest }) => {
        const checkpoint = isFile(machine) ? this.#files.read(machine) : machine;
        return { ...rest, checkpoint };
      }),
      tombstones,
      damaged: damaged.map(({ what, ...rest }) => ({ ...rest, what: `${logPath}: ${what}` })),
    };
  }

  #tellStall(): void {
    this.#onStall(this.#full ?? this.#low);
  }
}

function isFile(machine: StoredMachine): machine is CheckpointFile {
  return machine !== null && "file" in machine;
}

function machineOf(checkpoint: Checkpoint): StoredMachine {
  if (checkpoint === null) return null;
  return checkpoint instanceof KeptFile ? checkpoint.checkpoint : (checkpoint as readonly Uint8Array[]);
}

/** Before the first start there is nothing to look at. */
function missingIsSound(error: unknown): null {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
  throw error;
}
