/**
 * The short dialogues of datagrams: pings answered, pings made for others, acks and nacks brought to whoever waits.
 */
import type { Address } from "../base/address.ts";
import type { NodeId } from "../base/ids.ts";
import { AddressContests } from "./address-contests.ts";
import type { SwimCounters } from "./counters.ts";
import type { MemberTable } from "./member-table.ts";
import type { Ack, AliveClaim, Ping, PingRequest, SwimMessage } from "./messages.ts";
import type { SwimOptions } from "./options.ts";
import type { Prober } from "./prober.ts";
import { Relays } from "./relays.ts";
import type { Self } from "./self.ts";
import type { Sequences } from "./sequences.ts";

export interface ResponderParts {
  readonly options: SwimOptions;
  readonly self: Self;
  readonly table: MemberTable;
  readonly prober: Prober;
  readonly sequences: Sequences;
  readonly counters: SwimCounters;
  readonly send: (to: Address, messages: SwimMessage[]) => void;
  /** The member whose address was contested answered for itself. */
  readonly proved: (nowMs: number, claim: AliveClaim) => void;
}

export class Responder {
  readonly #parts: ResponderParts;
  readonly #relays: Relays;
  readonly #contests: AddressContests;

  constructor(parts: ResponderParts) {
    this.#parts = parts;
    this.#relays = new Relays(parts.options);
    this.#contests = new AddressContests(parts.options.protocolPeriodMs);
  }

  nextDeadlineMs(): number {
    return this.#relays.nextDeadlineMs();
  }

  /** Sends the nacks that are due. */
  advance(nowMs: number): void {
    for (const { to, sequence } of this.#relays.advance(nowMs)) {
      this.#parts.send(to, [{ type: "nack", sequence }]);
    }
  }

  /** An ack; or, to a ping meant for whoever was here before, who is here now. */
  ping(nowMs: number, ping: Ping, sender: NodeId, from: Address): void {
    const { self, send } = this.#parts;
    if (ping.target !== self.id) {
      if (!self.leaving) send(from, [self.claim]);
      return;
    }
    const messages: SwimMessage[] = [{ type: "ack", sequence: ping.sequence, member: self.id }];
    const verdict = this.#verdictOn(nowMs, sender);
    if (verdict !== null) messages.unshift(verdict);
    send(from, messages);
  }

  pingRequest(nowMs: number, request: PingRequest, from: Address): void {
    const { sequences, counters, send } = this.#parts;
    const sequence = sequences.next();
    if (!this.#relays.begin(nowMs, sequence, request, from)) {
      counters.relaysRefused++;
      return;
    }
    send(request.address, [{ type: "ping", sequence, target: request.target }]);
  }

  ack(nowMs: number, ack: Ack, sender: NodeId): void {
    const { prober, send, proved } = this.#parts;
    if (prober.acked(ack.sequence, ack.member)) return;
    const forward = this.#relays.acked(ack.sequence, ack.member);
    if (forward !== null) {
      send(forward.to, [{ type: "ack", sequence: forward.sequence, member: ack.member }]);
      return;
    }
    const claim = this.#contests.answered(nowMs, ack.sequence, sender);
    if (claim !== null) proved(nowMs, claim);
  }

  /** Asks the address of `claim` whether its member lives there; `proved` hears of it if it does. */
  contest(nowMs: number, claim: AliveClaim): void {
    const sequence = this.#parts.sequences.next();
    if (!this.#contests.open(nowMs, sequence, claim)) return;
    this.#parts.send(claim.meta.address, [{ type: "ping", sequence, target: claim.meta.id }]);
  }

  /** What we hold against somebody who evidently lives, so that it can refute it. */
  #verdictOn(nowMs: number, id: NodeId): SwimMessage | null {
    const member = this.#parts.table.get(id);
    if (member === undefined) {
      const buriedAt = this.#parts.table.buriedAt(nowMs, id);
      return buriedAt < 0 ? null : { type: "left", member: id, incarnation: buriedAt };
    }
    const { state, incarnation } = member;
    const accuser = this.#parts.self.id;
    if (state === "suspect") return { type: "suspect", member: id, incarnation, accuser };
    if (state === "dead") return { type: "dead", member: id, incarnation, accuser, reason: "unreachable" };
    return state === "left" ? { type: "left", member: id, incarnation } : null;
  }
}
