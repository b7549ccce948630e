/**
 * One key's record in memory. There are millions of these: every field is counted, all have one hidden class, and
 * what only some keys have (an expiry) lives elsewhere and is referred to by a small integer.
 */

/** `CacheEntry.expirySlot` of a key that never expires. */
export const NO_EXPIRY_SLOT = -1;

/** The value of one key. Lives as long as the key does: an overwrite changes it in place and keeps its position. */
export class CacheEntry {
  /** A flat binary string, never a rope or a slice of a larger one. */
  value: string;
  /** Revision of the last change. */
  version: number;
  /** Revision of the change that made the key: unique, and ascending in the order of the map. */
  readonly createdRevision: number;
  /** Where `ExpiryIndex` keeps the expiry, or {@link NO_EXPIRY_SLOT}. */
  expirySlot: number;
  /** How much it is in use here, for whoever chooses what to evict; 0 when nobody does. @see heat.ts */
  heat: number;

  constructor(value: string, version: number, createdRevision: number, heat: number) {
    this.value = value;
    this.version = version;
    this.createdRevision = createdRevision;
    this.expirySlot = NO_EXPIRY_SLOT;
    this.heat = heat;
  }
}
