/**
 * Who leads each group, as far as this node has heard: from its own replicas, from gossip, from refused requests.
 * Only a hint: following a wrong one costs a hop, never correctness.
 *
 * Invariant: who was named for a higher term is never replaced by who is named for a lower one. That somebody knows of no
 * leader in a higher term names nobody: a candidate may have entered it alone and died, and the group goes on in the lower
 * one for ever.
 */
import type { GroupId, NodeId } from "../base/ids.ts";

export interface LeaderHint {
  /** null: nobody was named yet, or who was named is doubted. */
  readonly leader: NodeId | null;
  /** The highest term for which anybody was named. */
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

  /**
   * Takes in a hint; true when it was news. Within one term a leader replaces "unknown", never another leader; nobody for a
   * later term makes whoever led before unknown.
   */
  learn(group: GroupId, leader: NodeId | null, term: number): boolean {
    const known = this.get(group);
    if (leader === null) {
      if (term <= known.term || known.leader === null) return false;
      this.#set(group, null, known.term);
      return true;
    }
    if (term < known.term || (term === known.term && known.leader !== null)) return false;
    this.#set(group, leader, term);
    return true;
  }

  /** `node` refused and named `leader` of `term`, or nobody: it does not lead, unless what it says is older than what is known. */
  refused(group: GroupId, node: NodeId, leader: NodeId | null, term: number): void {
    if (this.learn(group, leader, term) || term < this.get(group).term) return;
    this.doubt(group, node);
  }

  /** `node` does not lead after all, or cannot be reached: asks for a fresh answer, at the same term. */
  doubt(group: GroupId, node: NodeId): void {
    const known = this.get(group);
    if (known.leader === node) this.#set(group, null, known.term);
  }

  entries(): IterableIterator<[GroupId, LeaderHint]> {
    return this.#hints.entries();
  }

  clear(): void {
    this.#hints.clear();
  }

  #set(group: GroupId, leader: NodeId | null, term: number): void {
    const hint = { leader, term };
    this.#hints.set(group, hint);
    this.#onChange(group, hint);
  }
}
