/**
 * This member as it tells of itself. Nobody else may raise its incarnation, and whatever is said against it
 * is refuted by a higher one.
 */
import type { NodeId } from "../base/ids.ts";
import type { SwimCounters } from "./counters.ts";
import type { Gossip } from "./gossip.ts";
import type { LocalHealth } from "./local-health.ts";
import {
  checkMemberMeta,
  INCARNATION_JUMP_MAX,
  INCARNATION_MAX,
  type Member,
  type MemberMeta,
} from "./member.ts";
import type { AliveClaim, MemberRecord } from "./messages.ts";

export class Self {
  readonly id: NodeId;
  readonly #gossip: Gossip;
  readonly #health: LocalHealth;
  readonly #counters: SwimCounters;
  #meta: MemberMeta;
  #incarnation = 0;
  #leaving = false;
  #changedAtMs: number;

  /** Throws `RangeError` when `meta` cannot be gossiped. */
  constructor(meta: MemberMeta, gossip: Gossip, health: LocalHealth, counters: SwimCounters, nowMs: number) {
    checkMemberMeta(meta);
    this.id = meta.id;
    this.#meta = meta;
    this.#gossip = gossip;
    this.#health = health;
    this.#counters = counters;
    this.#changedAtMs = nowMs;
    this.#announce();
  }

  get meta(): MemberMeta {
    return this.#meta;
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  get leaving(): boolean {
    return this.#leaving;
  }

  get member(): Member {
    return {
      id: this.id,
      meta: this.#meta,
      address: this.#meta.address,
      state: this.#leaving ? "left" : "alive",
      incarnation: this.#incarnation,
      stateChangedAtMs: this.#changedAtMs,
    };
  }

  get record(): MemberRecord {
    return { meta: this.#meta, state: this.#leaving ? "left" : "alive", incarnation: this.#incarnation };
  }

  get claim(): AliveClaim {
    return { type: "alive", incarnation: this.#incarnation, meta: this.#meta };
  }

  /** Takes `meta` over and spreads it. Throws `RangeError` when it cannot be gossiped. */
  update(meta: MemberMeta): void {
    checkMemberMeta(meta);
    this.#meta = meta;
    this.#raiseAbove(this.#incarnation);
  }

  /**
   * Somebody says at `incarnation` that we are suspect, dead or gone. When they could not have known better we rise
   * above it, and doubt our own health; else they missed what we said, and we repeat it.
   * @see SWIM §4.2 @see Lifeguard §IV-A
   */
  refute(incarnation: number): void {
    if (this.#leaving) return;
    if (incarnation < this.#incarnation) {
      if (!this.#gossip.isSpreading(this.id)) this.#announce();
      return;
    }
    if (!this.outlive(incarnation)) return;
    this.#counters.refutations++;
    this.#health.apply(1);
  }

  /** Rises above what an earlier life of this id said. False when `incarnation` is not to be believed. */
  outlive(incarnation: number): boolean {
    if (this.#leaving || incarnation < this.#incarnation) return false;
    if (incarnation > this.#incarnation + INCARNATION_JUMP_MAX || incarnation >= INCARNATION_MAX) {
      this.#counters.claimsRefused++;
      return false;
    }
    this.#raiseAbove(incarnation);
    return true;
  }

  /** Says farewell. Nothing is refuted any more. */
  leave(nowMs: number): void {
    this.#leaving = true;
    this.#changedAtMs = nowMs;
    this.#gossip.spread({ type: "left", member: this.id, incarnation: this.#incarnation });
  }

  #raiseAbove(incarnation: number): void {
    this.#incarnation = incarnation + 1;
    this.#announce();
  }

  #announce(): void {
    this.#gossip.spread(this.claim);
  }
}
