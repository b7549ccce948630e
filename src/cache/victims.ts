/**
 * Which keys a leader proposes to remove: those that have gone longest without use when memory is short, and those
 * that nobody has used for the idle time-to-live. Choosing changes no state that replicas share.
 *
 * The first is CLOCK with a counter. A hand walks over the keys; one that was used since has its counter lowered and is
 * passed over, one that was not is a victim. With a counter of one bit (`lru`) it keeps what exact LRU keeps, with three
 * (`lfu`) it prefers what is used often. One victim costs 1.2 to 1.6 steps on average, 32 at most.
 * @see docs/decisions/0012-eviction.md for the measurements
 */

import { NO_EXPIRY_SLOT } from "./cache-entry.ts";
import type { EvictItem } from "./command.ts";
import { cooled, type HeatMeter, usesOf } from "./heat.ts";
import { KeyspaceWalk } from "./keyspace-walk.ts";
import { entryBytes } from "./memory-cost.ts";
import type { ShardState } from "./shard-state.ts";

/** Keys looked at for one victim; when all were in use, the least used of them is taken. */
const STEPS_PER_VICTIM_MAX = 32;
/** What a hand walks for one victim on average, rounded up. */
const STEPS_PER_VICTIM = 2;
/** Bytes of keys in one proposal: keys can be long. */
const ITEM_BYTES_MAX = 256 * 1024;

/** What is to be freed: accounted bytes and keys. */
export interface Wanted {
  readonly bytes: number;
  readonly entries: number;
}

export class Victims {
  readonly #shard: ShardState;
  readonly #hand: KeyspaceWalk;
  readonly #idleHand: KeyspaceWalk;
  /** Victims that were chosen here and are not removed yet, as far as is known. */
  #chosenHere = 0;

  constructor(shard: ShardState) {
    this.#shard = shard;
    this.#hand = new KeyspaceWalk(shard);
    this.#idleHand = new KeyspaceWalk(shard);
  }

  /** Keys whose removal frees what is `wanted`, up to `keysMax` of them. Costs O(answer). */
  coldest(wanted: Wanted, keysMax: number): EvictItem[] {
    const chosen = new Map<string, number>();
    let bytes = 0;
    let itemBytes = 0;
    while (bytes < wanted.bytes || chosen.size < wanted.entries) {
      if (chosen.size >= keysMax || itemBytes >= ITEM_BYTES_MAX) break;
      const key = this.#nextVictim(chosen);
      const entry = key === null ? undefined : this.#shard.keyspace.entries.get(key);
      if (key === null || entry === undefined) break;
      chosen.set(key, entry.version);
      bytes += entryBytes(key, entry.value, entry.expirySlot !== NO_EXPIRY_SLOT);
      itemBytes += key.length;
    }
    this.#chosenHere += chosen.size;
    return [...chosen].map(([key, version]) => ({ key, version }));
  }

  /**
   * Keys that have not been used for `idleMs` at least, among the next `stepsMax` that its own hand comes to; up to
   * `keysMax`. Costs O(steps).
   */
  idle(meter: HeatMeter, idleMs: number, stepsMax: number, keysMax: number): EvictItem[] {
    const items: EvictItem[] = [];
    let itemBytes = 0;
    const steps = Math.min(stepsMax, this.#shard.keyspace.size);
    for (let step = 0; step < steps && items.length < keysMax && itemBytes < ITEM_BYTES_MAX; step++) {
      const hand = this.#idleHand;
      if (!hand.next() || hand.entry === undefined) break;
      if (meter.idleMs(hand.entry.heat) < idleMs) continue;
      items.push({ key: hand.key, version: hand.entry.version });
      itemBytes += hand.key.length;
    }
    return items;
  }

  /**
   * So many victims were removed. When another replica chose them, the hand of this one walks as far as its hand must
   * have: so uses fade here as well, and should this replica lead one day, it knows which keys were used lately rather
   * than ever.
   */
  keepPace(victims: number): void {
    const own = Math.min(this.#chosenHere, victims);
    this.#chosenHere -= own;
    if (this.#shard.meter === null) return;
    const hand = this.#hand;
    for (let step = (victims - own) * STEPS_PER_VICTIM; step > 0 && hand.next(); step--) {
      const { entry } = hand;
      if (entry !== undefined && usesOf(entry.heat) > 0) entry.heat = cooled(entry.heat);
    }
  }

  /** @see KeyspaceWalk.sweep */
  sweep(): void {
    this.#hand.sweep();
    this.#idleHand.sweep();
  }

  #nextVictim(chosen: ReadonlyMap<string, number>): string | null {
    const hand = this.#hand;
    let coldest: string | null = null;
    let coldestUses = Number.POSITIVE_INFINITY;
    for (let step = 0; step < STEPS_PER_VICTIM_MAX && hand.next(); step++) {
      const { key, entry } = hand;
      if (entry === undefined || chosen.has(key)) continue;
      const uses = usesOf(entry.heat);
      if (uses === 0) return key;
      entry.heat = cooled(entry.heat);
      if (uses >= coldestUses) continue;
      coldest = key;
      coldestUses = uses;
    }
    return coldest;
  }
}
