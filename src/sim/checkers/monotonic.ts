/**
 * Term, commit index and applied index of a replica never go back while it lives. Across lives of one node id, what counts
 * is what the node PROMISED: a node may come back from its disk without what it never told anybody (a term it had only
 * heard of, a commit index, entries it had not acknowledged), but never below
 *   - the highest term in which it granted a vote, asked for votes or acknowledged entries, nor,
 *   - if it comes back in the very term of its last acknowledgement, below the index it acknowledged (in a later term
 *     another leader may have truncated its log without any further promise).
 * A tombstone must keep the term likewise. @see Raft §5.1, Figure 2 "persistent state"
 */
import type { GroupId, NodeId } from "../../base/ids.ts";
import type { Tombstone } from "../../host/ports.ts";
import type { RaftGroup } from "../../host/raft-group.ts";
import type { RaftMessage } from "../../raft/messages.ts";
import type { Raft } from "../../raft/raft.ts";
import type { Ready } from "../../raft/ready.ts";
import type { Life } from "../life.ts";
import type { Checker, CheckerContext } from "./checker.ts";
import { PerReplica } from "./per-replica.ts";

interface Seen {
  readonly group: GroupId;
  readonly raft: Raft;
  readonly promised: Promised;
  term: number;
  commit: number;
  applied: number;
}

/** What one node id has promised in one group, over all its lives. */
interface Promised {
  term: number;
  /** The latest acknowledgement: every entry up to `index`, to the leader of `acknowledgedTerm`. */
  acknowledgedTerm: number;
  index: number;
}

export class Monotonic implements Checker {
  readonly name = "monotonic";
  readonly #context: CheckerContext;
  readonly #seen = new PerReplica<Seen>();
  readonly #promised = new Map<NodeId, Map<GroupId, Promised>>();
  /** Of replicas that were removed in this life. */
  readonly #tombstoneTerms = new PerReplica<number>();

  constructor(context: CheckerContext) {
    this.#context = context;
  }

  opened(life: Life, { id, raft }: RaftGroup<unknown>): void {
    const promised = this.#promisedBy(life.node.nodeId, id);
    const { term, commit, applied } = raft;
    this.#seen.set(life, id, { group: id, raft, promised, term, commit, applied });
    const least = Math.max(promised.term, this.#tombstoneTerms.get(life, id) ?? 0);
    if (term < least) {
      const found = { group: id, term, promisedTerm: least };
      this.#context.report("a node never comes back below a term that it promised", found, [life]);
    }
    if (term !== promised.acknowledgedTerm || raft.lastIndex >= promised.index) return;
    const found = { group: id, term, lastIndex: raft.lastIndex, acknowledged: promised.index };
    this.#context.report("a node never comes back without what it acknowledged", found, [life]);
  }

  /** Whatever changes term or commit index comes to this. */
  ready(life: Life, group: RaftGroup<unknown>, { messages }: Ready): void {
    const seen = this.#seen.get(life, group.id);
    if (seen === undefined) return;
    this.#look(life, seen);
    for (const message of messages) notePromise(seen.promised, message);
  }

  after(life: Life): void {
    const replicas = this.#seen.ofLife(life);
    for (let at = 0; at < replicas.length; at++) {
      const seen = replicas[at];
      if (seen !== undefined) this.#look(life, seen);
    }
  }

  /** What was removed may come back all the same, if the node dies before its disk knows: only promises count then. */
  removed(life: Life, group: RaftGroup<unknown>, tombstone: Tombstone): void {
    const seen = this.#seen.get(life, group.id);
    this.#seen.delete(life, group.id);
    this.#tombstoneTerms.set(life, group.id, tombstone.term);
    const promised = this.#promisedBy(life.node.nodeId, group.id);
    promised.acknowledgedTerm = 0;
    promised.index = 0;
    const least = Math.max(promised.term, seen?.term ?? 0);
    if (tombstone.term >= least) return;
    const found = { group: group.id, tombstoneTerm: tombstone.term, term: least };
    this.#context.report("a tombstone keeps the term", found, [life]);
  }

  /** What is lost is data, never the end of the log that was acknowledged, nor the term. */
  buried(life: Life, group: GroupId, tombstone: Tombstone): void {
    const promised = this.#promisedBy(life.node.nodeId, group);
    const { term, lastIndex, lastTerm } = tombstone;
    this.#tombstoneTerms.set(life, group, term);
    const isShort = lastIndex < promised.index && lastTerm <= promised.acknowledgedTerm;
    if (term < promised.term || isShort) {
      const found = { group, tombstone, promised: { ...promised } };
      this.#context.report("a tombstone of damaged data keeps what was promised", found, [life]);
    }
    promised.acknowledgedTerm = 0;
    promised.index = 0;
  }

  failed(life: Life, group: RaftGroup<unknown>): void {
    this.#seen.delete(life, group.id);
  }

  ended(life: Life): void {
    this.#seen.dropLife(life);
    this.#tombstoneTerms.dropLife(life);
  }

  #look(life: Life, seen: Seen): void {
    const { term, commit, applied } = seen.raft;
    if (term === seen.term && commit === seen.commit && applied === seen.applied) return;
    if (term < seen.term || commit < seen.commit || applied < seen.applied) this.#wentBack(life, seen);
    seen.term = term;
    seen.commit = commit;
    seen.applied = applied;
  }

  #wentBack(life: Life, { group, raft, term, commit, applied }: Seen): void {
    const before = { term, commit, applied };
    const now = { term: raft.term, commit: raft.commit, applied: raft.applied };
    this.#context.report("term, commit index and applied index never go back", { group, before, now }, [
      life,
    ]);
  }

  #promisedBy(node: NodeId, group: GroupId): Promised {
    let groups = this.#promised.get(node);
    if (groups === undefined) {
      groups = new Map();
      this.#promised.set(node, groups);
    }
    let promised = groups.get(group);
    if (promised === undefined) {
      promised = { term: 0, acknowledgedTerm: 0, index: 0 };
      groups.set(group, promised);
    }
    return promised;
  }
}

function notePromise(promised: Promised, message: RaftMessage): void {
  const { term } = message;
  switch (message.type) {
    case "vote-request":
      break;
    case "vote-response":
      if (!message.granted) return;
      break;
    case "append-response":
      if (message.rejected || term < promised.acknowledgedTerm) return;
      promised.index =
        term > promised.acknowledgedTerm ? message.index : Math.max(promised.index, message.index);
      promised.acknowledgedTerm = term;
      break;
    default:
      return;
  }
  if (term > promised.term) promised.term = term;
}
