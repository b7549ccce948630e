/**
 * What has been committed is never lost: the leader of a term holds every entry that some replica knew to be committed
 * in an earlier term. Checked when a replica takes the lead, against all that was ever known to be committed; what the
 * leader has compacted away it has applied, and is judged by `state-machine-safety`.
 * @see Raft Figure 3, Leader Completeness; §5.4.3
 */
import type { RaftGroup } from "../../host/raft-group.ts";
import type { Ready } from "../../raft/ready.ts";
import type { Life } from "../life.ts";
import type { Checker, CheckerContext } from "./checker.ts";
import { IndexTail } from "./index-tail.ts";
import { LogLinks } from "./log-links.ts";
import { PerGroup, PerReplica } from "./per-replica.ts";

interface Committed {
  readonly term: number;
  /** The lowest term in which a replica knew of it: leaders of later terms must hold the entry. */
  knownInTerm: number;
  /** Name of the life that knew of it first. */
  readonly knownIn: string;
}

interface History {
  readonly links: LogLinks;
  readonly committed: IndexTail<Committed>;
}

interface Log {
  readonly history: History;
  lastIndex: number;
  lastTerm: number;
  /** What this replica knows to be committed is noted up to here. */
  notedTo: number;
  /** The term in which it was last seen to lead. */
  ledTerm: number;
}

export class LeaderCompleteness implements Checker {
  readonly name = "leader-completeness";
  readonly #context: CheckerContext;
  readonly #histories = new PerGroup<History>(() => ({ links: new LogLinks(), committed: new IndexTail() }));
  readonly #logs = new PerReplica<Log>();

  constructor(context: CheckerContext) {
    this.#context = context;
  }

  opened(life: Life, group: RaftGroup<unknown>): void {
    const { lastIndex, lastTerm, baseIndex } = group.raft.status();
    const history = this.#histories.of(life, group.id);
    this.#logs.set(life, group.id, { history, lastIndex, lastTerm, notedTo: baseIndex, ledTerm: 0 });
  }

  ready(life: Life, group: RaftGroup<unknown>, { persist, leadership }: Ready): void {
    const log = this.#logs.get(life, group.id);
    if (log === undefined) return;
    const { raft } = group;
    if (persist !== null) this.#persisted(life, log, persist);
    if (raft.commit > log.notedTo) {
      this.#noteCommitted(life, group, log);
      if (raft.role === "leader" && log.ledTerm === raft.term) this.#checkCommitTerm(life, group, log);
    }
    if (leadership?.role !== "leader" || leadership.term === log.ledTerm) return;
    log.ledTerm = leadership.term;
    this.#checkLeader(life, group, log);
  }

  removed(life: Life, group: RaftGroup<unknown>): void {
    this.#logs.delete(life, group.id);
  }

  failed(life: Life, group: RaftGroup<unknown>): void {
    this.#logs.delete(life, group.id);
  }

  ended(life: Life): void {
    this.#logs.dropLife(life);
  }

  #persisted(life: Life, log: Log, { snapshot, entries }: NonNullable<Ready["persist"]>): void {
    const { links } = log.history;
    if (snapshot !== null) {
      log.lastIndex = snapshot.index;
      log.lastTerm = snapshot.term;
      log.notedTo = Math.max(log.notedTo, snapshot.index);
    }
    const first = entries[0];
    if (first === undefined) return;
    let previousTerm = links.termAt(first.index - 1, log.lastIndex, log.lastTerm);
    for (const { index, term } of entries) {
      if (links.find(index, term) === null) links.add(index, term, previousTerm, 0, life.name);
      log.lastIndex = index;
      log.lastTerm = term;
      previousTerm = term;
    }
  }

  /** A leader commits by counting replicas only up to an entry of its own term. @see Raft §5.4.2 */
  #checkCommitTerm(life: Life, group: RaftGroup<unknown>, log: Log): void {
    const { commit, term } = group.raft;
    const committedTerm = log.history.links.termAt(commit, log.lastIndex, log.lastTerm);
    if (committedTerm === null || committedTerm === term) return;
    const found = { group: group.id, index: commit, committedTerm, leaderTerm: term };
    this.#context.report("a leader commits only an entry of its own term by counting", found, [life]);
  }

  #noteCommitted(life: Life, group: RaftGroup<unknown>, log: Log): void {
    const { links, committed } = log.history;
    const { commit, term: knownInTerm } = group.raft;
    let term: number | null = log.lastTerm;
    for (let index = log.lastIndex; index > log.notedTo && term !== null; index--) {
      if (index <= commit) this.#noteOne(life, group, committed, index, term, knownInTerm);
      term = links.find(index, term)?.previousTerm ?? null;
    }
    log.notedTo = commit;
  }

  #noteOne(
    life: Life,
    group: RaftGroup<unknown>,
    committed: IndexTail<Committed>,
    index: number,
    term: number,
    knownInTerm: number,
  ): void {
    const known = committed.get(index);
    if (known === undefined) {
      committed.set(index, { term, knownInTerm, knownIn: life.name });
      return;
    }
    if (known.term !== term) {
      const found = { group: group.id, index, terms: [known.term, term], knownIn: known.knownIn };
      this.#context.report("a committed entry is never replaced", found, [life]);
    }
    if (knownInTerm < known.knownInTerm) known.knownInTerm = knownInTerm;
  }

  #checkLeader(life: Life, group: RaftGroup<unknown>, log: Log): void {
    const { links, committed } = log.history;
    const base = group.raft.firstIndex - 1;
    for (let index = committed.last; index > log.lastIndex; index--) {
      if (!this.#holds(life, group, index, null, committed.get(index))) return;
    }
    let term: number | null = log.lastTerm;
    for (let index = log.lastIndex; index > base && term !== null; index--) {
      if (!this.#holds(life, group, index, term, committed.get(index))) return;
      term = links.find(index, term)?.previousTerm ?? null;
    }
  }

  #holds(
    life: Life,
    group: RaftGroup<unknown>,
    index: number,
    heldTerm: number | null,
    known: Committed | undefined,
  ): boolean {
    const leaderTerm = group.raft.term;
    if (known === undefined || known.term === heldTerm || known.knownInTerm >= leaderTerm) return true;
    const { term: committedTerm, knownIn } = known;
    this.#context.report(
      "a leader holds every entry that was committed before its term",
      { group: group.id, leaderTerm, index, committedTerm, heldTerm, knownIn },
      [life],
    );
    return false;
  }
}
