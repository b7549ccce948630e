/**
 * A disk for simulated worlds: one file that only grows, of framed and checksummed records. A write takes a drawn time to
 * reach the platter, many are under way at once, they get there in order, and a crash leaves the first so many of them
 * whole and perhaps a torn piece of the next. It outlives the process that writes to it; each life opens it anew.
 *
 * Nothing here knows what the records mean, and every fault acts on real bytes: who reads must find it by the checksum.
 */
import { assert } from "../base/assert.ts";
import { CremaError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { Clock, Timer } from "../host/ports.ts";
import { type FoundRecord, frameRecord, readRecord } from "./disk-record.ts";

/** How a disk behaves; may be changed at any time with {@link VirtualDisk.setConditions}. */
export interface DiskConditions {
  /** Mean time until a write is synced, in milliseconds; drawn from 0 .. twice that. Default 1. */
  readonly syncMeanMs: number;
  /** Share of writes that take `slowFactor` times as long, 0 .. 1. Default 0.01. */
  readonly slowRate: number;
  /** Default 20. */
  readonly slowFactor: number;
}

export const DEFAULT_DISK_CONDITIONS: DiskConditions = Object.freeze({
  syncMeanMs: 1,
  slowRate: 0.01,
  slowFactor: 20,
});

/**
 * What a crash may do to writes that are not synced yet. A process that dies leaves them to its kernel, which still brings
 * them to the platter; a machine that loses its power may lose them, and may have written one of them by half.
 */
export interface CrashDamage {
  readonly loses: boolean;
  readonly tears: boolean;
}

const POWER_LOST: CrashDamage = Object.freeze({ loses: true, tears: true });

/** null: the write is synced, and all before it. */
export type DiskDone = (error: Error | null) => void;

/** One record on the file. */
interface DiskRecord {
  bytes: Uint8Array;
}

/** A write under way. `failed`: the disk did not take it. */
interface OpenWrite {
  readonly dueAtMs: number;
  readonly failed: boolean;
  readonly done: DiskDone;
}

/** One disk. `clock` must be the world's: the disk outlives every process. */
export class VirtualDisk {
  readonly #clock: Clock;
  readonly #random: Random;
  #conditions: DiskConditions;
  /** Everything on the file, in order: first what is synced, then what is under way. */
  #records: DiskRecord[] = [];
  /** How many of them are synced. */
  #synced = 0;
  /** Oldest first: they end in this order. */
  #open: OpenWrite[] = [];
  #timer: Timer | null = null;
  #stalledUntilMs = 0;
  /** Nothing fits any more: who writes must wait, or fail. */
  full = false;
  /** Writes fail, whatever they are. */
  broken = false;
  /** Asked when a write has reached the platter and before anybody hears of it; true: the power is gone just now. */
  onSynced: (() => boolean) | null = null;
  readonly counters = {
    writes: 0,
    syncs: 0,
    bytes: 0,
    failed: 0,
    kept: 0,
    lost: 0,
    torn: 0,
    flipped: 0,
    rewrites: 0,
  };

  constructor(clock: Clock, random: Random, conditions: Partial<DiskConditions> = {}) {
    this.#clock = clock;
    this.#random = random;
    this.#conditions = { ...DEFAULT_DISK_CONDITIONS, ...conditions };
  }

  get conditions(): DiskConditions {
    return this.#conditions;
  }

  setConditions(change: Partial<DiskConditions>): void {
    this.#conditions = { ...this.#conditions, ...change };
  }

  /** Records on the file, synced or not. */
  get recordCount(): number {
    return this.#records.length;
  }

  get unsyncedCount(): number {
    return this.#records.length - this.#synced;
  }

  /** Bytes of the whole file. */
  get size(): number {
    return this.#records.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** As fast as ever, sound, and with space again. */
  recover(): void {
    this.full = false;
    this.broken = false;
    this.#stalledUntilMs = 0;
    this.#conditions = DEFAULT_DISK_CONDITIONS;
  }

  /** Nothing is synced for so long, counted from now. */
  stallFor(durationMs: number): void {
    this.#stalledUntilMs = Math.max(this.#stalledUntilMs, this.#clock.nowMs() + durationMs);
  }

  /** Adds a record of `payload`, which is copied. `done` is called later, in the order of the appends, unless the disk crashes. */
  append(payload: Uint8Array, done: DiskDone): void {
    this.counters.writes++;
    // One that follows a failed one must fail too, even if the disk is well again: it would leave a hole behind it.
    const failed = this.full || this.broken || this.#open.some((write) => write.failed);
    if (failed) {
      this.counters.failed++;
    } else {
      const bytes = frameRecord(payload);
      this.counters.bytes += bytes.length;
      this.#records.push({ bytes });
    }
    this.#open.push({ dueAtMs: this.#clock.nowMs() + this.#drawSyncMs(), failed, done });
    this.#arm();
  }

  /**
   * The process, or the machine, is gone. Of the records that are not synced the first so many survive; the next one is lost
   * or torn at a random byte, and everything behind it is lost: a log of one file has no holes.
   */
  crash({ loses, tears }: CrashDamage = POWER_LOST): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#open = [];
    const unsynced = this.unsyncedCount;
    const kept = unsynced === 0 || !loses ? unsynced : this.#random.nextBelow(unsynced + 1);
    const next = this.#records[this.#synced + kept];
    this.#records.length = this.#synced + kept;
    this.counters.kept += kept;
    this.counters.lost += unsynced - kept;
    if (next === undefined || !tears || this.#random.nextBelow(2) === 0) return;
    this.#tear(next.bytes, this.#random.nextBelow(next.bytes.length));
  }

  /**
   * All records, in order, for a process that starts; one that is not intact is cut off if it can be a torn write: the last
   * on the file, and never synced. Any other was damaged after it had been confirmed.
   */
  read(): readonly FoundRecord[] {
    assert(this.#open.length === 0, "a disk is read before anything is written to it");
    const found = this.#records.map(({ bytes }) => readRecord(bytes));
    if (found.at(-1)?.intact === false && found.length > this.#synced) {
      found.pop();
      this.#records.pop();
    }
    // Who has read them counts on them, and so will have had them synced.
    this.#synced = this.#records.length;
    return found;
  }

  /** The payloads that are synced, for who wants to rewrite them; null when one of them is damaged. */
  synced(): readonly Uint8Array[] | null {
    const payloads: Uint8Array[] = [];
    for (const { bytes } of this.#records.slice(0, this.#synced)) {
      const { payload, intact } = readRecord(bytes);
      if (!intact) return null;
      payloads.push(payload);
    }
    return payloads;
  }

  /** Puts `payloads`, which say the same, in the place of all that is synced: as a new file that is renamed over the old one. */
  rewrite(payloads: readonly Uint8Array[]): void {
    const records = payloads.map((payload): DiskRecord => ({ bytes: frameRecord(payload) }));
    this.#records = [...records, ...this.#records.slice(this.#synced)];
    this.#synced = records.length;
    this.counters.rewrites++;
  }

  /** Damages one random bit of what is stored; false when nothing is. */
  flipBit(): boolean {
    return this.flipBitAt(this.size === 0 ? 0 : this.#random.nextBelow(this.size));
  }

  /** Damages a bit of the byte at `offset`; false when there is none. */
  flipBitAt(offset: number): boolean {
    let target = offset;
    for (const record of this.#records) {
      if (target >= record.bytes.length) {
        target -= record.bytes.length;
        continue;
      }
      const bytes = new Uint8Array(record.bytes);
      bytes[target] = (bytes[target] as number) ^ (1 << this.#random.nextBelow(8));
      record.bytes = bytes;
      this.counters.flipped++;
      return true;
    }
    return false;
  }

  /** A disk as it would be found had only the first `bytes` of this file ever been written, and none of it synced. */
  cutAt(bytes: number): VirtualDisk {
    const copy = new VirtualDisk(this.#clock, this.#random.fork(), this.#conditions);
    let left = bytes;
    for (const record of this.#records) {
      if (left >= record.bytes.length) copy.#records.push({ bytes: record.bytes });
      else copy.#tear(record.bytes, left);
      left -= record.bytes.length;
      if (left <= 0) break;
    }
    return copy;
  }

  /** The same bytes once more, whole and synced: what an image of this disk holds. */
  clone(): VirtualDisk {
    const copy = new VirtualDisk(this.#clock, this.#random.fork(), this.#conditions);
    copy.#records = this.#records.slice(0, this.#synced).map(({ bytes }) => ({ bytes }));
    copy.#synced = this.#synced;
    return copy;
  }

  /** Leaves only the first `length` bytes of a record behind the last whole one. */
  #tear(bytes: Uint8Array, length: number): void {
    if (length === 0) return;
    this.counters.torn++;
    this.#records.push({ bytes: bytes.slice(0, length) });
  }

  /** One timer, for the oldest write: so none overtakes another, whatever was drawn. */
  #arm(): void {
    const [first] = this.#open;
    if (first === undefined || this.#timer !== null) return;
    const nowMs = this.#clock.nowMs();
    const delayMs = Math.max(first.dueAtMs, this.#stalledUntilMs) - nowMs;
    this.#timer = this.#clock.setTimer(Math.max(0, delayMs), () => {
      this.#timer = null;
      if (this.#stalledUntilMs <= this.#clock.nowMs()) this.#endFirst();
      this.#arm();
    });
  }

  #endFirst(): void {
    const first = this.#open.shift();
    if (first === undefined) return;
    if (first.failed) {
      first.done(new CremaError("CREMA_INTERNAL", "the virtual disk takes no more"));
      return;
    }
    this.#synced++;
    this.counters.syncs++;
    if (this.onSynced?.() === true) return;
    first.done(null);
  }

  #drawSyncMs(): number {
    const { syncMeanMs, slowRate, slowFactor } = this.#conditions;
    const usualMs = this.#random.nextFloat() * 2 * syncMeanMs;
    return this.#random.nextFloat() < slowRate ? usualMs * slowFactor : usualMs;
  }
}
