/**
 * Everything clients asked and were told, in the form the linearizability checker takes. An operation is written down
 * before it leaves the client and completed when its answer comes; one whose answer never comes stays open for ever.
 */
import { CremaError } from "../../base/errors.ts";
import type { Eviction } from "../checkers/evictions.ts";
import type { Operation, OperationInput, OperationResult } from "../linearizability/operation.ts";

/** An operation under way. */
export interface Pending {
  readonly id: number;
  readonly client: string;
  readonly node: string;
  readonly key: string;
  readonly input: OperationInput;
  readonly invokedAtMs: number;
}

export class History {
  #operations: Operation[] = [];
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  /** Hears of every operation that was not answered, and why: null when its node is gone. */
  onUnanswered: (operation: Pending, error: unknown) => void = () => {};
  acknowledged = 0;
  failed = 0;
  ambiguous = 0;

  /** Written down at the moment of asking; answers the number of the operation. */
  invoked(client: string, node: string, key: string, input: OperationInput, atMs: number): number {
    const id = ++this.#lastId;
    this.#pending.set(id, { id, client, node, key, input, invokedAtMs: atMs });
    return id;
  }

  returned(id: number, result: OperationResult, atMs: number): void {
    const pending = this.#take(id);
    if (pending === undefined) return;
    this.acknowledged++;
    this.#operations.push({ ...pending, returned: { atMs, result } });
  }

  /** What certainly was not applied is forgotten, and so is a read; anything else stays open. */
  threw(id: number, error: unknown): void {
    const pending = this.#take(id);
    if (pending === undefined) return;
    this.onUnanswered(pending, error);
    if (error instanceof CremaError && !error.ambiguous) this.failed++;
    else this.#leaveOpen(pending);
  }

  /** Not asked by any client: a leader chose the key for removal, and so it happened, or may have. */
  evicted({ key, version, revision, proposedAtMs, appliedAtMs }: Eviction): void {
    this.#operations.push({
      id: ++this.#lastId,
      client: "leader",
      node: "itself",
      key,
      input: { type: "evict", version },
      invokedAtMs: proposedAtMs,
      returned: revision === null ? null : { atMs: appliedAtMs, result: revision },
    });
  }

  /** Nobody will ever answer. */
  abandoned(id: number): void {
    const pending = this.#take(id);
    if (pending === undefined) return;
    this.onUnanswered(pending, null);
    this.#leaveOpen(pending);
  }

  /** Everything so far, by the time of asking; what is still under way counts as open. */
  operations(): readonly Operation[] {
    for (const pending of [...this.#pending.values()]) this.abandoned(pending.id);
    return this.#operations.sort((left, right) => left.invokedAtMs - right.invokedAtMs || left.id - right.id);
  }

  #leaveOpen(pending: Pending): void {
    this.ambiguous++;
    this.#operations.push({ ...pending, returned: null });
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }
}
