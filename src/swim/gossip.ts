/**
 * Spreading: two queues (news about members goes before broadcasts, which keep a quarter of each packet), piggybacked on every
 * packet, and sent on their own to a few random members each gossip interval while there is anything to say.
 */
import type { NodeId } from "../base/ids.ts";
import type { Random } from "../base/random.ts";
import { BroadcastQueue, retransmitLimit } from "./broadcast-queue.ts";
import type { Member } from "./member.ts";
import type { MemberTable } from "./member-table.ts";
import { messageBytes } from "./message-size.ts";
import type { Claim, Rumour, SwimMessage } from "./messages.ts";
import type { SwimOptions } from "./options.ts";

/** Members that died lately and are still gossiped to: at most so many are remembered. */
const RECENTLY_DEAD_MAX = 256;
/**
 * Of a packet's free bytes, what broadcasts may take though more is to be said about members: with a thousand that have just
 * joined that lasts for minutes, most of it repetition.
 */
const RUMOURS_SHARE = 1 / 4;

export class Gossip {
  readonly #options: SwimOptions;
  readonly #table: MemberTable;
  readonly #random: Random;
  readonly #claims: BroadcastQueue;
  readonly #rumours: BroadcastQueue;
  /** Oldest death first. */
  #recentlyDead: { readonly id: NodeId; readonly untilMs: number }[] = [];
  #nextAtMs: number;

  constructor(options: SwimOptions, table: MemberTable, random: Random, nowMs: number) {
    this.#options = options;
    this.#table = table;
    this.#random = random;
    // One claim for each member, this one included.
    this.#claims = new BroadcastQueue(options.membersMax + 1);
    this.#rumours = new BroadcastQueue(options.rumourKeysMax);
    this.#nextAtMs = nowMs;
  }

  /** Broadcasts that are still to be sent at least once more. */
  get pending(): number {
    return this.#claims.size + this.#rumours.size;
  }

  /** Whether something about `id` is still to be said. */
  isSpreading(id: NodeId): boolean {
    return this.#claims.has(id);
  }

  /** Replaces whatever was being said about the same member. */
  spread(claim: Claim): void {
    this.#claims.enqueue(claim.type === "alive" ? claim.meta.id : claim.member, claim, messageBytes(claim));
  }

  spreadRumour(rumour: Rumour): void {
    this.#rumours.enqueue(rumour.key, rumour, messageBytes(rumour));
  }

  /** `id` died: go on gossiping to it for a while, for it may only be thought dead. */
  mourn(nowMs: number, id: NodeId): void {
    if (this.#recentlyDead.length >= RECENTLY_DEAD_MAX) this.#recentlyDead.shift();
    this.#recentlyDead.push({ id, untilMs: nowMs + this.#options.gossipToDeadMs });
  }

  /** Piggybacks on `messages` what fits into `bytesFree`. */
  fill(messages: SwimMessage[], bytesFree: number): void {
    if (this.pending === 0) return;
    const limit = retransmitLimit(this.#options.retransmitMult, this.#table.livingCount + 1);
    const kept = Math.min(Math.floor(bytesFree * RUMOURS_SHARE), this.#rumours.bytes);
    const left = this.#claims.fill(messages, bytesFree - kept, limit);
    this.#rumours.fill(messages, kept + left, limit);
  }

  /** When the next round is due; never while there is nothing to say, or nobody to say it to. */
  nextDeadlineMs(): number {
    const idle = this.pending === 0 || (this.#table.livingCount === 0 && this.#recentlyDead.length === 0);
    return idle ? Number.POSITIVE_INFINITY : this.#nextAtMs;
  }

  /** Those to tell in the round that is due now; empty when none is. */
  round(nowMs: number): Member[] {
    if (nowMs < this.nextDeadlineMs()) return [];
    this.#nextAtMs = nowMs + this.#options.gossipIntervalMs;
    const targets = this.#table.sampleLiving(this.#random, this.#options.gossipNodes);
    const mourned = this.#recentlyDeadMember(nowMs);
    if (mourned !== undefined) targets.push(mourned);
    return targets;
  }

  #recentlyDeadMember(nowMs: number): Member | undefined {
    const expired = this.#recentlyDead.findIndex((entry) => entry.untilMs > nowMs);
    if (expired !== 0) this.#recentlyDead = expired < 0 ? [] : this.#recentlyDead.slice(expired);
    if (this.#recentlyDead.length === 0) return undefined;
    const entry = this.#recentlyDead[this.#random.nextBelow(this.#recentlyDead.length)];
    const member = entry === undefined ? undefined : this.#table.get(entry.id);
    return member?.state === "dead" ? member : undefined;
  }
}
