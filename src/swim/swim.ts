/**
 * One member of the gossip, as a pure state machine in virtual time: it is told what time it is and what arrived, and
 * hands out what to send and what happened. It suggests who is alive; it never decides who may vote.
 * Each mechanism lives in a file of its own; this one connects them. Call `advance` no later than `nextDeadlineMs`,
 * and `takeOutput` after every call.
 */
import { type Address, formatAddress } from "../base/address.ts";
import { assert, unreachable } from "../base/assert.ts";
import type { ClusterId, NodeId } from "../base/ids.ts";
import type { Random } from "../base/random.ts";
import { newSwimCounters, type SwimCounters } from "./counters.ts";
import { Dialler } from "./dialler.ts";
import { EventThrottle } from "./event-throttle.ts";
import { Gossip } from "./gossip.ts";
import { LocalHealth } from "./local-health.ts";
import type { Member, MemberMeta } from "./member.ts";
import { MemberTable } from "./member-table.ts";
import { Membership } from "./membership.ts";
import { messageBytes, PACKET_BODY_BYTES_MAX } from "./message-size.ts";
import type { MemberRecord, Rumour, StateExchange, SwimMessage, SwimPacket } from "./messages.ts";
import type { SwimOptions } from "./options.ts";
import { Outbox, type SwimOutput } from "./output.ts";
import { ProbeRing } from "./probe-ring.ts";
import { Prober } from "./prober.ts";
import { Responder } from "./responder.ts";
import { Rumours, rumourOf } from "./rumours.ts";
import { Self } from "./self.ts";
import { Sequences } from "./sequences.ts";
import { Suspicions } from "./suspicions.ts";
import { viewChecksum } from "./view-checksum.ts";

export interface SwimStart {
  /** What this member says of itself: id, nonce, address and the rest. */
  readonly meta: MemberMeta;
  /** From `resolveSwimOptions`. */
  readonly options: SwimOptions;
  readonly random: Random;
  /** Monotonic milliseconds of the caller's clock, as in every call. */
  readonly nowMs: number;
}

const FOREIGN_EVENT_INTERVAL_MS = 5_000;

export class Swim {
  readonly #options: SwimOptions;
  readonly #outbox = new Outbox();
  readonly #counters = newSwimCounters();
  readonly #health: LocalHealth;
  readonly #table: MemberTable;
  readonly #gossip: Gossip;
  readonly #self: Self;
  readonly #suspicions = new Suspicions();
  readonly #membership: Membership;
  readonly #prober: Prober;
  readonly #responder: Responder;
  readonly #rumours: Rumours;
  readonly #dialler: Dialler;
  readonly #foreign = new EventThrottle(FOREIGN_EVENT_INTERVAL_MS);
  #nowMs: number;
  #leaveCompleted = false;

  /** Throws `RangeError` when `start.meta` cannot be gossiped (see `memberMetaProblem`). */
  constructor(start: SwimStart) {
    const { options, random, nowMs } = start;
    this.#options = options;
    this.#nowMs = nowMs;
    this.#health = new LocalHealth(options.lhmMax);
    this.#table = new MemberTable(options.membersMax);
    this.#gossip = new Gossip(options, this.#table, random, nowMs);
    this.#self = new Self(start.meta, this.#gossip, this.#health, this.#counters, nowMs);
    this.#rumours = new Rumours(options.rumourKeysMax);
    this.#dialler = new Dialler(options, this.#self, this.#table, random, nowMs);
    const parts = {
      options,
      random,
      self: this.#self,
      table: this.#table,
      suspicions: this.#suspicions,
      gossip: this.#gossip,
      ring: new ProbeRing(random),
      health: this.#health,
      sequences: new Sequences(random),
      outbox: this.#outbox,
      counters: this.#counters,
    };
    this.#membership = new Membership({
      ...parts,
      probeSoon: (id, claim) => this.#prober.soon(this.#nowMs, id, claim),
      refuted: (id) => this.#prober.refuted(id),
      contest: (at, claim) => this.#responder.contest(at, claim),
    });
    this.#prober = new Prober(
      {
        ...parts,
        send: (to, messages) => this.#send(to, messages),
        failed: (at, id) => this.#probeFailed(at, id),
      },
      nowMs,
    );
    this.#responder = new Responder({
      ...parts,
      prober: this.#prober,
      send: (to, messages) => this.#send(to, messages),
      proved: (at, claim) => this.#membership.alive(at, claim, true),
    });
  }

  /** This member. */
  get self(): Member {
    return this.#self.member;
  }

  /** `host:port` of this member. */
  whoami(): string {
    return formatAddress(this.#self.meta.address);
  }

  /** Everybody known, this member first; the dead and those that left included. */
  members(): readonly Member[] {
    return [this.#self.member, ...this.#table.all()];
  }

  member(id: NodeId): Member | undefined {
    return id === this.#self.id ? this.#self.member : this.#table.get(id);
  }

  /** Living members, this one included. */
  get livingCount(): number {
    return this.#table.livingCount + 1;
  }

  /** Lifeguard's local health score: 0 = healthy. */
  get localHealth(): number {
    return this.#health.score;
  }

  get counters(): Readonly<SwimCounters> {
    return this.#counters;
  }

  /** Equal on members that agree on who lives, at which incarnation. */
  checksum(): string {
    return viewChecksum(this.members());
  }

  /** When `advance` must be called at the latest. May lie in the past: then it is due now. */
  nextDeadlineMs(): number {
    return Math.min(
      this.#prober.nextDeadlineMs(),
      this.#suspicions.nextDeadlineMs(),
      this.#responder.nextDeadlineMs(),
      this.#gossip.nextDeadlineMs(),
      this.#dialler.nextDeadlineMs(),
    );
  }

  /** Does everything that is due. `nowMs` never goes back, here and in every other call. */
  advance(nowMs: number): void {
    this.#enter(nowMs);
    this.#prober.advance(nowMs);
    for (const id of this.#suspicions.expire(nowMs)) this.#membership.suspicionExpired(nowMs, id);
    this.#responder.advance(nowMs);
    this.#table.reapLeft(nowMs - this.#options.leftRetentionMs, nowMs + this.#options.leftRetentionMs);
    for (const member of this.#gossip.round(nowMs)) this.#send(member.address, []);
    for (const address of this.#dialler.due(nowMs)) this.#dial(address);
    this.#checkLeave();
  }

  /** A datagram arrived. */
  receive(nowMs: number, from: Address, packet: SwimPacket): void {
    this.#enter(nowMs);
    if (this.#isForeign(from, packet)) return;
    this.#counters.packetsReceived++;
    // News first: what is asked in the same packet is answered knowing it (a suspect's ack carries its refutation).
    for (const message of packet.messages) this.#hear(message, packet.sender);
    for (const message of packet.messages) this.#serve(message, packet.sender, from);
    this.#greet(packet.sender, from);
  }

  /** Somebody dialled us with its state; the answer is ours. */
  receiveState(nowMs: number, from: Address, state: StateExchange): StateExchange {
    this.#enter(nowMs);
    if (this.#isForeign(from, state)) return { ...this.#header(), members: [], rumours: [] };
    if (!this.#isMirror(state)) this.#merge(state);
    return this.#state();
  }

  /** `to`, which we dialled, answered with `state`. */
  mergeState(nowMs: number, to: Address, state: StateExchange): void {
    this.#enter(nowMs);
    const { sender: peer, clusterId } = state;
    const mirrored = this.#isMirror(state);
    this.#dialler.finished(to, mirrored || peer !== this.#self.id ? peer : null);
    if (mirrored) {
      this.#outbox.event({ type: "self-met", address: to });
      return;
    }
    if (this.#isForeign(to, state)) return;
    this.#merge(state);
    this.#outbox.event({ type: "exchange-completed", address: to, peer, clusterId });
  }

  /** `to`, which we dialled, could not be reached or did not answer. It is tried again by itself. */
  exchangeFailed(nowMs: number, to: Address): void {
    this.#enter(nowMs);
    this.#counters.exchangesFailed++;
    this.#dialler.finished(to, null);
  }

  /** Whether the target of a stream ping answered for itself. */
  streamPingResult(nowMs: number, sequence: number, acknowledged: boolean): void {
    this.#enter(nowMs);
    this.#prober.streamPingResult(sequence, acknowledged);
  }

  /**
   * Exchanges state with `addresses`, soon, and again for ever while nobody is known there. A later call replaces
   * the seeds: the caller resolves names anew.
   */
  join(nowMs: number, addresses: readonly Address[]): void {
    this.#enter(nowMs);
    assert(!this.#self.leaving, "a member that leaves does not join");
    this.#dialler.setSeeds(nowMs, addresses);
  }

  /** Says farewell to all. Keep running until `leave-completed`. */
  leave(nowMs: number): void {
    this.#enter(nowMs);
    if (this.#self.leaving) return;
    this.#self.leave(nowMs);
    this.#checkLeave();
  }

  /** Spreads new metadata under a new incarnation. The id and the nonce stay. Throws `RangeError` when it is invalid. */
  updateMeta(nowMs: number, meta: MemberMeta): void {
    this.#enter(nowMs);
    const { id, nonce, clusterId } = this.#self.meta;
    if (meta.id !== id || meta.nonce !== nonce) throw new RangeError("a member keeps its id and its nonce");
    this.#self.update(meta);
    if (meta.clusterId !== clusterId) this.#dropForeigners(nowMs);
  }

  /** What was broadcast of `key` last, here or elsewhere, as far as this member has heard. */
  rumour(key: string): Rumour | undefined {
    return this.#rumours.get(key);
  }

  /**
   * Tells everybody `payload`. For one `key` a higher `version` replaces a lower one on every member; without one it is
   * one above the highest seen. False when it is not news, or when there are too many keys.
   */
  broadcast(nowMs: number, key: string, payload: Uint8Array, version?: number): boolean {
    this.#enter(nowMs);
    const rumour = rumourOf(this.#self.id, key, version ?? this.#rumours.versionOf(key) + 1, payload);
    const news = this.#rumours.accept(rumour);
    if (news) this.#gossip.spreadRumour(rumour);
    return news;
  }

  /** Something made `id` doubtful (its link broke): probe it out of turn. Declares nothing. */
  probeNow(nowMs: number, id: NodeId): void {
    this.#enter(nowMs);
    this.#prober.soon(nowMs, id, null);
  }

  /** Forgets a dead member for good: it is dialled no more, and old gossip does not bring it back. */
  forget(nowMs: number, id: NodeId): boolean {
    this.#enter(nowMs);
    const member = this.#table.get(id);
    if (member === undefined || member.state === "alive" || member.state === "suspect") return false;
    this.#table.remove(id);
    this.#table.bury(id, member.incarnation, nowMs + this.#options.leftRetentionMs);
    return true;
  }

  /** What is to be sent and told since the last call. */
  takeOutput(): SwimOutput {
    return this.#outbox.take();
  }

  /** Keeps the time, and notices when this process was not running: then nobody else is to blame. */
  #enter(nowMs: number): void {
    assert(nowMs >= this.#nowMs, "time does not go back", { nowMs, lastMs: this.#nowMs });
    const lateMs = nowMs - Math.max(this.nextDeadlineMs(), this.#nowMs);
    this.#nowMs = nowMs;
    if (lateMs <= this.#options.pingTimeoutMs) return;
    this.#counters.pauses++;
    this.#health.apply(1);
    this.#suspicions.postpone(lateMs);
    this.#prober.abandon();
  }

  #hear(message: SwimMessage, sender: NodeId): void {
    switch (message.type) {
      case "alive":
      case "suspect":
      case "dead":
      case "left":
        this.#membership.hear(this.#nowMs, message, sender);
        break;
      case "rumour":
        this.#hearRumour(message);
        break;
      case "ping":
      case "ping-request":
      case "ack":
      case "nack":
        break;
      default:
        unreachable(message);
    }
  }

  #serve(message: SwimMessage, sender: NodeId, from: Address): void {
    switch (message.type) {
      case "ping":
        this.#responder.ping(this.#nowMs, message, sender, from);
        break;
      case "ping-request":
        this.#responder.pingRequest(this.#nowMs, message, from);
        break;
      case "ack":
        this.#responder.ack(this.#nowMs, message, sender);
        break;
      case "nack":
        this.#prober.nacked(message.sequence);
        break;
      case "alive":
      case "suspect":
      case "dead":
      case "left":
      case "rumour":
        break;
      default:
        unreachable(message);
    }
  }

  /** A sender we do not know has a past that we miss: ask for its state. */
  #greet(sender: NodeId, from: Address): void {
    if (sender === this.#self.id || this.#table.get(sender) !== undefined) return;
    if (this.#table.buriedAt(this.#nowMs, sender) >= 0) return;
    if (this.#dialler.meetStranger(this.#nowMs, from)) this.#dial(from);
  }

  #probeFailed(nowMs: number, id: NodeId): void {
    const member = this.#table.get(id);
    if (member === undefined) return;
    const { incarnation } = member;
    this.#membership.suspect(nowMs, { type: "suspect", member: id, incarnation, accuser: this.#self.id });
  }

  #hearRumour(rumour: Rumour): void {
    if (!this.#rumours.accept(rumour)) {
      if (this.#rumours.versionOf(rumour.key) < 0) this.#counters.rumoursRefused++;
      return;
    }
    this.#gossip.spreadRumour(rumour);
    const { key, version, payload, origin } = rumour;
    this.#outbox.event({ type: "broadcast-received", key, version, payload, from: origin });
  }

  #merge(state: StateExchange): void {
    for (const record of state.members) this.#membership.merge(this.#nowMs, record, state.sender);
    for (const rumour of state.rumours) this.#hearRumour(rumour);
  }

  /** Whether `state` is our own, seen through the network. */
  #isMirror(state: StateExchange): boolean {
    if (state.sender !== this.#self.id) return false;
    const own = state.members.find((record) => record.meta.id === this.#self.id);
    return own?.meta.nonce === this.#self.meta.nonce;
  }

  /** Two clusters never merge: what another one says is not heard. Whoever has none yet may speak to anybody. */
  #isForeign(
    from: Address,
    said: { readonly sender: NodeId; readonly clusterId: ClusterId | null },
  ): boolean {
    const ours = this.#self.meta.clusterId;
    const { clusterId: theirs, sender } = said;
    if (ours === null || theirs === null || ours === theirs) return false;
    this.#counters.foreignIgnored++;
    if (this.#table.get(sender)?.meta.clusterId === null) this.#membership.renounce(this.#nowMs, sender);
    if (this.#foreign.allow(this.#nowMs, theirs)) {
      this.#outbox.event({ type: "foreign-cluster", from, clusterId: theirs });
    }
    return true;
  }

  #dropForeigners(nowMs: number): void {
    const ours = this.#self.meta.clusterId;
    if (ours === null) return;
    for (const { id, meta } of [...this.#table.all()]) {
      if (meta.clusterId !== null && meta.clusterId !== ours) this.#membership.renounce(nowMs, id);
    }
  }

  #checkLeave(): void {
    if (!this.#self.leaving || this.#leaveCompleted) return;
    if (this.#gossip.isSpreading(this.#self.id) && this.#table.livingCount > 0) return;
    this.#leaveCompleted = true;
    this.#outbox.event({ type: "leave-completed" });
  }

  #dial(address: Address): void {
    this.#outbox.exchange(address, this.#state());
  }

  #send(to: Address, messages: SwimMessage[]): void {
    let bytesFree = PACKET_BODY_BYTES_MAX;
    for (const message of messages) bytesFree -= messageBytes(message);
    this.#gossip.fill(messages, bytesFree);
    if (messages.length === 0) return;
    this.#counters.packetsSent++;
    this.#outbox.datagram(to, { ...this.#header(), messages });
  }

  #state(): StateExchange {
    const members: MemberRecord[] = [this.#self.record];
    for (const { meta, state, incarnation } of this.#table.all()) members.push({ meta, state, incarnation });
    const rumours = this.#rumours.latest(this.#options.exchangeRumourBytesMax);
    return { ...this.#header(), members, rumours };
  }

  #header(): { readonly sender: NodeId; readonly clusterId: ClusterId | null } {
    return { sender: this.#self.id, clusterId: this.#self.meta.clusterId };
  }
}
