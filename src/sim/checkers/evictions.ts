/**
 * Keys that leaders chose to remove. Three things are watched:
 *   - without limits nothing is ever removed by choice;
 *   - a removal takes only keys that its entry names, and only in the version that it names;
 *   - a key goes as idle only when its last change is older than the idle time-to-live. (Reads are not seen here.)
 * Whoever judges the histories of clients is told of every removal: a key may vanish by one, and only by one.
 * @see docs/decisions/0012-eviction.md
 */
import type { Change } from "../../cache/change.ts";
import type { EvictCommand } from "../../cache/command.ts";
import type { RaftGroup } from "../../host/raft-group.ts";
import { ShardMachine } from "../../node/shard-machine.ts";
import type { Entry } from "../../raft/entry.ts";
import type { Ready } from "../../raft/ready.ts";
import { decodeBatch } from "../../wire/command-codec.ts";
import type { Life } from "../life.ts";
import type { Checker, CheckerContext } from "./checker.ts";
import { IndexTail } from "./index-tail.ts";
import { PerGroup, PerReplica } from "./per-replica.ts";

/** A key that a committed entry removed because a leader chose it. */
export interface Eviction {
  readonly key: string;
  /** What it removed. */
  readonly version: number;
  /** Of the removal; null when nobody can say whether the key was still there in this version. */
  readonly revision: number | null;
  readonly reason: EvictCommand["reason"];
  readonly proposedAtMs: number;
  /** When the first replica applied it. */
  readonly appliedAtMs: number;
}

export interface EvictionsOptions {
  /** Whether anything may be removed by choice. Default false. */
  readonly expected?: boolean;
  /** The idle time-to-live of all nodes; 0: none. Default 0. */
  readonly idleTtlMs?: number;
  /** How much faster than real time a node's monotonic clock may run, as a fraction. Default 0. */
  readonly clockDriftMax?: number;
  readonly onEviction?: (eviction: Eviction) => void;
}

/** What is known of one group, over all its replicas. */
interface GroupHistory {
  appliedIndex: number;
  /** When each entry was first persisted by anybody: by index, then term. */
  readonly proposals: IndexTail<Map<number, number>>;
  /** By key: the version, and when somebody first had it. */
  readonly written: Map<string, { readonly version: number; readonly atMs: number }>;
}

export class Evictions implements Checker {
  readonly name = "evictions";
  readonly #context: CheckerContext;
  readonly #expected: boolean;
  readonly #idleTtlMs: number;
  readonly #rateMax: number;
  readonly #onEviction: (eviction: Eviction) => void;
  readonly #groups = new PerGroup<GroupHistory>(() => ({
    appliedIndex: 0,
    proposals: new IndexTail(),
    written: new Map(),
  }));
  /** The revision of each replica before the entry that it applies next. */
  readonly #revisions = new PerReplica<number>();

  constructor(context: CheckerContext, options: EvictionsOptions = {}) {
    this.#context = context;
    this.#expected = options.expected ?? false;
    this.#idleTtlMs = options.idleTtlMs ?? 0;
    this.#rateMax = 1 + (options.clockDriftMax ?? 0);
    this.#onEviction = options.onEviction ?? (() => {});
  }

  opened(life: Life, group: RaftGroup<unknown>): void {
    this.#noteRevision(life, group);
  }

  installed(life: Life, group: RaftGroup<unknown>): void {
    this.#noteRevision(life, group);
  }

  ready(life: Life, group: RaftGroup<unknown>, { persist }: Ready): void {
    if (persist === null || !(group.machine instanceof ShardMachine)) return;
    const { proposals } = this.#groups.of(life, group.id);
    for (const { index, term } of persist.entries) {
      const terms = proposals.get(index) ?? new Map<number, number>();
      if (terms.has(term)) continue;
      terms.set(term, this.#context.nowMs());
      proposals.set(index, terms);
    }
  }

  applied(life: Life, group: RaftGroup<unknown>, entry: Entry): void {
    const { machine } = group;
    if (!(machine instanceof ShardMachine)) return;
    const before = this.#revisions.get(life, group.id) ?? 0;
    this.#noteRevision(life, group);
    const history = this.#groups.of(life, group.id);
    if (entry.index <= history.appliedIndex) return;
    history.appliedIndex = entry.index;
    if (entry.kind !== "data" || machine.cache.revision === before) return;
    const changes = machine.cache.changesSince(before);
    const commands = decodeBatch(entry.data).commands.map(({ command }) => command);
    const evictions = commands.filter((command): command is EvictCommand => command.type === "evict");
    if (changes === "compacted") this.#cannotJudge(history, entry, evictions);
    else this.#judge(life, history, entry, evictions, changes);
  }

  ended(life: Life): void {
    this.#revisions.dropLife(life);
  }

  /** One entry made more changes than a shard keeps: what it named may have been removed or not. */
  #cannotJudge(history: GroupHistory, { index, term }: Entry, evictions: readonly EvictCommand[]): void {
    history.written.clear();
    const proposedAtMs = history.proposals.get(index)?.get(term) ?? 0;
    const appliedAtMs = this.#context.nowMs();
    for (const { items, reason } of evictions)
      for (const { key, version } of items)
        this.#onEviction({ key, version, revision: null, reason, proposedAtMs, appliedAtMs });
  }

  #judge(
    life: Life,
    history: GroupHistory,
    entry: Entry,
    evictions: readonly EvictCommand[],
    changes: readonly Change[],
  ): void {
    for (const { type, key, revision } of changes) {
      if (type === "evict") this.#evicted(life, history, entry, evictions, key, revision);
      if (type === "put") history.written.set(key, { version: revision, atMs: this.#context.nowMs() });
      else if (type === "clear") history.written.clear();
      else history.written.delete(key);
    }
  }

  #evicted(
    life: Life,
    history: GroupHistory,
    { index, term }: Entry,
    commands: readonly EvictCommand[],
    key: string,
    revision: number,
  ): void {
    const written = history.written.get(key);
    const found = { index, key, revision, written };
    if (!this.#expected) this.#context.report("without limits no key is chosen for removal", found, [life]);
    const command = commands.find(({ items }) =>
      items.some((item) => item.key === key && (written === undefined || item.version === written.version)),
    );
    const version = command?.items.find((item) => item.key === key)?.version;
    if (command === undefined || version === undefined) {
      this.#context.report("a removal takes what its entry names, in that version", found, [life]);
      return;
    }
    const appliedAtMs = this.#context.nowMs();
    const proposedAtMs = history.proposals.get(index)?.get(term) ?? 0;
    const { reason } = command;
    if (reason === "idle" && written !== undefined) {
      const unusedMs = (proposedAtMs - written.atMs) * this.#rateMax;
      if (this.#idleTtlMs === 0 || unusedMs < this.#idleTtlMs)
        this.#context.report("a key goes as idle only after the idle time", { ...found, unusedMs }, [life]);
    }
    this.#onEviction({ key, version, revision, reason, proposedAtMs, appliedAtMs });
  }

  #noteRevision(life: Life, { id, machine }: RaftGroup<unknown>): void {
    if (machine instanceof ShardMachine) this.#revisions.set(life, id, machine.cache.revision);
  }
}
