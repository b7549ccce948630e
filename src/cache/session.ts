/**
 * What a shard remembers of one life of one node: which of its commands were applied, and what they answered.
 * A command that arrives a second time is answered from here and not applied again.
 * @see Raft dissertation §6.3
 */
import { assert } from "../base/assert.ts";
import type { BootNonce, NodeId } from "../base/ids.ts";
import type { Reply } from "./reply.ts";

const RING_MIN = 16;
/** An empty ring larger than this gives its memory back. */
const RING_KEPT_MAX = 1_024;

/**
 * Replies from the low water up, in a ring: sequence s sits `s - lowWater` places after the head, `undefined` where
 * nothing was applied yet (sequences may come out of order). Everything below the low water has been acknowledged.
 */
export class Session {
  readonly id: number;
  readonly node: NodeId;
  readonly boot: BootNonce;
  /** Index of the last entry that spoke in this session. */
  lastUsedIndex: number;
  #lowWater = 1;
  #ring: (Reply | undefined)[] = new Array(RING_MIN).fill(undefined);
  #head = 0;
  /** Places from the head to the highest sequence applied: all beyond are empty. */
  #span = 0;

  constructor(id: number, node: NodeId, boot: BootNonce, lastUsedIndex: number) {
    this.id = id;
    this.node = node;
    this.boot = boot;
    this.lastUsedIndex = lastUsedIndex;
  }

  /** Sequences below were answered to their callers. Only rises. */
  get lowWater(): number {
    return this.#lowWater;
  }

  /** The stored reply, or undefined when `sequence` (at or above the low water) was not applied yet. */
  replyTo(sequence: number): Reply | undefined {
    const offset = sequence - this.#lowWater;
    if (offset >= this.#span) return undefined;
    return this.#ring[(this.#head + offset) & (this.#ring.length - 1)];
  }

  /** Stores the reply of a sequence at or above the low water that has none. */
  remember(sequence: number, reply: Reply): void {
    const offset = sequence - this.#lowWater;
    assert(offset >= 0, "no reply is stored below the low water", { sequence, lowWater: this.#lowWater });
    if (offset >= this.#ring.length) this.#grow(offset + 1);
    this.#ring[(this.#head + offset) & (this.#ring.length - 1)] = reply;
    if (offset >= this.#span) this.#span = offset + 1;
  }

  /** Raises the low water and forgets the replies below; a lower one than before changes nothing. */
  acknowledge(lowWater: number): void {
    const distance = lowWater - this.#lowWater;
    if (distance <= 0) return;
    this.#lowWater = lowWater;
    const dropped = Math.min(distance, this.#span);
    const mask = this.#ring.length - 1;
    for (let count = 0; count < dropped; count++) {
      this.#ring[this.#head] = undefined;
      this.#head = (this.#head + 1) & mask;
    }
    this.#span -= dropped;
    if (this.#span === 0 && this.#ring.length > RING_KEPT_MAX) {
      this.#ring = new Array(RING_MIN).fill(undefined);
      this.#head = 0;
    }
  }

  /** The stored replies, by ascending sequence. */
  *replies(): Generator<readonly [sequence: number, reply: Reply]> {
    for (let offset = 0; offset < this.#span; offset++) {
      const reply = this.#ring[(this.#head + offset) & (this.#ring.length - 1)];
      if (reply !== undefined) yield [this.#lowWater + offset, reply];
    }
  }

  #grow(needed: number): void {
    let capacity = this.#ring.length;
    while (capacity < needed) capacity *= 2;
    const ring: (Reply | undefined)[] = new Array(capacity).fill(undefined);
    for (let offset = 0; offset < this.#span; offset++) {
      ring[offset] = this.#ring[(this.#head + offset) & (this.#ring.length - 1)];
    }
    this.#ring = ring;
    this.#head = 0;
  }
}
