/**
 * A node votes for one candidate per term at most, over all its lives, and asking for votes is voting for oneself. Read off
 * what it says (granted votes, requests for votes) and, within one life, off the vote it asks its store to keep.
 * @see Raft Figure 2, RequestVote; §5.2
 */
import type { GroupId, NodeId } from "../../base/ids.ts";
import type { RaftGroup } from "../../host/raft-group.ts";
import type { Ready } from "../../raft/ready.ts";
import type { Life } from "../life.ts";
import type { Checker, CheckerContext } from "./checker.ts";
import { PerReplica } from "./per-replica.ts";

/** Terms of one node and group that are remembered; a vote is never told of later than a few terms afterwards. */
const TERMS_KEPT_MAX = 128;

export class OneVotePerTerm implements Checker {
  readonly name = "one-vote-per-term";
  readonly #context: CheckerContext;
  /** By node, by group, by term: whom it told that it votes for. */
  readonly #told = new Map<NodeId, Map<GroupId, Map<number, NodeId>>>();
  /** What a replica asked its store to keep last. */
  readonly #kept = new PerReplica<{ readonly term: number; readonly vote: NodeId }>();

  constructor(context: CheckerContext) {
    this.#context = context;
  }

  ready(life: Life, group: RaftGroup<unknown>, { messages, persist }: Ready): void {
    if (persist !== null && persist.hardState !== null && persist.hardState.vote !== null) {
      this.#keep(life, group.id, persist.hardState.term, persist.hardState.vote);
    }
    for (const message of messages) {
      if (message.type === "vote-request") this.#tell(life, group.id, message.term, message.from);
      else if (message.type === "vote-response" && message.granted)
        this.#tell(life, group.id, message.term, message.to);
    }
  }

  removed(life: Life, group: RaftGroup<unknown>): void {
    this.#kept.delete(life, group.id);
  }

  failed(life: Life, group: RaftGroup<unknown>): void {
    this.#kept.delete(life, group.id);
  }

  ended(life: Life): void {
    this.#kept.dropLife(life);
  }

  #keep(life: Life, group: GroupId, term: number, vote: NodeId): void {
    const before = this.#kept.get(life, group);
    if (before?.term === term) {
      if (before.vote !== vote) this.#twice(life, group, term, [before.vote, vote]);
      return;
    }
    this.#kept.set(life, group, { term, vote });
  }

  #tell(life: Life, group: GroupId, term: number, candidate: NodeId): void {
    const terms = this.#termsOf(life.node.nodeId, group);
    const before = terms.get(term);
    if (before !== undefined) {
      if (before !== candidate) this.#twice(life, group, term, [before, candidate]);
      return;
    }
    terms.set(term, candidate);
    if (terms.size <= TERMS_KEPT_MAX) return;
    for (const oldest of terms.keys()) {
      terms.delete(oldest);
      return;
    }
  }

  #twice(life: Life, group: GroupId, term: number, candidates: readonly NodeId[]): void {
    this.#context.report("a node votes once per term", { group, term, candidates }, [life]);
  }

  #termsOf(node: NodeId, group: GroupId): Map<number, NodeId> {
    let groups = this.#told.get(node);
    if (groups === undefined) {
      groups = new Map();
      this.#told.set(node, groups);
    }
    let terms = groups.get(group);
    if (terms === undefined) {
      terms = new Map();
      groups.set(group, terms);
    }
    return terms;
  }
}
