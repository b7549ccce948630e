/**
 * If two logs hold an entry of the same index and term, the entries are the same, and so is everything before them. Watched
 * where entries enter a log: in what a replica asks its store to keep. There a log must also have no gap, and its terms
 * must not fall. @see Raft Figure 3, Log Matching; §5.3
 */
import type { GroupId } from "../../base/ids.ts";
import type { RaftGroup } from "../../host/raft-group.ts";
import type { Entry } from "../../raft/entry.ts";
import type { Ready } from "../../raft/ready.ts";
import type { Life } from "../life.ts";
import type { Checker, CheckerContext } from "./checker.ts";
import { entryChecksum } from "./entry-checksum.ts";
import { LogLinks } from "./log-links.ts";
import { PerGroup, PerReplica } from "./per-replica.ts";

/** Where one replica's log ends. With {@link LogLinks} that is the whole log. */
interface Log {
  readonly links: LogLinks;
  lastIndex: number;
  lastTerm: number;
}

export class LogMatching implements Checker {
  readonly name = "log-matching";
  readonly #context: CheckerContext;
  readonly #links = new PerGroup(() => new LogLinks());
  readonly #logs = new PerReplica<Log>();

  constructor(context: CheckerContext) {
    this.#context = context;
  }

  opened(life: Life, group: RaftGroup<unknown>): void {
    const { lastIndex, lastTerm } = group.raft.status();
    this.#logs.set(life, group.id, { links: this.#links.of(life, group.id), lastIndex, lastTerm });
  }

  ready(life: Life, group: RaftGroup<unknown>, { persist }: Ready): void {
    if (persist === null) return;
    const log = this.#logs.get(life, group.id);
    if (log === undefined) return;
    if (persist.snapshot !== null) {
      log.lastIndex = persist.snapshot.index;
      log.lastTerm = persist.snapshot.term;
    }
    const first = persist.entries[0];
    if (first === undefined) return;
    if (first.index > log.lastIndex + 1) {
      const found = { group: group.id, lastIndex: log.lastIndex, index: first.index };
      this.#context.report("a log has no gap", found, [life]);
    }
    let previousIndex = first.index - 1;
    let previousTerm = log.links.termAt(previousIndex, log.lastIndex, log.lastTerm);
    for (const entry of persist.entries) {
      if (entry.index !== previousIndex + 1) {
        const found = { group: group.id, previousIndex, index: entry.index };
        this.#context.report("a log has no gap", found, [life]);
      }
      this.#appended(life, group.id, log.links, entry, previousTerm);
      previousIndex = entry.index;
      previousTerm = entry.term;
    }
    log.lastIndex = previousIndex;
    log.lastTerm = previousTerm ?? 0;
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

  #appended(life: Life, group: GroupId, links: LogLinks, entry: Entry, previousTerm: number | null): void {
    const { index, term } = entry;
    if (previousTerm !== null && previousTerm > term) {
      this.#context.report("terms in a log never fall", { group, index, term, previousTerm }, [life]);
    }
    const known = links.find(index, term);
    if (known === null) {
      links.add(index, term, previousTerm, entryChecksum(entry), life.name);
      return;
    }
    const { seenIn } = known;
    if (known.checksum !== entryChecksum(entry)) {
      const found = { group, index, term, kind: entry.kind, firstSeenIn: seenIn };
      this.#context.report("entries of equal index and term are equal", found, [life]);
    }
    if (known.previousTerm === null || previousTerm === null || known.previousTerm === previousTerm) return;
    const found = {
      group,
      index,
      term,
      previousTerms: [known.previousTerm, previousTerm],
      firstSeenIn: seenIn,
    };
    this.#context.report("what precedes entries of equal index and term is equal", found, [life]);
  }
}
