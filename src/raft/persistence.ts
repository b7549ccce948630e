/**
 * What is durable, what has been asked to become durable, and what still has to be asked for. Writes are confirmed
 * later and in order, and the log may change in between, so each open request remembers how far the log it wrote is
 * still the log we have.
 */
import { assert } from "../base/assert.ts";
import type { LogIndex } from "../base/ids.ts";
import type { RaftLog } from "./log.ts";
import type { SnapshotMetadata } from "./messages.ts";
import type { HardState, PersistRequest } from "./ready.ts";

interface OpenRequest {
  readonly receipt: number;
  /** Its confirmation makes the log durable up to here. Lowered when the log is truncated meanwhile. */
  coversTo: LogIndex;
}

/** Invariants: `stableIndex <= requestedIndex <= log.lastIndex`; receipts count 1, 2, 3, ... without gaps. */
export class Persistence {
  readonly #log: RaftLog;
  #stableIndex: LogIndex;
  #requestedIndex: LogIndex;
  #lastReceipt = 0;
  #confirmedReceipt = 0;
  /** The last request that held more than a commit index: what promises wait for. */
  #lastPromisedReceipt = 0;
  #open: OpenRequest[] = [];
  #voteChanged = false;
  #commitChanged = false;
  #commitDue = false;
  #snapshot: SnapshotMetadata | null = null;

  /** All of `log` is durable already. */
  constructor(log: RaftLog) {
    this.#log = log;
    this.#stableIndex = log.lastIndex;
    this.#requestedIndex = log.lastIndex;
  }

  /** Entries up to here are durable, and are the ones the log holds now. */
  get stableIndex(): LogIndex {
    return this.#stableIndex;
  }

  /** A request should be made. A changed commit index alone waits for company, or for {@link commitIsDue}. */
  get due(): boolean {
    return this.#promisesDue || (this.#commitChanged && this.#commitDue);
  }

  /**
   * The receipt that a promise about the present term, vote and log has to wait for; 0 when all of it is durable.
   * A changed commit index is nothing that anybody is promised.
   */
  get receiptToAwait(): number {
    if (this.#promisesDue) return this.#lastReceipt + 1;
    return this.#lastPromisedReceipt > this.#confirmedReceipt ? this.#lastPromisedReceipt : 0;
  }

  get #promisesDue(): boolean {
    return this.#voteChanged || this.#snapshot !== null || this.#requestedIndex < this.#log.lastIndex;
  }

  /** Term or vote changed. */
  voteChanged(): void {
    this.#voteChanged = true;
  }

  commitChanged(): void {
    this.#commitChanged = true;
  }

  /** A changed commit index has waited long enough for company. */
  commitIsDue(): void {
    if (this.#commitChanged) this.#commitDue = true;
  }

  /**
   * The log lost its entries at and above `index`. Whatever open requests wrote there is not what the log will
   * hold, even if an entry of equal index and term returns later: their confirmations must not vouch for it.
   */
  truncatedFrom(index: LogIndex, before: LogIndex): void {
    assert(before + 1 === index, "a truncation names the index it keeps", { index, before });
    if (this.#stableIndex > before) this.#stableIndex = before;
    if (this.#requestedIndex > before) this.#requestedIndex = before;
    for (const request of this.#open) if (request.coversTo > before) request.coversTo = before;
  }

  /** The log was replaced by `snapshot`. Nothing is asked for below it any more. */
  snapshotInstalled(snapshot: SnapshotMetadata, nothing: LogIndex): void {
    this.#snapshot = snapshot;
    this.#stableIndex = snapshot.index;
    this.#requestedIndex = snapshot.index;
    for (const request of this.#open) request.coversTo = nothing;
  }

  /** What has to be made durable now, if anything; asked for exactly once. */
  request(hardState: () => HardState): PersistRequest | null {
    if (!this.due) return null;
    const log = this.#log;
    const receipt = this.#lastReceipt + 1;
    if (this.#promisesDue) this.#lastPromisedReceipt = receipt;
    const entries = log.slice(this.#requestedIndex + 1, log.lastIndex, Number.POSITIVE_INFINITY);
    const request: PersistRequest = {
      receipt,
      hardState: this.#voteChanged || this.#commitChanged ? hardState() : null,
      entries,
      snapshot: this.#snapshot,
    };
    this.#lastReceipt = receipt;
    this.#requestedIndex = log.lastIndex;
    this.#open.push({ receipt, coversTo: log.lastIndex });
    this.#voteChanged = false;
    this.#commitChanged = false;
    this.#commitDue = false;
    this.#snapshot = null;
    return request;
  }

  /** The store confirmed everything up to `receipt`. */
  confirm(receipt: number): void {
    assert(receipt <= this.#lastReceipt, "only what was requested is confirmed", { receipt });
    if (receipt <= this.#confirmedReceipt) return;
    this.#confirmedReceipt = receipt;
    let confirmed = 0;
    for (const request of this.#open) {
      if (request.receipt > receipt) break;
      if (request.coversTo > this.#stableIndex) this.#stableIndex = request.coversTo;
      confirmed++;
    }
    this.#open.splice(0, confirmed);
  }
}
