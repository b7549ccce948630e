/**
 * The law of claims: which of two statements about a member holds, what follows from it, and what is passed on.
 * Order of precedence: a higher incarnation; at the same one left > dead > suspect > alive. @see SWIM §4.2
 * Gossip is believed; what a state exchange says against a member is first verified by a probe of our own.
 */
import { sameAddress } from "../base/address.ts";
import { unreachable } from "../base/assert.ts";
import type { NodeId } from "../base/ids.ts";
import type { SwimCounters } from "./counters.ts";
import { EventThrottle } from "./event-throttle.ts";
import type { Gossip } from "./gossip.ts";
import {
  INCARNATION_JUMP_MAX,
  isLiving,
  type Member,
  type MemberMeta,
  type MemberState,
  sameMeta,
} from "./member.ts";
import type { MemberTable } from "./member-table.ts";
import type { AliveClaim, Claim, DeadClaim, LeftClaim, MemberRecord, SuspectClaim } from "./messages.ts";
import type { SwimOptions } from "./options.ts";
import type { Outbox } from "./output.ts";
import type { ProbeRing } from "./probe-ring.ts";
import type { Self } from "./self.ts";
import { suspicionBounds } from "./suspicion-timeout.ts";
import type { Suspicions } from "./suspicions.ts";

export interface MembershipParts {
  readonly options: SwimOptions;
  readonly self: Self;
  readonly table: MemberTable;
  readonly suspicions: Suspicions;
  readonly gossip: Gossip;
  readonly ring: ProbeRing;
  readonly outbox: Outbox;
  readonly counters: SwimCounters;
  /** Probe this member out of turn, telling it `claim` first. */
  readonly probeSoon: (id: NodeId, claim: SuspectClaim | null) => void;
  /** `id` has said itself that it lives, whom we suspected or took for dead. */
  readonly refuted: (id: NodeId) => void;
  /** A living member holds the address that hearsay gives to another: ask the address who is there. */
  readonly contest: (nowMs: number, claim: AliveClaim) => void;
}

const CONFLICT_EVENT_INTERVAL_MS = 10_000;
/** A process that claims the id of another counts as there for so long after it spoke. */
const CHALLENGE_MS = 10_000;
const CHALLENGES_MAX = 64;

export class Membership {
  readonly #parts: MembershipParts;
  readonly #conflicts = new EventThrottle(CONFLICT_EVENT_INTERVAL_MS);
  /** When another process last said in person that it is this member, the oldest first. */
  readonly #challengedAtMs = new Map<NodeId, number>();

  constructor(parts: MembershipParts) {
    this.#parts = parts;
  }

  /** A claim from gossip. `speaker` is the member that sent it; it is a direct claim when it speaks of itself. */
  hear(nowMs: number, claim: Claim, speaker: NodeId): void {
    switch (claim.type) {
      case "alive":
        this.alive(nowMs, claim, claim.meta.id === speaker);
        break;
      case "suspect":
        this.suspect(nowMs, claim);
        break;
      case "dead":
        this.dead(nowMs, claim);
        break;
      case "left":
        this.left(nowMs, claim);
        break;
      default:
        unreachable(claim);
    }
  }

  /** One record of a state exchange with `speaker`. What is news is passed on, by a joiner too: gossip counts on it. */
  merge(nowMs: number, record: MemberRecord, speaker: NodeId): void {
    const { self, table, options } = this.#parts;
    const { meta, state, incarnation } = record;
    const { id } = meta;
    const claim: AliveClaim = { type: "alive", incarnation, meta };
    if (id === self.id) {
      this.#aboutSelf(nowMs, claim, state);
      return;
    }
    switch (state) {
      case "alive":
        this.alive(nowMs, claim, id === speaker);
        break;
      case "left":
        if (table.get(id) !== undefined) this.left(nowMs, { type: "left", member: id, incarnation });
        else if (incarnation > table.buriedAt(nowMs, id) && incarnation <= INCARNATION_JUMP_MAX) {
          table.bury(id, incarnation, nowMs + options.leftRetentionMs);
        }
        break;
      case "suspect":
        this.alive(nowMs, claim, false);
        this.#verify(claim, speaker);
        break;
      case "dead":
        this.#verify(claim, speaker);
        break;
      default:
        unreachable(state);
    }
  }

  /** `direct`: the member itself said so. */
  alive(nowMs: number, claim: AliveClaim, direct: boolean): void {
    const { self, table, counters } = this.#parts;
    const { meta, incarnation } = claim;
    if (meta.id === self.id) {
      this.#aboutSelf(nowMs, claim, "alive");
      return;
    }
    const known = table.get(meta.id);
    if (known === undefined) {
      if (this.#isForeign(meta) || !this.#isCredible(incarnation, 0)) return;
      if (incarnation <= table.buriedAt(nowMs, meta.id)) return;
      const replaced = this.#takeAddress(nowMs, claim, direct);
      if (replaced === "refused") return;
      if (!table.set(memberOf(claim, "alive", nowMs))) {
        counters.claimsRefused++;
        return;
      }
      this.#welcome(claim, false, replaced);
      return;
    }
    if (meta.nonce !== known.meta.nonce && this.#isConflict(known, claim, direct)) {
      this.#conflict(nowMs, known, meta, direct);
      return;
    }
    if (incarnation <= known.incarnation) return;
    if (this.#isForeign(meta) || !this.#isCredible(incarnation, known.incarnation)) return;
    const moved = !isLiving(known) || !sameAddress(known.address, meta.address);
    const replaced = moved ? this.#takeAddress(nowMs, claim, direct) : null;
    if (replaced === "refused") return;
    this.#renew(nowMs, known, claim, replaced);
  }

  suspect(nowMs: number, claim: SuspectClaim): void {
    const { self, table, suspicions, gossip, options, outbox } = this.#parts;
    if (claim.member === self.id) {
      self.refute(claim.incarnation);
      return;
    }
    const known = this.#accused(claim.member, claim.incarnation);
    if (known === null) return;
    if (known.state === "suspect") {
      if (claim.incarnation > known.incarnation) table.set({ ...known, incarnation: claim.incarnation });
      if (suspicions.confirm(claim.member, claim.accuser)) gossip.spread(claim);
      return;
    }
    const member = this.#change(nowMs, known, "suspect", claim.incarnation);
    suspicions.start(nowMs, member.id, claim.accuser, suspicionBounds(options, table.livingCount + 1));
    gossip.spread(claim);
    outbox.event({ type: "member-suspected", member });
    if (this.#isChallenged(nowMs, member.id))
      this.dead(nowMs, this.#replacedClaim(member.id, member.incarnation));
  }

  dead(nowMs: number, claim: DeadClaim): void {
    const { self, gossip, outbox } = this.#parts;
    if (claim.member === self.id) {
      self.refute(claim.incarnation);
      return;
    }
    const known = this.#accused(claim.member, claim.incarnation);
    if (known === null) return;
    const member = this.#change(nowMs, known, "dead", claim.incarnation);
    gossip.spread(claim);
    gossip.mourn(nowMs, member.id);
    outbox.event({ type: "member-died", member, reason: claim.reason });
  }

  left(nowMs: number, claim: LeftClaim): void {
    const { self, table, gossip, outbox } = this.#parts;
    if (claim.member === self.id) {
      self.refute(claim.incarnation);
      return;
    }
    const known = table.get(claim.member);
    if (known === undefined || known.state === "left" || claim.incarnation < known.incarnation) return;
    if (!this.#isCredible(claim.incarnation, known.incarnation)) return;
    const member = this.#change(nowMs, known, "left", claim.incarnation);
    gossip.spread(claim);
    outbox.event({ type: "member-left", member, reason: "graceful" });
  }

  /** A suspicion of ours ran out. */
  suspicionExpired(nowMs: number, id: NodeId): void {
    const { self, table } = this.#parts;
    const known = table.get(id);
    if (known?.state !== "suspect") return;
    const { incarnation } = known;
    this.dead(nowMs, { type: "dead", member: id, incarnation, accuser: self.id, reason: "unreachable" });
  }

  /** Drops a member that turned out to belong to another cluster. */
  renounce(nowMs: number, id: NodeId): void {
    const { table, suspicions, outbox, options } = this.#parts;
    const member = table.get(id);
    if (member === undefined) return;
    suspicions.stop(id);
    table.remove(id);
    table.bury(id, member.incarnation, nowMs + options.leftRetentionMs);
    outbox.event({ type: "member-left", member: { ...member, state: "left" }, reason: "foreign-cluster" });
  }

  /** A claim that names our own id: we, mirrored; an earlier life of this id; or another process that holds it. */
  #aboutSelf(nowMs: number, claim: AliveClaim, state: MemberState): void {
    const { self } = this.#parts;
    const ours = claim.meta.nonce === self.meta.nonce;
    if (ours) {
      if (state !== "alive") self.refute(claim.incarnation);
      else if (claim.incarnation > self.incarnation) self.outlive(claim.incarnation);
      return;
    }
    const other = !sameAddress(claim.meta.address, self.meta.address);
    if (other && (state === "alive" || state === "suspect")) {
      this.#conflictEvent(nowMs, self.meta, claim.meta);
    } else {
      self.outlive(claim.incarnation);
    }
  }

  /** Somebody holds a member for suspect or dead. We see for ourselves, and it hears what is said about it. */
  #verify(claim: AliveClaim, speaker: NodeId): void {
    const { meta, incarnation } = claim;
    const known = this.#parts.table.get(meta.id);
    if (known === undefined || !isLiving(known) || incarnation < known.incarnation) return;
    if (meta.nonce !== known.meta.nonce || !this.#isCredible(incarnation, known.incarnation)) return;
    this.#parts.probeSoon(meta.id, { type: "suspect", member: meta.id, incarnation, accuser: speaker });
  }

  /** The living member an accusation is about; null when it says nothing new or cannot be believed. */
  #accused(id: NodeId, incarnation: number): Member | null {
    const known = this.#parts.table.get(id);
    if (known === undefined || !isLiving(known) || incarnation < known.incarnation) return null;
    return this.#isCredible(incarnation, known.incarnation) ? known : null;
  }

  #isCredible(incarnation: number, knownIncarnation: number): boolean {
    if (incarnation <= knownIncarnation + INCARNATION_JUMP_MAX) return true;
    this.#parts.counters.claimsRefused++;
    return false;
  }

  #isForeign(meta: MemberMeta): boolean {
    const ours = this.#parts.self.meta.clusterId;
    if (ours === null || meta.clusterId === null || ours === meta.clusterId) return false;
    this.#parts.counters.foreignIgnored++;
    return true;
  }

  /**
   * Another nonce under a known id is a restart when the old process is gone, or the new one has its address; else two
   * processes hold the id. Stale hearsay of an earlier life is neither.
   */
  #isConflict(known: Member, claim: AliveClaim, direct: boolean): boolean {
    if (!isLiving(known) || sameAddress(known.address, claim.meta.address)) return false;
    return direct || claim.incarnation >= known.incarnation;
  }

  /**
   * The incumbent is kept, but has to prove at once that it is there. If it cannot, the other one is a later life of it, at
   * another address: there is nobody left whom a suspicion would have to wait for.
   */
  #conflict(nowMs: number, incumbent: Member, other: MemberMeta, direct: boolean): void {
    if (direct) {
      this.#challengedAtMs.delete(incumbent.id);
      this.#challengedAtMs.set(incumbent.id, nowMs);
      const [oldest] = this.#challengedAtMs.keys();
      if (this.#challengedAtMs.size > CHALLENGES_MAX && oldest !== undefined)
        this.#challengedAtMs.delete(oldest);
    }
    if (this.#conflictEvent(nowMs, incumbent.meta, other)) this.#parts.probeSoon(incumbent.id, null);
    if (direct && incumbent.state === "suspect")
      this.dead(nowMs, this.#replacedClaim(incumbent.id, incumbent.incarnation));
  }

  #isChallenged(nowMs: number, id: NodeId): boolean {
    return nowMs - (this.#challengedAtMs.get(id) ?? Number.NEGATIVE_INFINITY) <= CHALLENGE_MS;
  }

  #conflictEvent(nowMs: number, incumbent: MemberMeta, other: MemberMeta): boolean {
    if (!this.#conflicts.allow(nowMs, incumbent.id + other.nonce)) return false;
    this.#parts.outbox.event({
      type: "id-conflict",
      id: incumbent.id,
      addresses: [incumbent.address, other.address],
      nonces: [incumbent.nonce, other.nonce],
    });
    return true;
  }

  /**
   * Makes the address of `claim` free for it. Whoever speaks from an address proves the one we thought there dead;
   * hearsay is checked first. Answers who was declared dead, if anybody.
   */
  #takeAddress(nowMs: number, claim: AliveClaim, direct: boolean): DeadClaim | "refused" | null {
    const { self, table, counters, contest } = this.#parts;
    const { address } = claim.meta;
    if (sameAddress(address, self.meta.address)) {
      counters.addressConflicts++;
      if (!direct && table.get(claim.meta.id) === undefined) this.#succeed(nowMs, claim);
      return "refused";
    }
    const occupant = table.livingAt(address);
    if (occupant === undefined || occupant.id === claim.meta.id) return null;
    if (!direct) {
      counters.addressConflicts++;
      contest(nowMs, claim);
      return "refused";
    }
    const replaced = this.#replacedClaim(occupant.id, occupant.incarnation);
    this.dead(nowMs, replaced);
    return replaced;
  }

  /** `claim` tells of a process that lived where we live now: we are the proof of its death. */
  #succeed(nowMs: number, claim: AliveClaim): void {
    const { table, gossip, outbox } = this.#parts;
    const member = memberOf(claim, "dead", nowMs);
    if (!table.set(member)) return;
    gossip.spread(this.#replacedClaim(member.id, member.incarnation));
    outbox.event({ type: "member-died", member, reason: "replaced" });
  }

  #replacedClaim(member: NodeId, incarnation: number): DeadClaim {
    return { type: "dead", member, incarnation, accuser: this.#parts.self.id, reason: "replaced" };
  }

  /** A newer incarnation of a known member. */
  #renew(nowMs: number, known: Member, claim: AliveClaim, replaced: DeadClaim | null): void {
    const { table, suspicions, outbox, gossip } = this.#parts;
    if (known.state !== "alive") this.#parts.refuted(known.id);
    if (!isLiving(known)) {
      table.set(memberOf(claim, "alive", nowMs));
      this.#welcome(claim, true, replaced);
      return;
    }
    const changedAtMs = known.state === "alive" ? known.stateChangedAtMs : nowMs;
    const member = memberOf(claim, "alive", changedAtMs);
    table.set(member);
    gossip.spread(claim);
    if (replaced !== null) gossip.spread(replaced);
    if (known.state === "suspect") {
      suspicions.stop(member.id);
      outbox.event({ type: "member-refuted", member });
    }
    if (!sameMeta(known.meta, member.meta)) {
      outbox.event({ type: "member-updated", member, previous: known.meta });
    }
  }

  #welcome(claim: AliveClaim, returned: boolean, replaced: DeadClaim | null): void {
    const { ring, gossip, outbox, table } = this.#parts;
    const member = table.get(claim.meta.id);
    if (member === undefined) return;
    ring.add(member.id);
    gossip.spread(claim);
    // Said again so that it goes out before the claim of the one who took its place.
    if (replaced !== null) gossip.spread(replaced);
    outbox.event({ type: "member-joined", member, returned });
  }

  #change(nowMs: number, known: Member, state: MemberState, incarnation: number): Member {
    const member: Member = { ...known, state, incarnation, stateChangedAtMs: nowMs };
    this.#parts.suspicions.stop(known.id);
    this.#parts.table.set(member);
    return member;
  }
}

function memberOf(claim: AliveClaim, state: MemberState, changedAtMs: number): Member {
  const { meta, incarnation } = claim;
  return { id: meta.id, meta, address: meta.address, state, incarnation, stateChangedAtMs: changedAtMs };
}
