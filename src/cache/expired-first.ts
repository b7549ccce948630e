/**
 * The answer of a leader that was asked about a key whose time is over, while no committed entry has said so yet.
 * Removing it must be committed before the question is answered: expiry is linearizable.
 */
import type { ExpiryItem } from "./command.ts";

/** "Commit a `remove-expired` of these items, then ask again." */
export class ExpiredFirst {
  /** At least one. */
  readonly items: readonly ExpiryItem[];

  constructor(items: readonly ExpiryItem[]) {
    this.items = items;
  }
}
