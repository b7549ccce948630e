/**
 * The requests that one peer has not answered, by the numbers under which they were sent. Numbers ascend and are never used again, so an
 * answer that comes twice answers nobody. Most are answered before some hundred more are sent: those lie in a ring, and
 * only what is still unanswered when its place is needed goes to a table.
 */
import type { PendingRequest } from "./pending-request.ts";

const RING_SIZE = 1_024;

export class OutstandingRequests {
  readonly #ring: (PendingRequest | null)[] = Array.from({ length: RING_SIZE }, () => null);
  /** Those that were sent more than a ring ago. */
  readonly #late = new Map<number, PendingRequest>();
  #next = 1;

  /** The number that {@link add} will give. */
  get nextNumber(): number {
    return this.#next;
  }

  add(request: PendingRequest): void {
    const place = this.#next % RING_SIZE;
    const before = this.#ring[place];
    if (before !== null && before !== undefined) this.#late.set(this.#next - RING_SIZE, before);
    this.#ring[place] = request;
    this.#next++;
  }

  /** Takes out who was sent under `number`; null: nobody waits for it. */
  take(number: number): PendingRequest | null {
    if (number >= this.#next) return null;
    if (number >= this.#next - RING_SIZE) {
      const place = number % RING_SIZE;
      const request = this.#ring[place] ?? null;
      this.#ring[place] = null;
      return request;
    }
    const late = this.#late.get(number) ?? null;
    this.#late.delete(number);
    return late;
  }

  /** Takes out all, in the order in which they were sent. */
  takeAll(): readonly PendingRequest[] {
    const all = [...this.#late].sort(([one], [other]) => one - other).map(([, request]) => request);
    this.#late.clear();
    for (let number = Math.max(1, this.#next - RING_SIZE); number < this.#next; number++) {
      const request = this.take(number);
      if (request !== null) all.push(request);
    }
    return all;
  }
}
