/**
 * Requests in the order in which they came, each a link of the chain itself: they come and go in the thousands a second, and a `Set`
 * is copied each time its table has been filled with those that are gone.
 */
import type { PendingRequest } from "./pending-request.ts";

export class RequestList {
  #first: PendingRequest | null = null;
  #last: PendingRequest | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The one that came first. */
  get first(): PendingRequest | null {
    return this.#first;
  }

  /** Adds `request` at the end. It must be in no list. */
  append(request: PendingRequest): void {
    request.list = this;
    request.before = this.#last;
    if (this.#last === null) this.#first = request;
    else this.#last.after = request;
    this.#last = request;
    this.#size++;
  }

  /** Takes `request` out, if it is in this list. */
  remove(request: PendingRequest): void {
    if (request.list !== this) return;
    const { before, after } = request;
    if (before === null) this.#first = after;
    else before.after = after;
    if (after === null) this.#last = before;
    else after.before = before;
    request.list = null;
    request.before = null;
    request.after = null;
    this.#size--;
  }

  /** Those that `wanted` holds for, oldest first, as they are now: the list may change while they are looked at. */
  select(wanted: (request: PendingRequest) => boolean): readonly PendingRequest[] {
    const found: PendingRequest[] = [];
    for (let request = this.#first; request !== null; request = request.after)
      if (wanted(request)) found.push(request);
    return found;
  }
}
