/**
 * A key with a time-to-live of five seconds lives five seconds, whatever happens to leaders and clocks. Real time is what
 * the world counts; a node's clock may err by `clockDriftMax`. Two things are watched where a leader proposes them:
 *   - the removal of an expired key: at least its time-to-live has passed since its expiry was proposed;
 *   - the stamp of an entry: since any earlier entry that this leader has applied, machine time went no faster than real time.
 * Living longer than asked is allowed (a group without a leader stands still in machine time).
 * @see docs/decisions/0007; src/host/machine-clock.ts
 */
import type { Command } from "../../cache/command.ts";
import type { RaftGroup } from "../../host/raft-group.ts";
import { ShardMachine } from "../../node/shard-machine.ts";
import type { DataEntry, Entry } from "../../raft/entry.ts";
import type { Ready } from "../../raft/ready.ts";
import { type Batch, decodeBatch } from "../../wire/command-codec.ts";
import type { Life } from "../life.ts";
import type { Checker, CheckerContext } from "./checker.ts";
import { IndexTail } from "./index-tail.ts";
import { PerGroup } from "./per-replica.ts";

export interface ExpiryNeverEarlyOptions {
  /** How much faster than real time a node's monotonic clock may run, as a fraction. Default 0. */
  readonly clockDriftMax?: number;
}

/** Stamps are whole milliseconds, rounded down. */
const ROUNDING_MS = 1;
/** Expiries of one group that are remembered, at least; the oldest are forgotten first. */
const EXPIRIES_KEPT_MIN = 10_000;

export class ExpiryNeverEarly implements Checker {
  readonly name = "expiry-never-early";
  readonly #context: CheckerContext;
  /** What a node's clock may count in one real millisecond. */
  readonly #rateMax: number;
  readonly #times = new PerGroup(() => new GroupTime());

  constructor(context: CheckerContext, options: ExpiryNeverEarlyOptions = {}) {
    this.#context = context;
    this.#rateMax = 1 + (options.clockDriftMax ?? 0);
  }

  /** Whoever proposes an entry is the first to persist it: followers get it in messages that leave afterwards. */
  ready(life: Life, group: RaftGroup<unknown>, { persist }: Ready): void {
    if (persist === null || persist.entries.length === 0 || !(group.machine instanceof ShardMachine)) return;
    const time = this.#times.of(life, group.id);
    for (const entry of persist.entries) {
      if (entry.kind !== "data" || time.isKnown(entry)) continue;
      const proposal = time.propose(entry, this.#context.nowMs());
      this.#checkStamp(life, group, entry, time, proposal);
      for (const { command } of proposal.batch.commands) {
        if (command.type === "remove-expired") this.#checkRemoval(life, group, entry, time, command.items);
      }
    }
  }

  applied(life: Life, group: RaftGroup<unknown>, entry: Entry): void {
    if (!(group.machine instanceof ShardMachine)) return;
    this.#times.of(life, group.id).applied(entry, this.#rateMax);
  }

  #checkStamp(
    life: Life,
    group: RaftGroup<unknown>,
    entry: DataEntry,
    time: GroupTime,
    proposal: Proposal,
  ): void {
    const least = time.leastHeadStart(group.raft.applied);
    const headStart = proposal.batch.stampMs - proposal.atMs * this.#rateMax;
    if (least === undefined || headStart <= least + ROUNDING_MS) return;
    const fasterByMs = headStart - least;
    const found = { group: group.id, index: entry.index, stampMs: proposal.batch.stampMs, fasterByMs };
    this.#context.report("machine time goes no faster than real time", found, [life]);
  }

  #checkRemoval(
    life: Life,
    group: RaftGroup<unknown>,
    entry: DataEntry,
    time: GroupTime,
    items: readonly { readonly key: string; readonly expiresAtMs: number }[],
  ): void {
    const nowMs = this.#context.nowMs();
    for (const { key, expiresAtMs } of items) {
      const found = { group: group.id, index: entry.index, key, expiresAtMs };
      const expiry = time.expiryOf(key, expiresAtMs);
      if (expiry === undefined) {
        if (expiresAtMs <= time.forgottenToMs) continue;
        this.#context.report("only an expiry that was set is removed", found, [life]);
        continue;
      }
      const { proposedAtMs, ttlMs } = expiry;
      const livedMs = nowMs - proposedAtMs;
      if (livedMs * this.#rateMax >= ttlMs - ROUNDING_MS) continue;
      this.#context.report("a key never expires early", { ...found, ttlMs, livedMs }, [life]);
    }
  }
}

interface Proposal {
  readonly term: number;
  readonly atMs: number;
  readonly batch: Batch;
  /** Another proposal for the same index. */
  readonly other: Proposal | null;
}

interface Expiry {
  readonly proposedAtMs: number;
  readonly ttlMs: number;
}

/** Machine time and expiries of one group, from its entries alone. */
class GroupTime {
  /** What was proposed and is not known to be applied. */
  readonly #proposals = new IndexTail<Proposal>();
  /**
   * By applied index: the least, over all entries up to it, of stamp minus real time when it was proposed. It can only fall:
   * machine time stands still while nobody leads. An entry may not be further ahead of real time than any before it.
   */
  readonly #headStarts = new IndexTail<number>();
  readonly #expiries = new Map<string, Map<number, Expiry>>();
  /** The same, in the order in which they were set. */
  #expiryOrder: { readonly key: string; readonly expiresAtMs: number }[] = [];
  #appliedIndex = 0;
  #machineTimeMs = 0;
  /** Expiries up to this machine time may have been forgotten: an unknown one need not be wrong. */
  forgottenToMs = 0;

  isKnown({ index, term }: DataEntry): boolean {
    return this.#proposalOf(index, term) !== null;
  }

  propose({ index, term, data }: DataEntry, atMs: number): Proposal {
    const other = this.#proposals.get(index) ?? null;
    const proposal: Proposal = { term, atMs, batch: decodeBatch(data), other };
    this.#proposals.set(index, proposal);
    return proposal;
  }

  /** undefined when nothing up to `index` is known. */
  leastHeadStart(index: number): number | undefined {
    return this.#headStarts.get(Math.min(index, this.#appliedIndex));
  }

  expiryOf(key: string, expiresAtMs: number): Expiry | undefined {
    return this.#expiries.get(key)?.get(expiresAtMs);
  }

  /** Applied somewhere; only the first time counts. */
  applied({ index, term }: Entry, rateMax: number): void {
    if (index <= this.#appliedIndex) return;
    const before = this.#headStarts.get(this.#appliedIndex);
    this.#appliedIndex = index;
    const proposal = this.#proposalOf(index, term);
    if (proposal === null) {
      if (before !== undefined) this.#headStarts.set(index, before);
      return;
    }
    const { atMs, batch } = proposal;
    const headStart = batch.stampMs - atMs * rateMax;
    this.#headStarts.set(index, before === undefined ? headStart : Math.min(before, headStart));
    this.#machineTimeMs = Math.max(this.#machineTimeMs, batch.stampMs);
    for (const { command } of batch.commands) this.#apply(command, atMs);
    // Its commands are not needed any more.
    this.#proposals.set(index, { ...proposal, batch: NO_BATCH });
  }

  /** Whether a condition held is not asked: an expiry too many is never removed and does no harm. */
  #apply(command: Command, atMs: number): void {
    switch (command.type) {
      case "set":
      case "expire":
      case "get-expire":
        if (command.ttlMs > 0)
          this.#add(command.key, this.#machineTimeMs + command.ttlMs, atMs, command.ttlMs);
        return;
      case "rename":
        for (const [expiresAtMs, { proposedAtMs, ttlMs }] of this.#expiries.get(command.from) ?? []) {
          if (expiresAtMs > this.#machineTimeMs) this.#add(command.to, expiresAtMs, proposedAtMs, ttlMs);
        }
        return;
      default:
        return;
    }
  }

  #add(key: string, expiresAtMs: number, proposedAtMs: number, ttlMs: number): void {
    let expiries = this.#expiries.get(key);
    if (expiries === undefined) {
      expiries = new Map();
      this.#expiries.set(key, expiries);
    }
    const before = expiries.get(expiresAtMs);
    // Two settings may come to the same moment: the one that is over first is enough.
    if (before !== undefined && before.proposedAtMs + before.ttlMs <= proposedAtMs + ttlMs) return;
    expiries.set(expiresAtMs, { proposedAtMs, ttlMs });
    if (before !== undefined) return;
    this.#expiryOrder.push({ key, expiresAtMs });
    if (this.#expiryOrder.length >= EXPIRIES_KEPT_MIN * 2) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const kept = this.#expiryOrder.slice(-EXPIRIES_KEPT_MIN);
    this.#expiryOrder.length -= kept.length;
    for (const { key, expiresAtMs } of this.#expiryOrder) {
      this.forgottenToMs = Math.max(this.forgottenToMs, expiresAtMs);
      const expiries = this.#expiries.get(key);
      expiries?.delete(expiresAtMs);
      if (expiries?.size === 0) this.#expiries.delete(key);
    }
    this.#expiryOrder = kept;
  }

  #proposalOf(index: number, term: number): Proposal | null {
    let proposal = this.#proposals.get(index) ?? null;
    while (proposal !== null && proposal.term !== term) proposal = proposal.other;
    return proposal;
  }
}

const NO_BATCH: Batch = { stampMs: 0, commands: [] };
