/**
 * What is still to be spread, and how often it went out already. Fresh news first: what was sent the fewest times;
 * of what was never sent the newest, of the rest what waits the longest. Each item leaves after its number of
 * transmissions, or when a newer one of its key comes.
 */
import type { SwimMessage } from "./messages.ts";

interface Item {
  readonly key: string;
  readonly message: SwimMessage;
  readonly bytes: number;
  /** Grows with every item: the newer, the higher. */
  readonly order: number;
  transmissions: number;
}

/** Items that did not fit and were passed over before a packet counts as full. */
const MISFITS_MAX = 8;

/** Sends of each broadcast by each member: `retransmitMult * ceil(log10(n + 1))`. @see SWIM §4.1 */
export function retransmitLimit(retransmitMult: number, livingMembers: number): number {
  return retransmitMult * Math.ceil(Math.log10(livingMembers + 1));
}

/** A bounded priority queue of messages, one for each key. */
export class BroadcastQueue {
  readonly #capacity: number;
  readonly #byKey = new Map<string, Item>();
  /** Never sent; oldest first. */
  readonly #fresh: Item[] = [];
  /** Sent once, twice, and so on; in each, what was sent the longest ago first. */
  readonly #sent: Map<string, Item>[] = [];
  #orderNext = 0;
  #bytes = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** What a packet with every item would hold. */
  get bytes(): number {
    return this.#bytes;
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** Queues `message`, replacing what was queued under `key`. When full, what was sent most often makes room. */
  enqueue(key: string, message: SwimMessage, bytes: number): void {
    this.#drop(key);
    if (this.#byKey.size >= this.#capacity) this.#dropMostSent();
    const item: Item = { key, message, bytes, order: this.#orderNext++, transmissions: 0 };
    this.#byKey.set(key, item);
    this.#bytes += bytes;
    this.#fresh.push(item);
  }

  /**
   * Appends to `packet` what fits into `bytesFree`, each item at most once, and counts it as sent; an item sent
   * `limit` times is forgotten. Returns the bytes still free.
   */
  fill(packet: SwimMessage[], bytesFree: number, limit: number): number {
    let free = bytesFree;
    let misfits = 0;
    const chosen: Item[] = [];
    for (let at = this.#fresh.length - 1; at >= 0 && misfits < MISFITS_MAX; at--) {
      const item = this.#fresh[at] as Item;
      if (item.bytes > free) {
        misfits++;
        continue;
      }
      free -= item.bytes;
      this.#fresh.splice(at, 1);
      chosen.push(item);
    }
    for (const level of this.#sent) {
      if (misfits >= MISFITS_MAX) break;
      for (const item of level.values()) {
        if (item.bytes > free) {
          misfits++;
          if (misfits >= MISFITS_MAX) break;
          continue;
        }
        free -= item.bytes;
        level.delete(item.key);
        chosen.push(item);
      }
    }
    for (const item of chosen) {
      packet.push(item.message);
      this.#count(item, limit);
    }
    return free;
  }

  #count(item: Item, limit: number): void {
    item.transmissions++;
    if (item.transmissions >= limit) {
      this.#byKey.delete(item.key);
      this.#bytes -= item.bytes;
      return;
    }
    for (let missing = this.#sent.length; missing < item.transmissions; missing++) this.#sent.push(new Map());
    this.#sent[item.transmissions - 1]?.set(item.key, item);
  }

  #drop(key: string): void {
    const item = this.#byKey.get(key);
    if (item === undefined) return;
    this.#byKey.delete(key);
    this.#bytes -= item.bytes;
    if (item.transmissions > 0) this.#sent[item.transmissions - 1]?.delete(key);
    else this.#fresh.splice(positionOf(this.#fresh, item.order), 1);
  }

  #dropMostSent(): void {
    const level = this.#sent.findLast((items) => items.size > 0);
    for (const key of level?.keys() ?? this.#fresh.slice(0, 1).map((item) => item.key)) {
      this.#drop(key);
      return;
    }
  }
}

/** Where the item of `order` is among `items`, oldest first (binary search). */
function positionOf(items: readonly Item[], order: number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((items[middle] as Item).order < order) low = middle + 1;
    else high = middle;
  }
  return low;
}
