/**
 * A command is applied once, however often it is sent: told by a second set of books. From the committed entries alone it
 * is worked out, once per group, how many commands of each entry are to be applied, answered from memory or refused, and
 * every machine must have done just that, also after a snapshot or a restart.
 * @see docs/decisions/0005; Raft dissertation §6.3
 */
import { CacheMachine, type CacheStatistics } from "../../cache/cache-machine.ts";
import { DEFAULT_CACHE_OPTIONS } from "../../cache/cache-options.ts";
import type { SessionCommand } from "../../cache/command.ts";
import type { RaftGroup } from "../../host/raft-group.ts";
import { ShardMachine } from "../../node/shard-machine.ts";
import type { DataEntry, Entry } from "../../raft/entry.ts";
import { decodeBatch } from "../../wire/command-codec.ts";
import type { Life } from "../life.ts";
import type { Checker, CheckerContext } from "./checker.ts";
import { IndexTail } from "./index-tail.ts";
import { PerGroup, PerReplica } from "./per-replica.ts";

/** What an entry does, in commands. */
interface Outcome {
  readonly applied: number;
  readonly replayed: number;
  readonly refused: number;
}

interface Session {
  lowWater: number;
  /** Sequences applied, from the low water up. */
  readonly applied: Set<number>;
}

/** What one machine has counted so far. */
interface Counted {
  readonly books: Books;
  cache: CacheMachine;
  statistics: CacheStatistics;
}

export class SessionsAppliedOnce implements Checker {
  readonly name = "sessions-applied-once";
  readonly #context: CheckerContext;
  readonly #books = new PerGroup(() => new Books());
  readonly #counted = new PerReplica<Counted>();

  constructor(context: CheckerContext) {
    this.#context = context;
  }

  opened(life: Life, group: RaftGroup<unknown>): void {
    this.#begin(life, group);
  }

  /** The machine is another one now; it counts from zero. */
  installed(life: Life, group: RaftGroup<unknown>): void {
    this.#begin(life, group);
  }

  applied(life: Life, group: RaftGroup<unknown>, entry: Entry): void {
    if (entry.kind !== "data" || !(group.machine instanceof ShardMachine)) return;
    const counted = this.#counted.get(life, group.id);
    if (counted === undefined) return;
    const { cache } = group.machine;
    const before = counted.cache === cache ? counted.statistics : NOTHING_COUNTED;
    const now = cache.statistics;
    counted.cache = cache;
    counted.statistics = now;
    const expected = counted.books.outcomeOf(entry);
    if (expected === undefined) return;
    const applied = now.commandsApplied - before.commandsApplied;
    const replayed = now.commandsReplayed - before.commandsReplayed;
    const refused = now.commandsRefused - before.commandsRefused;
    if (applied === expected.applied && replayed === expected.replayed && refused === expected.refused)
      return;
    const found = { group: group.id, index: entry.index, expected, counted: { applied, replayed, refused } };
    this.#context.report("a command is applied once in its session", found, [life]);
  }

  removed(life: Life, group: RaftGroup<unknown>): void {
    this.#counted.delete(life, group.id);
  }

  failed(life: Life, group: RaftGroup<unknown>): void {
    this.#counted.delete(life, group.id);
  }

  ended(life: Life): void {
    this.#counted.dropLife(life);
  }

  #begin(life: Life, group: RaftGroup<unknown>): void {
    if (!(group.machine instanceof ShardMachine)) return;
    const books = this.#books.of(life, group.id);
    const { cache } = group.machine;
    this.#counted.set(life, group.id, { books, cache, statistics: cache.statistics });
  }
}

const NOTHING_COUNTED: CacheStatistics = new CacheMachine().statistics;

/** The sessions of one group, as its entries make them. Every entry is looked at once: by whoever applies it first. */
class Books {
  readonly #sessions = new Map<number, Session>();
  readonly #outcomes = new IndexTail<Outcome>();
  #lastIndex = 0;
  #lastId = 0;

  /** undefined when the entry is older than what is remembered. */
  outcomeOf(entry: DataEntry): Outcome | undefined {
    if (entry.index > this.#lastIndex) {
      this.#lastIndex = entry.index;
      this.#outcomes.set(entry.index, this.#enter(entry));
    }
    return this.#outcomes.get(entry.index);
  }

  #enter(entry: DataEntry): Outcome {
    const outcome = { applied: 0, replayed: 0, refused: 0 };
    for (const command of decodeBatch(entry.data).commands) outcome[this.#judge(entry.index, command)]++;
    return outcome;
  }

  #judge(index: number, { session: id, sequence, lowWater, command }: SessionCommand): keyof Outcome {
    if (command.type === "remove-expired" || command.type === "evict") return "applied";
    if (command.type === "open-session") {
      this.#lastId = Math.max(index, this.#lastId + 1);
      this.#sessions.set(this.#lastId, { lowWater: 1, applied: new Set() });
      return "applied";
    }
    const session = this.#sessions.get(id);
    if (session === undefined) return "refused";
    if (lowWater > session.lowWater) {
      session.lowWater = lowWater;
      for (const old of session.applied) if (old < lowWater) session.applied.delete(old);
    }
    if (sequence < session.lowWater) return "refused";
    if (sequence >= session.lowWater + DEFAULT_CACHE_OPTIONS.sessionWindowMax) return "refused";
    if (session.applied.has(sequence)) return "replayed";
    session.applied.add(sequence);
    return "applied";
  }
}
