/**
 * The order in which members are probed: a shuffled round, so that every member is probed within 2n - 1 periods.
 */
import type { NodeId } from "../base/ids.ts";
import type { Random } from "../base/random.ts";

/** Round-robin over a shuffled list. @see SWIM §4.3 */
export class ProbeRing {
  readonly #random: Random;
  readonly #inRing = new Set<NodeId>();
  #order: NodeId[] = [];
  #cursor = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Takes `id` in at a random place of the current round. No effect when it is in. */
  add(id: NodeId): void {
    if (this.#inRing.has(id)) return;
    this.#inRing.add(id);
    const place = this.#random.nextBelow(this.#order.length + 1);
    this.#order.splice(place, 0, id);
    if (place < this.#cursor) this.#cursor++;
  }

  /**
   * The next one for whom `wanted` holds; null after looking at everyone once. Those for whom `known` does not hold
   * leave the ring on the way.
   */
  next(known: (id: NodeId) => boolean, wanted: (id: NodeId) => boolean): NodeId | null {
    for (let looked = this.#order.length; looked > 0; looked--) {
      if (this.#cursor >= this.#order.length) this.#startRound(known);
      const id = this.#order[this.#cursor];
      if (id === undefined) return null;
      this.#cursor++;
      if (known(id) && wanted(id)) return id;
    }
    return null;
  }

  #startRound(known: (id: NodeId) => boolean): void {
    this.#order = this.#random.shuffle(this.#order.filter(known));
    this.#inRing.clear();
    for (const id of this.#order) this.#inRing.add(id);
    this.#cursor = 0;
  }
}
