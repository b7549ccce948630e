/**
 * A fleet of gossip cores in virtual time: nothing but SWIM, a thousand members and more in one process. Packets pass
 * in memory, one heap holds the future, and one 64-bit seed decides delays, losses and every draw of the cores: equal
 * seeds give equal histories, which `traceHash` proves. No processor time passes: whatever is due happens at once.
 */
import type { Address } from "../../base/address.ts";
import { assert, unreachable } from "../../base/assert.ts";
import { type NodeId, randomBootNonce, randomNodeId } from "../../base/ids.ts";
import { Random } from "../../base/random.ts";
import { resolveSwimOptions, type SwimOptions } from "../../swim/options.ts";
import type { SwimEvent } from "../../swim/output.ts";
import { Swim } from "../../swim/swim.ts";
import { EventQueue } from "../event-queue.ts";
import { HistoryHash } from "../history-hash.ts";
import { type FleetMail, FleetMember, type Slowness } from "./fleet-member.ts";
import { DEFAULT_FLEET_OPTIONS, type SwimFleetOptions } from "./fleet-options.ts";
import { unwarned } from "./unwarned.ts";

/** What an experiment sees. Neither call may touch the fleet; schedule with `later` instead. */
export interface FleetObserver {
  /** `observer` raised `event`. */
  readonly event?: (nowMs: number, observer: FleetMember, event: SwimEvent) => void;
  /** `from` sent a ping to `to`: a probe of its own, or one for somebody who asked. */
  readonly ping?: (nowMs: number, from: FleetMember, to: FleetMember) => void;
}

const HOST = "10.0.0.1";
/** Kinds of trace entries: mail by its type, then events. */
const MAIL_KINDS: readonly FleetMail["type"][] = [
  "packet",
  "exchange",
  "exchange-answer",
  "exchange-refused",
  "stream-ping",
  "stream-pong",
];
const EVENT_KIND = MAIL_KINDS.length;
const SEED_MASK = 0xffff_ffffn;

export class SwimFleet {
  readonly options: SwimFleetOptions;
  readonly swimOptions: SwimOptions;
  /** For the experiment's own draws. */
  readonly random: Random;
  /** All that ever started, by index. */
  readonly members: FleetMember[] = [];
  observer: FleetObserver = {};
  #nowMs = 0;
  #livingCount = 0;
  readonly #network: Random;
  readonly #cores: Random;
  readonly #queue = new EventQueue();
  readonly #byId = new Map<NodeId, FleetMember>();
  readonly #trace = new HistoryHash();

  /** Throws `RangeError` when a SWIM option is out of its bounds. */
  constructor(options: Partial<SwimFleetOptions> = {}) {
    this.options = Object.freeze({ ...DEFAULT_FLEET_OPTIONS, ...options });
    this.swimOptions = resolveSwimOptions(this.options.swim);
    const { seed } = this.options;
    const root = new Random(Number((seed >> 32n) & SEED_MASK), Number(seed & SEED_MASK));
    this.#cores = root.fork();
    this.#network = root.fork();
    this.random = root.fork();
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Members that have not crashed, slow ones included. */
  get livingCount(): number {
    return this.#livingCount;
  }

  living(): FleetMember[] {
    return this.members.filter((member) => !member.crashed);
  }

  member(id: NodeId): FleetMember | undefined {
    return this.#byId.get(id);
  }

  /** Everything delivered and raised so far, in its order, as 16 hexadecimal digits. */
  traceHash(): string {
    return this.#trace.toString();
  }

  /** Starts a process that knows nobody yet, at an address of its own. */
  start(): FleetMember {
    const index = this.members.length;
    assert(index < 65_535, "a fleet starts at most 65,535 processes");
    const random = this.#cores.fork();
    const address: Address = { host: HOST, port: index + 1 };
    const meta = {
      id: randomNodeId(random),
      nonce: randomBootNonce(random),
      address,
      respPort: 6_380,
      httpPort: 7_980,
      name: "",
      zone: "",
      weight: 1,
      protocolMin: 1,
      protocolMax: 1,
      clusterId: null,
      reluctant: false,
    };
    const swim = new Swim({ meta, options: this.swimOptions, random, nowMs: this.#nowMs });
    const member = new FleetMember(index, address, swim);
    this.members.push(member);
    this.#byId.set(member.id, member);
    this.#livingCount++;
    this.#settle(member);
    return member;
  }

  /** Calls into the core of a running member and carries out what it asks. */
  act(member: FleetMember, call: (swim: Swim) => void): void {
    assert(member.running, "only a running member acts", { index: member.index });
    call(member.swim);
    this.#settle(member);
  }

  crash(member: FleetMember): void {
    if (member.crashed) return;
    this.#livingCount--;
    member.crash();
  }

  /** From now until `recover` the member is slow. No effect on one that is, or has crashed. */
  slow(member: FleetMember, slowness: Slowness): void {
    if (member.running) member.slowness = slowness;
  }

  /** Late timers run first, then what waited is sent and heard, in its order: as an event loop would. */
  recover(member: FleetMember): void {
    if (member.crashed || member.slowness === null) return;
    const { inbox, outbox } = member;
    member.slowness = null;
    member.inbox = [];
    member.outbox = [];
    for (const { peer, mail } of outbox) this.#post(member, peer, mail);
    if (member.swim.nextDeadlineMs() <= this.#nowMs) member.swim.advance(this.#nowMs);
    this.#settle(member);
    for (const { peer, mail } of inbox) this.#hear(member, peer, mail);
  }

  /** Calls `callback` in `delayMs`. */
  later(delayMs: number, callback: () => void): void {
    this.#queue.add(this.#nowMs + delayMs, callback);
  }

  runFor(durationMs: number): void {
    this.runUntil(() => false, durationMs);
  }

  /** Runs until `done`, asked after every event, holds; false when `limitMs` passed without. */
  runUntil(done: () => boolean, limitMs: number): boolean {
    const endMs = this.#nowMs + limitMs;
    while (!done()) {
      if (this.#queue.nextAtMs() > endMs) {
        this.#nowMs = endMs;
        return false;
      }
      const event = this.#queue.take();
      if (event === undefined) break;
      this.#nowMs = event.atMs;
      event.run();
    }
    return true;
  }

  /** Carries out what a core asks, and makes sure that it is called in time. */
  #settle(member: FleetMember): void {
    const { datagrams, exchanges, streamPings, events } = member.swim.takeOutput();
    for (const event of events) this.#tell(member, event);
    for (const { to, packet } of datagrams) this.#send(member, to, { type: "packet", packet });
    for (const { to, state } of exchanges) this.#send(member, to, { type: "exchange", state });
    for (const { to, target, sequence } of streamPings) {
      this.#send(member, to, { type: "stream-ping", target, sequence });
    }
    this.#schedule(member);
  }

  #tell(member: FleetMember, event: SwimEvent): void {
    const about = "member" in event ? (this.#byId.get(event.member.id)?.index ?? 0) : 0;
    this.#trace.add(this.#nowMs, (member.index << 16) ^ about, (EVENT_KIND << 24) ^ event.type.length);
    this.observer.event?.(this.#nowMs, member, event);
  }

  #send(from: FleetMember, to: Address, mail: FleetMail): void {
    const peer = this.members[to.port - 1];
    if (peer === undefined) return;
    if (mail.type === "packet" && this.observer.ping !== undefined) {
      for (const message of mail.packet.messages) {
        if (message.type === "ping") this.observer.ping(this.#nowMs, from, peer);
      }
    }
    if (from.slowness === "blocked") from.outbox.push({ peer, mail });
    else this.#post(from, peer, mail);
  }

  #post(from: FleetMember, to: FleetMember, mail: FleetMail): void {
    const { delayMs, jitterMs, lossRate } = this.options;
    if (lossRate > 0 && mail.type === "packet" && this.#network.nextFloat() < lossRate) return;
    const atMs = this.#nowMs + delayMs + jitterMs * this.#network.nextFloat();
    this.#queue.add(atMs, () => this.#arrive(to, from, mail));
  }

  #arrive(member: FleetMember, from: FleetMember, mail: FleetMail): void {
    if (member.crashed) {
      // Nobody listens there: a dialler is told so by the kernel, a datagram is not missed.
      if (mail.type === "exchange") this.#post(member, from, { type: "exchange-refused" });
      if (mail.type === "stream-ping") {
        this.#post(member, from, { type: "stream-pong", sequence: mail.sequence, acknowledged: false });
      }
    } else if (member.slowness !== null) {
      if (member.inbox.length < this.options.inboxMax) member.inbox.push({ peer: from, mail });
    } else {
      this.#hear(member, from, mail);
    }
  }

  #hear(member: FleetMember, from: FleetMember, mail: FleetMail): void {
    const { swim } = member;
    const nowMs = this.#nowMs;
    const size = mail.type === "packet" ? mail.packet.messages.length : 0;
    this.#trace.add(nowMs, (from.index << 16) ^ member.index, (MAIL_KINDS.indexOf(mail.type) << 24) ^ size);
    switch (mail.type) {
      case "packet":
        swim.receive(nowMs, from.address, this.options.buddySystem ? mail.packet : unwarned(mail.packet));
        break;
      case "exchange": {
        const state = swim.receiveState(nowMs, from.address, mail.state);
        this.#send(member, from.address, { type: "exchange-answer", state });
        break;
      }
      case "exchange-answer":
        swim.mergeState(nowMs, from.address, mail.state);
        break;
      case "exchange-refused":
        swim.exchangeFailed(nowMs, from.address);
        break;
      case "stream-ping": {
        const acknowledged = mail.target === member.id;
        this.#send(member, from.address, { type: "stream-pong", sequence: mail.sequence, acknowledged });
        break;
      }
      case "stream-pong":
        swim.streamPingResult(nowMs, mail.sequence, mail.acknowledged);
        break;
      default:
        unreachable(mail);
    }
    this.#settle(member);
  }

  /** A timer that is too early costs one call for nothing; so it is only ever moved forward. */
  #schedule(member: FleetMember): void {
    const atMs = Math.max(this.#nowMs, member.swim.nextDeadlineMs());
    const { timer } = member;
    if (atMs === Number.POSITIVE_INFINITY || (timer !== null && timer.atMs <= atMs)) return;
    timer?.cancel();
    member.timer = this.#queue.add(atMs, () => {
      member.timer = null;
      if (member.crashed || member.slowness === "paused") return;
      member.swim.advance(this.#nowMs);
      this.#settle(member);
    });
  }
}
