/**
 * All replicas of a group apply the same entries, in the same order, each exactly once per life: no gap but where a
 * snapshot was installed, nothing beyond what is committed, and nothing that the replica's own store has not confirmed.
 * @see Raft Figure 3, State Machine Safety
 */
import type { RaftGroup } from "../../host/raft-group.ts";
import type { Entry } from "../../raft/entry.ts";
import type { Ready } from "../../raft/ready.ts";
import type { Life } from "../life.ts";
import type { Checker, CheckerContext } from "./checker.ts";
import { entryChecksum } from "./entry-checksum.ts";
import { IndexTail } from "./index-tail.ts";
import { PerGroup, PerReplica } from "./per-replica.ts";

interface Applied {
  readonly term: number;
  readonly checksum: number;
  /** The life that applied it first. */
  readonly by: string;
}

interface Machine {
  readonly history: IndexTail<Applied>;
  /** The last index applied, by an entry or within a snapshot. */
  last: number;
  /** Term of the snapshot that was accepted and is installed next. */
  snapshotTerm: number | null;
}

/** The status of a core is dear: how far its store is, is asked every so often. */
const HANDED_OUT_PER_LOOK = 4;

export class StateMachineSafety implements Checker {
  readonly name = "state-machine-safety";
  readonly #context: CheckerContext;
  readonly #histories = new PerGroup(() => new IndexTail<Applied>());
  readonly #machines = new PerReplica<Machine>();
  #handedOut = 0;

  constructor(context: CheckerContext) {
    this.#context = context;
  }

  opened(life: Life, group: RaftGroup<unknown>): void {
    const history = this.#histories.of(life, group.id);
    this.#machines.set(life, group.id, { history, last: group.raft.applied, snapshotTerm: null });
  }

  ready(life: Life, group: RaftGroup<unknown>, { persist, committed }: Ready): void {
    if (persist !== null && persist.snapshot !== null) {
      const machine = this.#machines.get(life, group.id);
      if (machine !== undefined) machine.snapshotTerm = persist.snapshot.term;
    }
    const last = committed[committed.length - 1];
    if (last === undefined) return;
    if (this.#handedOut++ % HANDED_OUT_PER_LOOK !== 0 && last.index <= group.raft.commit) return;
    const { commit, stable } = group.raft.status();
    if (last.index <= commit && last.index <= stable) return;
    const found = { group: group.id, index: last.index, commit, stable };
    this.#context.report("only what is committed, and durable here, is handed to the machine", found, [life]);
  }

  applied(life: Life, group: RaftGroup<unknown>, entry: Entry): void {
    const machine = this.#machines.get(life, group.id);
    if (machine === undefined) return;
    const { index, term } = entry;
    if (index !== machine.last + 1) {
      const found = { group: group.id, index, appliedBefore: machine.last };
      this.#context.report("entries are applied in order, without gaps, each once", found, [life]);
    }
    machine.last = index;
    const { commit } = group.raft;
    if (index > commit) {
      this.#context.report("only what is committed is applied", { group: group.id, index, commit }, [life]);
    }
    const checksum = entryChecksum(entry);
    const known = machine.history.get(index);
    if (known === undefined) machine.history.set(index, { term, checksum, by: life.name });
    else if (known.term !== term || known.checksum !== checksum) {
      const found = { group: group.id, index, terms: [known.term, term], appliedFirstBy: known.by };
      this.#context.report("all replicas apply the same entry at an index", found, [life]);
    }
  }

  installed(life: Life, group: RaftGroup<unknown>): void {
    const machine = this.#machines.get(life, group.id);
    if (machine === undefined) return;
    const index = group.raft.applied;
    if (index <= machine.last) {
      const found = { group: group.id, index, appliedBefore: machine.last };
      this.#context.report("a snapshot never takes a machine back", found, [life]);
    }
    machine.last = index;
    const known = machine.history.get(index);
    const term = machine.snapshotTerm;
    machine.snapshotTerm = null;
    if (known === undefined || term === null || known.term === term) return;
    const found = { group: group.id, index, terms: [known.term, term], appliedFirstBy: known.by };
    this.#context.report("a snapshot stands at an entry that was applied", found, [life]);
  }

  removed(life: Life, group: RaftGroup<unknown>): void {
    this.#machines.delete(life, group.id);
  }

  failed(life: Life, group: RaftGroup<unknown>): void {
    this.#machines.delete(life, group.id);
  }

  ended(life: Life): void {
    this.#machines.dropLife(life);
  }
}
