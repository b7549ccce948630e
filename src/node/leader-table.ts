/**
 * Who leads each group, as far as this node has heard: from its own replicas, from gossip, from refused requests.
 * Only a hint: following a wrong one costs a hop, never correctness.
 *
 * Invariant: what is known for a higher term is never replaced by what somebody says of a lower one.
 */
import type { GroupId, NodeId } from "../base/ids.ts";

export interface LeaderHint {
  readonly leader: NodeId | null;
  readonly term: number;
}

const NOTHING: LeaderHint = Object.freeze({ leader: null, term: 0 });

export class LeaderTable {
  readonly #hints = new Map<GroupId, LeaderHint>();
  readonly #onChange: (group: GroupId, hint: LeaderHint) => void;

  constructor(onChange: (group: GroupId, hint: LeaderHint) => void) {
    this.#onChange = onChange;
  }

  get(group: GroupId): LeaderHint {
    return this.#hints.get(group) ?? NOTHING;
  }

  /** Takes in a hint; true when it was news. Within one term a leader replaces "unknown", never another leader. */
  learn(group: GroupId, leader: NodeId | null, term: number): boolean {
    const known = this.get(group);
    if (term < known.term) return false;
    if (term === known.term && (leader === null || known.leader !== null)) return false;
    const hint = { leader, term };
    this.#hints.set(group, hint);
    this.#onChange(group, hint);
    return true;
  }

  /** `node` does not lead after all, or cannot be reached: asks for a fresh answer, at the same term. */
  doubt(group: GroupId, node: NodeId): void {
    const known = this.get(group);
    if (known.leader !== node) return;
    const hint = { leader: null, term: known.term };
    this.#hints.set(group, hint);
    this.#onChange(group, hint);
  }

  entries(): IterableIterator<[GroupId, LeaderHint]> {
    return this.#hints.entries();
  }

  clear(): void {
    this.#hints.clear();
  }
}
