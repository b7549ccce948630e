/**
 * Failure detection: one member each protocol period, plus those that something made doubtful, out of turn.
 * A probe is a ping; after the ping timeout, pings through others and over a stream; a verdict at the period's end.
 */
import type { Address } from "../base/address.ts";
import type { NodeId } from "../base/ids.ts";
import type { Random } from "../base/random.ts";
import type { SwimCounters } from "./counters.ts";
import type { LocalHealth } from "./local-health.ts";
import { isLiving, type Member } from "./member.ts";
import type { MemberTable } from "./member-table.ts";
import type { SuspectClaim, SwimMessage } from "./messages.ts";
import type { SwimOptions } from "./options.ts";
import type { Outbox } from "./output.ts";
import type { ProbeRing } from "./probe-ring.ts";
import type { Self } from "./self.ts";
import type { Sequences } from "./sequences.ts";

interface Probe {
  readonly sequence: number;
  readonly target: NodeId;
  readonly urgent: boolean;
  readonly indirectAtMs: number;
  readonly deadlineMs: number;
  indirect: boolean;
  nacksExpected: number;
  nacksReceived: number;
}

export interface ProberParts {
  readonly options: SwimOptions;
  readonly self: Self;
  readonly table: MemberTable;
  readonly ring: ProbeRing;
  readonly health: LocalHealth;
  readonly sequences: Sequences;
  readonly random: Random;
  readonly outbox: Outbox;
  readonly counters: SwimCounters;
  readonly send: (to: Address, messages: SwimMessage[]) => void;
  /** Nobody could reach `id`. */
  readonly failed: (nowMs: number, id: NodeId) => void;
}

export class Prober {
  readonly #parts: ProberParts;
  /** By sequence, oldest first. */
  readonly #running = new Map<number, Probe>();
  readonly #targets = new Set<NodeId>();
  readonly #urgent = new Map<NodeId, SuspectClaim | null>();
  #urgentRunning = 0;
  /** When the last one became urgent. */
  #urgentAtMs = 0;
  #periodAtMs: number;

  constructor(parts: ProberParts, nowMs: number) {
    this.#parts = parts;
    // Members that start together do not probe together.
    this.#periodAtMs = nowMs + parts.random.nextFloat() * parts.options.protocolPeriodMs;
  }

  nextDeadlineMs(): number {
    if (this.#parts.self.leaving) return Number.POSITIVE_INFINITY;
    let nextMs = this.#parts.table.livingCount === 0 ? Number.POSITIVE_INFINITY : this.#periodAtMs;
    const urgentFree = this.#urgentRunning < this.#parts.options.urgentProbesMax;
    if (this.#urgent.size > 0 && urgentFree) nextMs = Math.min(nextMs, this.#urgentAtMs);
    for (const probe of this.#running.values()) {
      nextMs = Math.min(nextMs, probe.indirect ? probe.deadlineMs : probe.indirectAtMs);
    }
    return nextMs;
  }

  advance(nowMs: number): void {
    if (this.#parts.self.leaving) return;
    for (const probe of this.#running.values()) {
      if (!probe.indirect && probe.indirectAtMs <= nowMs) this.#askOthers(probe);
      if (probe.deadlineMs <= nowMs) this.#fail(nowMs, probe);
    }
    if (this.#periodAtMs <= nowMs) this.#startPeriod(nowMs);
    this.#startUrgent(nowMs);
  }

  /** Probes `id` as soon as possible. `claim`, when given, is what it is told first. */
  soon(nowMs: number, id: NodeId, claim: SuspectClaim | null): void {
    if (this.#targets.has(id)) return;
    if (claim !== null || !this.#urgent.has(id)) this.#urgent.set(id, claim);
    this.#urgentAtMs = nowMs;
    this.#startUrgent(nowMs);
  }

  /** `member` answered. True when the ack belonged to a probe. */
  acked(sequence: number, member: NodeId): boolean {
    const probe = this.#running.get(sequence);
    if (probe === undefined || probe.target !== member) return false;
    this.#end(probe);
    this.#parts.health.apply(-1);
    return true;
  }

  /**
   * `id` has refuted: it lived after it was suspected. A probe of it that is under way may have spent its questions before that
   * (with poor local health it takes seconds), so it proves nothing any more; the next one does.
   */
  refuted(id: NodeId): void {
    if (!this.#targets.has(id)) return;
    for (const probe of this.#running.values()) if (probe.target === id) this.#end(probe);
  }

  nacked(sequence: number): void {
    const probe = this.#running.get(sequence);
    if (probe !== undefined && probe.nacksReceived < probe.nacksExpected) probe.nacksReceived++;
  }

  /** A stream reached the target, or did not. It proves the target alive, but says nothing good of our datagrams. */
  streamPingResult(sequence: number, acknowledged: boolean): void {
    const probe = this.#running.get(sequence);
    if (probe !== undefined && acknowledged) this.#end(probe);
  }

  /** We were not running: what was under way proves nothing. */
  abandon(): void {
    this.#running.clear();
    this.#targets.clear();
    this.#urgentRunning = 0;
  }

  #startPeriod(nowMs: number): void {
    const { table, ring, health, options } = this.#parts;
    this.#periodAtMs = nowMs + health.scaleMs(options.protocolPeriodMs);
    const living = (id: NodeId) => {
      const member = table.get(id);
      return member !== undefined && isLiving(member);
    };
    const id = ring.next(living, (candidate) => !this.#targets.has(candidate));
    const member = id === null ? undefined : table.get(id);
    if (member !== undefined) this.#start(nowMs, member, null, false);
  }

  #startUrgent(nowMs: number): void {
    for (const [id, claim] of this.#urgent) {
      if (this.#urgentRunning >= this.#parts.options.urgentProbesMax) return;
      this.#urgent.delete(id);
      const member = this.#parts.table.get(id);
      if (member === undefined || !isLiving(member) || this.#targets.has(id)) continue;
      this.#start(nowMs, member, claim, true);
    }
  }

  /** A suspect is told so before it is asked: the buddy system. @see Lifeguard §IV-C */
  #start(nowMs: number, member: Member, claim: SuspectClaim | null, urgent: boolean): void {
    const { options, health, sequences, self, send } = this.#parts;
    const probe: Probe = {
      sequence: sequences.next(),
      target: member.id,
      urgent,
      indirectAtMs: nowMs + health.scaleMs(options.pingTimeoutMs),
      deadlineMs: nowMs + health.scaleMs(options.protocolPeriodMs),
      indirect: false,
      nacksExpected: 0,
      nacksReceived: 0,
    };
    this.#running.set(probe.sequence, probe);
    this.#targets.add(probe.target);
    if (urgent) this.#urgentRunning++;
    const messages: SwimMessage[] = [];
    if (claim !== null) {
      messages.push(claim);
    } else if (member.state === "suspect") {
      const { id, incarnation } = member;
      messages.push({ type: "suspect", member: id, incarnation, accuser: self.id });
    }
    messages.push({ type: "ping", sequence: probe.sequence, target: probe.target });
    send(member.address, messages);
  }

  #askOthers(probe: Probe): void {
    const { options, table, random, outbox, send } = this.#parts;
    probe.indirect = true;
    const target = table.get(probe.target);
    if (target === undefined) return;
    const { id, address } = target;
    for (const relay of table.sampleLiving(random, options.indirectProbes, id)) {
      probe.nacksExpected++;
      send(relay.address, [{ type: "ping-request", sequence: probe.sequence, target: id, address }]);
    }
    if (options.streamPing) outbox.streamPing(address, id, probe.sequence);
  }

  /**
   * Every relay that did not even say that it heard nothing counts against our own health; when all of them did,
   * our ears are good. Without relays the failure itself counts. @see Lifeguard §IV-A
   */
  #fail(nowMs: number, probe: Probe): void {
    const { health, counters, failed } = this.#parts;
    this.#end(probe);
    counters.probesFailed++;
    health.apply(probe.nacksExpected === 0 ? 1 : probe.nacksExpected - probe.nacksReceived);
    failed(nowMs, probe.target);
  }

  #end(probe: Probe): void {
    this.#running.delete(probe.sequence);
    this.#targets.delete(probe.target);
    if (probe.urgent) this.#urgentRunning--;
  }
}
