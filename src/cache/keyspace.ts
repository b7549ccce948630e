/**
 * The keys of one shard with their values and expiries, and the sums over them. It stores and removes; it knows
 * neither commands nor time. Cleared by making a new one, so that whoever still walks the old one is not disturbed.
 */
import { CacheEntry, NO_EXPIRY_SLOT } from "./cache-entry.ts";
import { ExpiryIndex } from "./expiry-index.ts";
import { ENTRY_OVERHEAD_BYTES, EXPIRY_OVERHEAD_BYTES } from "./memory-cost.ts";

/** The expiry of a key that has none, in machine milliseconds. */
export const NEVER_MS = Number.POSITIVE_INFINITY;

export class Keyspace {
  /** In order of creation: `createdRevision` ascends along it. */
  readonly entries = new Map<string, CacheEntry>();
  readonly expiries = new ExpiryIndex();
  keyBytes = 0;
  valueBytes = 0;

  get size(): number {
    return this.entries.size;
  }

  /** Bytes as limits count them: keys, values, and what they cost beside. */
  get accountedBytes(): number {
    const overhead = this.size * ENTRY_OVERHEAD_BYTES + this.expiries.size * EXPIRY_OVERHEAD_BYTES;
    return this.keyBytes + this.valueBytes + overhead;
  }

  /** Adds a key that is absent, without expiry. */
  insert(key: string, value: string, version: number, createdRevision: number, heat: number): CacheEntry {
    const entry = new CacheEntry(value, version, createdRevision, heat);
    this.entries.set(key, entry);
    this.keyBytes += key.length;
    this.valueBytes += value.length;
    return entry;
  }

  /** Gives a present key another value; its place and expiry stay. */
  replace(entry: CacheEntry, value: string, version: number): void {
    this.valueBytes += value.length - entry.value.length;
    entry.value = value;
    entry.version = version;
  }

  remove(key: string, entry: CacheEntry): void {
    if (entry.expirySlot !== NO_EXPIRY_SLOT) this.expiries.remove(entry.expirySlot);
    this.entries.delete(key);
    this.keyBytes -= key.length;
    this.valueBytes -= entry.value.length;
  }

  /** When the key expires, or {@link NEVER_MS}. */
  expiryOf(entry: CacheEntry): number {
    return entry.expirySlot === NO_EXPIRY_SLOT ? NEVER_MS : this.expiries.timeOf(entry.expirySlot);
  }

  setExpiry(key: string, entry: CacheEntry, expiresAtMs: number): void {
    const slot = entry.expirySlot;
    if (expiresAtMs === NEVER_MS) {
      if (slot === NO_EXPIRY_SLOT) return;
      this.expiries.remove(slot);
      entry.expirySlot = NO_EXPIRY_SLOT;
    } else if (slot === NO_EXPIRY_SLOT) {
      entry.expirySlot = this.expiries.add(key, expiresAtMs);
    } else {
      this.expiries.move(slot, expiresAtMs);
    }
  }
}
