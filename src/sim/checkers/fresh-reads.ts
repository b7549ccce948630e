/**
 * A linearizable read misses nothing that was committed when it was asked, at whichever replica that was known, in the
 * leader's own past or on the other side of a partition. Told by the index at which the core grants it.
 * Reads by lease are not covered: they trust clocks, and are off. @see Raft §8, Raft dissertation §6.4
 */
import type { RaftGroup } from "../../host/raft-group.ts";
import type { Raft } from "../../raft/raft.ts";
import type { Ready } from "../../raft/ready.ts";
import type { Life } from "../life.ts";
import type { Checker, CheckerContext } from "./checker.ts";
import { PerGroup, PerReplica } from "./per-replica.ts";

/** All replicas of one group that live, and what the others knew. */
interface Knowledge {
  readonly replicas: Set<Raft>;
  /** The highest commit index of replicas that are gone. */
  committed: number;
}

interface Reads {
  readonly knowledge: Knowledge;
  readonly raft: Raft;
  /** By context: the index that the grant must reach. */
  readonly asked: Map<number, number>;
}

export class FreshReads implements Checker {
  readonly name = "fresh-reads";
  readonly #context: CheckerContext;
  readonly #knowledge = new PerGroup<Knowledge>(() => ({ replicas: new Set(), committed: 0 }));
  readonly #reads = new PerReplica<Reads>();

  constructor(context: CheckerContext) {
    this.#context = context;
  }

  opened(life: Life, { id, raft }: RaftGroup<unknown>): void {
    const knowledge = this.#knowledge.of(life, id);
    knowledge.replicas.add(raft);
    this.#reads.set(life, id, { knowledge, raft, asked: new Map() });
  }

  readAsked(life: Life, group: RaftGroup<unknown>, context: number): void {
    const reads = this.#reads.get(life, group.id);
    if (reads === undefined) return;
    const { knowledge } = reads;
    for (const { commit } of knowledge.replicas) {
      if (commit > knowledge.committed) knowledge.committed = commit;
    }
    reads.asked.set(context, knowledge.committed);
  }

  ready(life: Life, group: RaftGroup<unknown>, ready: Ready): void {
    if (ready.reads.length === 0 && ready.readsLost.length === 0) return;
    const asked = this.#reads.get(life, group.id)?.asked;
    if (asked === undefined) return;
    for (const { context, index } of ready.reads) {
      const needed = asked.get(context);
      if (needed !== undefined && index < needed) {
        const found = { group: group.id, grantedAt: index, committedWhenAsked: needed };
        this.#context.report("a linearizable read sees all that was committed before it", found, [life]);
      }
      asked.delete(context);
    }
    for (const context of ready.readsLost) asked.delete(context);
  }

  removed(life: Life, group: RaftGroup<unknown>): void {
    this.#gone(this.#reads.get(life, group.id));
    this.#reads.delete(life, group.id);
  }

  failed(life: Life, group: RaftGroup<unknown>): void {
    this.removed(life, group);
  }

  ended(life: Life): void {
    for (const reads of this.#reads.ofLife(life)) this.#gone(reads);
    this.#reads.dropLife(life);
  }

  #gone(reads: Reads | undefined): void {
    if (reads === undefined) return;
    const { knowledge, raft } = reads;
    knowledge.committed = Math.max(knowledge.committed, raft.commit);
    knowledge.replicas.delete(raft);
  }
}
