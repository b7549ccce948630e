/**
 * What a group's leader may believe of each node: who lives, who holds the log, who could lead.
 * Two witnesses must agree: the replica's own answers, and the cluster map with gossip. A group at rest keeps the last answers
 * it got, and only gossip speaks of its replicas then.
 */
import type { NodeId } from "../base/ids.ts";
import type { ShardMemberState, ShardSituation } from "./shard-steps.ts";

/** What is left of so few entries arrives within a round trip or two. Fewer would not be met under load. */
const CAUGHT_UP_ENTRIES = 256;

export class ShardStanding {
  readonly #situation: ShardSituation;

  constructor(situation: ShardSituation) {
    this.#situation = situation;
  }

  stateOf(node: NodeId): ShardMemberState {
    return this.#situation.memberStates.get(node) ?? "removed";
  }

  /** Can be counted on for a quorum now. This leader always can. */
  isLive(node: NodeId): boolean {
    const { self, progress } = this.#situation;
    if (node === self) return true;
    const state = this.stateOf(node);
    const isThere = state === "alive" || state === "reluctant" || state === "draining";
    return isThere && progress.get(node)?.recentActive === true;
  }

  hasLiveMajority(voters: readonly NodeId[]): boolean {
    let live = 0;
    for (const voter of voters) if (this.isLive(voter)) live++;
    return live * 2 > voters.length;
  }

  /** A learner that may become a voter: it would delay no commit. */
  isReady(node: NodeId): boolean {
    return this.stateOf(node) === "alive" && this.isLive(node) && this.#isCaughtUp(node);
  }

  /**
   * A wanted replica whose readiness is only a matter of time: it answers and catches up, or is suspected, which gossip
   * will soon confirm or deny. One that is silent is not waited for, as nobody knows for how long.
   */
  isAwaited(node: NodeId): boolean {
    const state = this.stateOf(node);
    return state === "suspect" || (state === "alive" && this.isLive(node) && !this.#isCaughtUp(node));
  }

  /** Nobody has said that it is gone. */
  mayRecover(node: NodeId): boolean {
    const state = this.stateOf(node);
    return state === "alive" || state === "reluctant" || state === "suspect";
  }

  /** Should not lead, however well it does. */
  isRetiring(node: NodeId): boolean {
    const state = this.stateOf(node);
    return state === "draining" || state === "removed";
  }

  /** Leadership handed to this voter arrives: it lives, stays, and lacks little. */
  canLead(node: NodeId): boolean {
    return this.isReady(node) && this.#lacksLittle(node);
  }

  /** The best of `voters` to take over from this leader; null when none is fit. */
  successor(voters: readonly NodeId[]): NodeId | null {
    const { self, wanted } = this.#situation;
    const fit = (node: NodeId) => node !== self && voters.includes(node) && this.canLead(node);
    return wanted.find(fit) ?? voters.find(fit) ?? null;
  }

  /** Level with the quorum, or nearly with the leader: bursts of new entries must not make everybody a laggard. */
  #isCaughtUp(node: NodeId): boolean {
    const peer = this.#situation.progress.get(node);
    if (peer === undefined || peer.state !== "replicate") return false;
    return peer.match >= this.#situation.commit || this.#lacksLittle(node);
  }

  #lacksLittle(node: NodeId): boolean {
    const match = this.#situation.progress.get(node)?.match ?? 0;
    return match + CAUGHT_UP_ENTRIES >= this.#situation.lastIndex;
  }
}
