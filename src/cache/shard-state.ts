/**
 * Everything one shard is made of, and the few ways to change it. Each of them keeps the books together: the keyspace,
 * the revision and history that watchers follow, and the pre-images that running snapshots need.
 * Commands act on a shard through these methods and never on the keyspace itself.
 */
import { type CacheEntry, NO_EXPIRY_SLOT } from "./cache-entry.ts";
import type { CacheOptions } from "./cache-options.ts";
import type { Change } from "./change.ts";
import { ChangeHistory } from "./change-history.ts";
import type { EvictCommand } from "./command.ts";
import type { HeatMeter } from "./heat.ts";
import { Keyspace } from "./keyspace.ts";
import type { Session } from "./session.ts";
import { SessionTable } from "./session-table.ts";

/** A running snapshot: told of what is about to change, it keeps what it has not yet handed out. */
export interface PreImageKeeper {
  keepEntry(keyspace: Keyspace, key: string, entry: CacheEntry): void;
  keepSession(session: Session): void;
}

export class ShardState {
  readonly options: CacheOptions;
  /** Notes how much keys are in use; null when nobody wants to know. */
  readonly meter: HeatMeter | null;
  keyspace = new Keyspace();
  sessions: SessionTable;
  history: ChangeHistory;
  /** Never goes back: the highest stamp of any applied entry. */
  machineTimeMs = 0;
  appliedIndex = 0;
  /** Keys removed because their time was over, on this replica since it started. */
  expirations = 0;
  /** Keys removed because memory was short, and because nobody used them, likewise. */
  evictions = 0;
  idleExpirations = 0;
  /** Reads that found their key, and reads that did not, on this replica. */
  hits = 0;
  misses = 0;
  onChange: ((change: Change) => void) | null = null;
  readonly keepers: PreImageKeeper[] = [];

  constructor(options: CacheOptions, meter: HeatMeter | null = null) {
    this.options = options;
    this.meter = meter;
    this.sessions = new SessionTable(options.sessionsMax);
    this.history = new ChangeHistory(options.changeHistoryMax, options.changeHistoryBytesMax, 0);
  }

  get revision(): number {
    return this.history.lastRevision;
  }

  /** No key can be added. */
  get full(): boolean {
    return this.keyspace.size >= this.options.keysMax;
  }

  /**
   * The entry of a key that exists at machine time, now in use. One whose time is over is removed here and now: it is
   * absent.
   */
  live(key: string): CacheEntry | undefined {
    const entry = this.keyspace.entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.expirySlot !== NO_EXPIRY_SLOT && this.keyspace.expiryOf(entry) <= this.machineTimeMs) {
      this.expire(key, entry);
      return undefined;
    }
    this.touch(entry);
    return entry;
  }

  /** Somebody reads or writes this key. Seen by this replica alone. */
  touch(entry: CacheEntry): void {
    if (this.meter !== null) entry.heat = this.meter.touched(entry.heat);
  }

  /** Adds an absent key, without expiry. */
  insert(key: string, value: string): CacheEntry {
    const revision = this.#record("put", key, value);
    return this.keyspace.insert(key, value, revision, revision, this.meter === null ? 0 : this.meter.fresh());
  }

  /** Overwrites a present key; its expiry stays. */
  replace(key: string, entry: CacheEntry, value: string): void {
    if (this.keepers.length !== 0) this.#keep(key, entry);
    this.keyspace.replace(entry, value, this.#record("put", key, value));
  }

  /** Changes when a present key expires; `NEVER_MS` for never. Not a change that watchers see. */
  setExpiry(key: string, entry: CacheEntry, expiresAtMs: number): void {
    if (this.keepers.length !== 0) this.#keep(key, entry);
    this.keyspace.setExpiry(key, entry, expiresAtMs);
  }

  remove(key: string, entry: CacheEntry): void {
    this.#remove(key, entry, "delete");
  }

  /** Removes a key because its time is over. */
  expire(key: string, entry: CacheEntry): void {
    this.expirations++;
    this.#remove(key, entry, "expire");
  }

  /** Removes a key because a leader chose it: memory is short, or nobody uses it. */
  evict(key: string, entry: CacheEntry, reason: EvictCommand["reason"]): void {
    if (reason === "memory") this.evictions++;
    else this.idleExpirations++;
    this.#remove(key, entry, "evict");
  }

  /** Removes every key, in O(1): running snapshots keep the old keyspace. */
  clear(): void {
    this.#record("clear", "", null);
    this.keyspace = new Keyspace();
  }

  /** To be called before a session is changed. */
  touchSession(session: Session): void {
    for (const keeper of this.keepers) keeper.keepSession(session);
  }

  #remove(key: string, entry: CacheEntry, type: "delete" | "expire" | "evict"): void {
    if (this.keepers.length !== 0) this.#keep(key, entry);
    this.#record(type, key, null);
    this.keyspace.remove(key, entry);
  }

  #record(type: Change["type"], key: string, value: string | null): number {
    const revision = this.history.record(type, key, value);
    if (this.onChange !== null) this.onChange({ revision, type, key, value });
    return revision;
  }

  #keep(key: string, entry: CacheEntry): void {
    for (const keeper of this.keepers) keeper.keepEntry(this.keyspace, key, entry);
  }
}
