/**
 * Messages on their way out. Some are true as soon as they are written; others promise that something is durable
 * ("I hold these entries", "I voted for you") and must not leave before it is. Those wait here behind the receipt
 * of the persist request that covers them.
 */
import type { RaftMessage } from "./messages.ts";

const NOTHING: readonly RaftMessage[] = Object.freeze([]);

/** Invariant: held messages leave in the order in which they were written, and receipts rise along the queue. */
export class Outbox {
  #open: RaftMessage[] = [];
  #held: RaftMessage[] = [];
  #heldReceipts: number[] = [];

  /** Something may leave now. */
  get hasOpen(): boolean {
    return this.#open.length > 0;
  }

  /** Messages waiting for a receipt. */
  get heldCount(): number {
    return this.#held.length;
  }

  send(message: RaftMessage): void {
    this.#open.push(message);
  }

  /** Keeps `message` until `receipt` is confirmed; 0 when everything it promises is durable already. */
  hold(message: RaftMessage, receipt: number): void {
    if (receipt === 0) {
      this.#open.push(message);
      return;
    }
    this.#held.push(message);
    this.#heldReceipts.push(receipt);
  }

  /** Everything up to `receipt` is durable. */
  release(receipt: number): void {
    let released = 0;
    while (released < this.#held.length && (this.#heldReceipts[released] as number) <= receipt) released++;
    if (released === 0) return;
    for (let item = 0; item < released; item++) this.#open.push(this.#held[item] as RaftMessage);
    this.#held.splice(0, released);
    this.#heldReceipts.splice(0, released);
  }

  /** Hands out what may leave; the array belongs to the caller. */
  take(): readonly RaftMessage[] {
    if (this.#open.length === 0) return NOTHING;
    const taken = this.#open;
    this.#open = [];
    return taken;
  }
}
