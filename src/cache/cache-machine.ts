/**
 * The state machine of one shard: entries in, replies out. Given the same entries in the same order every replica comes
 * to the same state, whatever its clock says: time is what the entries state, and nothing here is random.
 *
 * The public face of this room. Nothing in it knows of Raft, of sockets or of who is asking.
 */
import { assert } from "../base/assert.ts";
import type { LogIndex } from "../base/ids.ts";
import { answerQuery } from "./answer-query.ts";
import { applyCommand } from "./apply-command.ts";
import { type CacheOptions, resolveCacheOptions } from "./cache-options.ts";
import type { Change } from "./change.ts";
import type { Command, EvictItem, ExpiryItem, SessionCommand } from "./command.ts";
import type { ExpiredFirst } from "./expired-first.ts";
import { type Growth, growthOf } from "./growth.ts";
import type { HeatMeter } from "./heat.ts";
import type { Query } from "./query.ts";
import { FAULTS, type Reply } from "./reply.ts";
import { ScanCursors } from "./scan-cursors.ts";
import { ShardState } from "./shard-state.ts";
import { SnapshotSink } from "./snapshot-sink.ts";
import { SnapshotSource } from "./snapshot-source.ts";
import { stateDigest } from "./state-digest.ts";
import { Victims, type Wanted } from "./victims.ts";

export { ExpiredFirst } from "./expired-first.ts";

/** What happened on this replica since it started: counters that only rise. Replicas differ in them. */
export interface CacheStatistics {
  /** Named keys that a query found, and that it did not find. */
  readonly hits: number;
  readonly misses: number;
  readonly expirations: number;
  /** Keys removed because some node was short of memory. */
  readonly evictions: number;
  /** Keys removed because nobody used them. */
  readonly idleExpirations: number;
  readonly commandsApplied: number;
  /** Commands that came again and were answered from their session. */
  readonly commandsReplayed: number;
  /** Commands refused because of their session: unknown, overrun or acknowledged. */
  readonly commandsRefused: number;
  readonly sessionsOpened: number;
}

export class CacheMachine {
  readonly #shard: ShardState;
  readonly #cursors = new ScanCursors();
  readonly #victims: Victims;
  #commandsApplied = 0;
  #commandsReplayed = 0;
  #commandsRefused = 0;
  #sessionsOpened = 0;

  /** `meter`: how use is noted, for a replica that may have to choose what to evict. It decides nothing that is shared. */
  constructor(options: Partial<CacheOptions> = {}, meter: HeatMeter | null = null) {
    this.#shard = new ShardState(resolveCacheOptions(options), meter);
    this.#victims = new Victims(this.#shard);
  }

  /**
   * Applies one committed entry. `stampMs` is the leader's time when it proposed it; machine time rises to it and never
   * goes back. Answers one reply per command, in order. An entry without commands moves the applied index.
   * Invariant: indices ascend.
   */
  apply(index: LogIndex, stampMs: number, commands: readonly SessionCommand[]): Reply[] {
    const shard = this.#shard;
    assert(index > shard.appliedIndex, "entries are applied in order", {
      index,
      applied: shard.appliedIndex,
    });
    shard.appliedIndex = index;
    if (stampMs > shard.machineTimeMs) shard.machineTimeMs = stampMs;
    const replies: Reply[] = [];
    for (const command of commands) replies.push(this.#applyOne(index, command));
    this.#cursors.sweep(shard.keyspace, shard.revision);
    this.#victims.sweep();
    return replies;
  }

  /**
   * Answers a query. `nowMs` is the asking leader's estimate of machine time: a key that has expired by then must first
   * be removed by a committed entry, and the answer says so. With null (local reads) the state is answered as committed
   * entries left it, keys they have outlived counting as absent.
   */
  query(query: Query, nowMs: number | null): Reply | ExpiredFirst {
    return answerQuery(this.#shard, this.#cursors, query, nowMs);
  }

  /** Up to `max` keys to be removed by `nowMs`. They stay until a committed `remove-expired` takes them. */
  dueExpiries(nowMs: number, max: number): ExpiryItem[] {
    return this.#shard.keyspace.expiries.due(nowMs, max);
  }

  /** The earliest expiry, or null. */
  nextExpiryMs(): number | null {
    return this.#shard.keyspace.expiries.nextMs();
  }

  /** Keys to evict so that what is `wanted` comes free, up to `keysMax`. They stay until a committed `evict` takes them. */
  coldest(wanted: Wanted, keysMax: number): EvictItem[] {
    return this.#victims.coldest(wanted, keysMax);
  }

  /**
   * Keys that this replica has seen no use of for `idleMs`, among the next `stepsMax` keys; up to `keysMax`. Asked again
   * and again it comes round to all keys. They stay until a committed `evict` takes them.
   */
  idle(idleMs: number, stepsMax: number, keysMax: number): EvictItem[] {
    const { meter } = this.#shard;
    return meter === null ? [] : this.#victims.idle(meter, idleMs, stepsMax, keysMax);
  }

  /** `key` was used at another replica. */
  noteUse(key: string): void {
    const entry = this.#shard.keyspace.entries.get(key);
    if (entry !== undefined) this.#shard.touch(entry);
  }

  /** By how much `command` would make this shard grow if it were applied now. */
  growthOf(command: Command): Growth {
    return growthOf(this.#shard, command);
  }

  /** Every change after `revision`, or "compacted" when they are not all kept any more. */
  changesSince(revision: number): readonly Change[] | "compacted" {
    return this.#shard.history.since(revision);
  }

  /** Called for every change while it is applied, in order. It must not call back into this machine. */
  get onChange(): ((change: Change) => void) | null {
    return this.#shard.onChange;
  }

  set onChange(listener: ((change: Change) => void) | null) {
    this.#shard.onChange = listener;
  }

  /** Revision of the last change; 0 before the first. */
  get revision(): number {
    return this.#shard.revision;
  }

  get entryCount(): number {
    return this.#shard.keyspace.size;
  }

  get keyBytes(): number {
    return this.#shard.keyspace.keyBytes;
  }

  get valueBytes(): number {
    return this.#shard.keyspace.valueBytes;
  }

  /** Bytes as limits count them: keys, values, and what they cost beside. @see memory-cost.ts */
  get accountedBytes(): number {
    return this.#shard.keyspace.accountedBytes;
  }

  get machineTimeMs(): number {
    return this.#shard.machineTimeMs;
  }

  /** Index of the last entry applied, by itself or within a snapshot. */
  get appliedIndex(): number {
    return this.#shard.appliedIndex;
  }

  get sessionCount(): number {
    return this.#shard.sessions.size;
  }

  /** Snapshots that are being read: each makes changes keep what they replace. */
  get snapshotsOpen(): number {
    return this.#shard.keepers.length;
  }

  get statistics(): CacheStatistics {
    return {
      hits: this.#shard.hits,
      misses: this.#shard.misses,
      expirations: this.#shard.expirations,
      evictions: this.#shard.evictions,
      idleExpirations: this.#shard.idleExpirations,
      commandsApplied: this.#commandsApplied,
      commandsReplayed: this.#commandsReplayed,
      commandsRefused: this.#commandsRefused,
      sessionsOpened: this.#sessionsOpened,
    };
  }

  /** Begins a snapshot of this moment, to be read in slices while entries go on being applied. Several may run at once. */
  beginSnapshot(): SnapshotSource {
    return new SnapshotSource(this.#shard);
  }

  /** Begins to receive a snapshot; its `finish` replaces everything this machine holds, also its change history. */
  beginRestore(): SnapshotSink {
    return new SnapshotSink(this.#shard);
  }

  /** Equal on all replicas that applied the same entries. Costs O(keys). */
  digest(): string {
    return stateDigest(this.#shard);
  }

  #applyOne(index: LogIndex, { session: id, sequence, lowWater, command }: SessionCommand): Reply {
    const shard = this.#shard;
    if (command.type === "open-session" || command.type === "remove-expired" || command.type === "evict") {
      if (command.type === "open-session") this.#sessionsOpened++;
      if (command.type === "evict" && command.reason === "memory")
        this.#victims.keepPace(command.items.length);
      this.#commandsApplied++;
      return applyCommand(shard, command, index);
    }
    const session = shard.sessions.find(id);
    if (session === undefined) return this.#refuse("session-expired");
    if (shard.keepers.length !== 0) shard.touchSession(session);
    session.lastUsedIndex = index;
    session.acknowledge(lowWater);
    if (sequence < session.lowWater) return this.#refuse("already-acknowledged");
    if (sequence - session.lowWater >= shard.options.sessionWindowMax) return this.#refuse("session-overrun");
    const stored = session.replyTo(sequence);
    if (stored !== undefined) {
      this.#commandsReplayed++;
      return stored;
    }
    const reply = applyCommand(shard, command, index);
    session.remember(sequence, reply);
    this.#commandsApplied++;
    return reply;
  }

  #refuse(code: "session-expired" | "already-acknowledged" | "session-overrun"): Reply {
    this.#commandsRefused++;
    return FAULTS[code];
  }
}
