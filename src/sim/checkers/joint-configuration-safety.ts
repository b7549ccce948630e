/**
 * Who decides changes step by step, and never so far in one step that the old and the new deciders could each go their own
 * way. What is checked, in every log, for each configuration that follows another:
 *   - it has voters, and every majority of it meets every majority of the one before (joint: a majority of both sets);
 *   - the leader that appended it had committed the one before, and an entry of its own term.
 * Two configurations at two replicas at one moment need not meet each other: both may follow the same committed one, and
 * then the second rule lets only one of their leaders commit. So replicas are not compared with each other. The
 * configuration that a replica obeys must be the latest in its log. @see Raft §6
 */
import type { GroupId } from "../../base/ids.ts";
import type { RaftGroup } from "../../host/raft-group.ts";
import type { Configuration } from "../../raft/configuration.ts";
import type { MembershipEntry } from "../../raft/entry.ts";
import type { Ready } from "../../raft/ready.ts";
import type { Life } from "../life.ts";
import type { Checker, CheckerContext } from "./checker.ts";
import { configurationText } from "./entry-checksum.ts";
import { PerReplica } from "./per-replica.ts";
import { everyMajorityMeets } from "./quorum-overlap.ts";

interface Appended {
  readonly index: number;
  readonly configuration: Configuration;
}

/** The configurations of one replica's log. */
interface History {
  /** By ascending index. The first one stands for all before. Never empty, unless a truncation reached back beyond what is known. */
  appended: Appended[];
  /** The first index of each recent term that is in the log, as it was appended here. */
  termStarts: { readonly term: number; readonly index: number }[];
}

/** What is remembered per log: changes that are not committed are few, and older ones are never truncated. */
const CONFIGURATIONS_KEPT_MAX = 64;
const TERMS_KEPT_MAX = 16;

export class JointConfigurationSafety implements Checker {
  readonly name = "joint-configuration-safety";
  readonly #context: CheckerContext;
  readonly #histories = new PerReplica<History>();

  constructor(context: CheckerContext) {
    this.#context = context;
  }

  opened(life: Life, { id, raft }: RaftGroup<unknown>): void {
    const { configuration, configurationIndex } = raft.status();
    this.#histories.set(life, id, {
      appended: [{ index: configurationIndex, configuration }],
      termStarts: [],
    });
  }

  ready(life: Life, group: RaftGroup<unknown>, { persist, configuration }: Ready): void {
    const history = this.#histories.get(life, group.id);
    if (history === undefined) return;
    if (persist !== null) this.#persisted(life, group, history, persist);
    if (configuration === null) return;
    const latest = history.appended[history.appended.length - 1]?.configuration;
    if (latest === undefined || latest === configuration) return;
    if (configurationText(latest) === configurationText(configuration)) return;
    const found = { group: group.id, obeyed: configuration, latest };
    this.#context.report("a replica obeys the latest configuration in its log", found, [life]);
  }

  removed(life: Life, group: RaftGroup<unknown>): void {
    this.#histories.delete(life, group.id);
  }

  failed(life: Life, group: RaftGroup<unknown>): void {
    this.#histories.delete(life, group.id);
  }

  ended(life: Life): void {
    this.#histories.dropLife(life);
  }

  #persisted(
    life: Life,
    group: RaftGroup<unknown>,
    history: History,
    { snapshot, entries }: NonNullable<Ready["persist"]>,
  ): void {
    if (snapshot !== null) {
      const { index, configuration } = snapshot;
      this.#hasVoters(life, group.id, index, configuration);
      history.appended = [{ index, configuration }];
      history.termStarts = [];
    }
    const first = entries[0];
    if (first === undefined) return;
    dropFrom(history.appended, first.index);
    dropFrom(history.termStarts, first.index);
    for (const entry of entries) {
      const { index, term } = entry;
      const { termStarts } = history;
      if (termStarts[termStarts.length - 1]?.term !== term) {
        termStarts.push({ term, index });
        if (termStarts.length > TERMS_KEPT_MAX) termStarts.shift();
      }
      if (entry.kind === "membership") this.#append(life, group, history, entry);
    }
  }

  #append(life: Life, group: RaftGroup<unknown>, history: History, entry: MembershipEntry): void {
    const { index, configuration } = entry;
    const before = history.appended[history.appended.length - 1];
    history.appended.push({ index, configuration });
    if (history.appended.length > CONFIGURATIONS_KEPT_MAX) history.appended.shift();
    if (!this.#hasVoters(life, group.id, index, configuration)) return;
    if (before === undefined || before.configuration.voters.length === 0) return;
    if (!everyMajorityMeets(before.configuration, configuration)) {
      const found = { group: group.id, index, before: before.configuration, after: configuration };
      this.#context.report("majorities of consecutive configurations meet", found, [life]);
    }
    this.#mayAppend(life, group, history, entry, before.index);
  }

  /** The rule of the leader, looked at when its entry is handed out: it may have committed more since, never less. */
  #mayAppend(
    life: Life,
    { id, raft }: RaftGroup<unknown>,
    history: History,
    { index, term }: MembershipEntry,
    beforeIndex: number,
  ): void {
    if (raft.role !== "leader" || raft.term !== term) return;
    const termStart = history.termStarts.find((start) => start.term === term)?.index ?? index;
    const { commit } = raft;
    if (commit >= beforeIndex && commit >= termStart) return;
    const found = { group: id, index, term, commit, beforeIndex, termStart };
    this.#context.report(
      "a leader changes the configuration only when the last change and an entry of its term are committed",
      found,
      [life],
    );
  }

  #hasVoters(life: Life, group: GroupId, index: number, configuration: Configuration): boolean {
    if (configuration.voters.length > 0) return true;
    this.#context.report("a configuration has voters", { group, index, configuration }, [life]);
    return false;
  }
}

function dropFrom(list: { readonly index: number }[], index: number): void {
  while (list.length > 0 && (list[list.length - 1]?.index ?? 0) >= index) list.pop();
}
