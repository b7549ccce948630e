/**
 * What is still to be spread, and how often it went out already. Fresh news first: what was sent the fewest times,
 * and among equals the newest. Each item leaves after its number of transmissions, or when a newer one of its key comes.
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
  /** By number of transmissions; each level oldest first. */
  readonly #levels: Item[][] = [];
  #orderNext = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#byKey.size;
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** Queues `message`, replacing what was queued under `key`. When full, what was sent most often makes room. */
  enqueue(key: string, message: SwimMessage, bytes: number): void {
    this.drop(key);
    if (this.#byKey.size >= this.#capacity) this.#dropMostSent();
    const item: Item = { key, message, bytes, order: this.#orderNext++, transmissions: 0 };
    this.#byKey.set(key, item);
    this.#insert(item);
  }

  drop(key: string): void {
    const item = this.#byKey.get(key);
    if (item === undefined) return;
    this.#byKey.delete(key);
    const level = this.#level(item.transmissions);
    level.splice(positionOf(level, item.order), 1);
  }

  /**
   * Appends to `packet` what fits into `bytesFree`, each item at most once, and counts it as sent; an item sent
   * `limit` times is forgotten. Returns the bytes still free.
   */
  fill(packet: SwimMessage[], bytesFree: number, limit: number): number {
    let free = bytesFree;
    let misfits = 0;
    const sent: Item[] = [];
    for (const level of this.#levels) {
      for (let at = level.length - 1; at >= 0 && misfits < MISFITS_MAX; at--) {
        const item = level[at] as Item;
        if (item.bytes > free) {
          misfits++;
          continue;
        }
        free -= item.bytes;
        level.splice(at, 1);
        packet.push(item.message);
        sent.push(item);
      }
      if (misfits >= MISFITS_MAX) break;
    }
    for (const item of sent) {
      item.transmissions++;
      if (item.transmissions >= limit) this.#byKey.delete(item.key);
      else this.#insert(item);
    }
    return free;
  }

  #level(transmissions: number): Item[] {
    for (let missing = this.#levels.length; missing <= transmissions; missing++) this.#levels.push([]);
    return this.#levels[transmissions] as Item[];
  }

  #insert(item: Item): void {
    const level = this.#level(item.transmissions);
    const last = level.at(-1);
    if (last === undefined || last.order < item.order) level.push(item);
    else level.splice(positionOf(level, item.order), 0, item);
  }

  #dropMostSent(): void {
    const item = this.#levels.findLast((level) => level.length > 0)?.shift();
    if (item !== undefined) this.#byKey.delete(item.key);
  }
}

/** Where the item of `order` is, or belongs, in a level (binary search). */
function positionOf(level: readonly Item[], order: number): number {
  let low = 0;
  let high = level.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((level[middle] as Item).order < order) low = middle + 1;
    else high = middle;
  }
  return low;
}
