/**
 * With whom to exchange the full state, and when: the seeds until somebody is known, random members from time to time,
 * and for ever, at a low rate, the dead and the missing seeds. It is why a healed network becomes one group again.
 */
import { type Address, formatAddress } from "../base/address.ts";
import type { NodeId } from "../base/ids.ts";
import type { Random } from "../base/random.ts";
import { isLiving } from "./member.ts";
import type { MemberTable } from "./member-table.ts";
import type { SwimOptions } from "./options.ts";
import type { Self } from "./self.ts";

interface Seed {
  readonly address: Address;
  /** Who answered there last. */
  peer: NodeId | null;
  isSelf: boolean;
}

/** Exchanges under way at a time. */
const EXCHANGES_MAX = 16;
/** Seeds dialled in one attempt to join. */
const SEEDS_AT_ONCE_MAX = 8;
/** Members above which full exchanges become rarer. */
const PUSH_PULL_SCALE_FROM = 32;
/** Every interval varies by this part, either way. */
const JITTER = 0.2;

/** `interval * (1 + ceil(log2(n / 32)))` above 32 members. */
export function pushPullIntervalMs(intervalMs: number, livingMembers: number): number {
  if (livingMembers <= PUSH_PULL_SCALE_FROM) return intervalMs;
  return intervalMs * (1 + Math.ceil(Math.log2(livingMembers / PUSH_PULL_SCALE_FROM)));
}

export class Dialler {
  readonly #options: SwimOptions;
  readonly #self: Self;
  readonly #table: MemberTable;
  readonly #random: Random;
  readonly #seeds = new Map<string, Seed>();
  /** Addresses dialled, and when we stop waiting; oldest first. */
  readonly #underWay = new Map<string, number>();
  /** New seeds were given and not yet dialled. */
  #eager = false;
  #joinAtMs: number;
  #redialAtMs: number;
  #pushPullAtMs: number;
  #strangerAtMs: number;

  constructor(options: SwimOptions, self: Self, table: MemberTable, random: Random, nowMs: number) {
    this.#options = options;
    this.#self = self;
    this.#table = table;
    this.#random = random;
    this.#joinAtMs = nowMs;
    this.#strangerAtMs = nowMs;
    this.#redialAtMs = nowMs + this.#jittered(options.redialIntervalMs);
    this.#pushPullAtMs = nowMs + random.nextFloat() * options.pushPullIntervalMs;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  /** Replaces the seeds, keeping what is known of those that stay, and dials them soon. */
  setSeeds(nowMs: number, addresses: readonly Address[]): void {
    const before = new Map(this.#seeds);
    this.#seeds.clear();
    for (const address of addresses.slice(0, this.#options.seedsMax)) {
      const key = formatAddress(address);
      this.#seeds.set(key, before.get(key) ?? { address, peer: null, isSelf: false });
    }
    this.#joinAtMs = nowMs;
    this.#eager = true;
  }

  nextDeadlineMs(): number {
    if (this.#self.leaving) return Number.POSITIVE_INFINITY;
    const joinAtMs = this.#isJoining ? this.#joinAtMs : Number.POSITIVE_INFINITY;
    return Math.min(joinAtMs, this.#redialAtMs, this.#pushPullAtMs);
  }

  /** The addresses to dial now. */
  due(nowMs: number): Address[] {
    const chosen: Address[] = [];
    if (this.#self.leaving) return chosen;
    if (this.#isJoining && this.#joinAtMs <= nowMs) {
      this.#joinAtMs = nowMs + this.#jittered(this.#options.joinRetryMs);
      this.#eager = false;
      chosen.push(...this.#random.shuffle(this.#missingSeeds()).slice(0, SEEDS_AT_ONCE_MAX));
    }
    if (this.#redialAtMs <= nowMs) {
      this.#redialAtMs = nowMs + this.#jittered(this.#options.redialIntervalMs);
      const seeds = this.#missingSeeds();
      const seed = seeds.length === 0 ? undefined : seeds[this.#random.nextBelow(seeds.length)];
      if (seed !== undefined) chosen.push(seed);
      const dead = this.#table.sampleDead(this.#random);
      if (dead !== undefined) chosen.push(dead.address);
    }
    if (this.#pushPullAtMs <= nowMs) {
      const members = this.#table.livingCount + 1;
      this.#pushPullAtMs =
        nowMs + this.#jittered(pushPullIntervalMs(this.#options.pushPullIntervalMs, members));
      const [member] = this.#table.sampleLiving(this.#random, 1);
      if (member !== undefined) chosen.push(member.address);
    }
    return chosen.filter((address) => this.#begin(nowMs, address));
  }

  /** Somebody at `address` knows us, but we do not know it. Whether to dial it: at most once per retry interval. */
  meetStranger(nowMs: number, address: Address): boolean {
    if (this.#self.leaving || this.#strangerAtMs > nowMs || !this.#begin(nowMs, address)) return false;
    this.#strangerAtMs = nowMs + this.#options.joinRetryMs;
    return true;
  }

  /** An exchange ended; `peer` answered it, or nobody did. */
  finished(address: Address, peer: NodeId | null): void {
    const key = formatAddress(address);
    this.#underWay.delete(key);
    const seed = this.#seeds.get(key);
    if (seed === undefined || peer === null) return;
    seed.peer = peer;
    seed.isSelf = peer === this.#self.id;
  }

  get #isJoining(): boolean {
    return this.#seeds.size > 0 && (this.#eager || this.#table.livingCount === 0);
  }

  #begin(nowMs: number, address: Address): boolean {
    for (const [key, untilMs] of this.#underWay) {
      if (untilMs > nowMs) break;
      this.#underWay.delete(key);
    }
    const key = formatAddress(address);
    if (this.#underWay.has(key) || this.#underWay.size >= EXCHANGES_MAX) return false;
    this.#underWay.set(key, nowMs + this.#options.exchangeTimeoutMs);
    return true;
  }

  /** Seeds at which no living member is known. */
  #missingSeeds(): Address[] {
    const missing: Address[] = [];
    for (const seed of this.#seeds.values()) {
      const peer = seed.peer === null ? undefined : this.#table.get(seed.peer);
      const present = seed.isSelf || (peer !== undefined && isLiving(peer));
      if (!present && this.#table.livingAt(seed.address) === undefined) missing.push(seed.address);
    }
    return missing;
  }

  #jittered(intervalMs: number): number {
    return intervalMs * (1 - JITTER + 2 * JITTER * this.#random.nextFloat());
  }
}
