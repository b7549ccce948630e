/**
 * Drives the pure SWIM core with real ports: datagrams in and out, state exchanges and stream pings as calls to an
 * address, one timer for the core's next deadline. It passes on what the core says and decides nothing.
 */
import type { Address } from "../base/address.ts";
import type { NodeId } from "../base/ids.ts";
import type { Random } from "../base/random.ts";
import type { Member, MemberMeta } from "../swim/member.ts";
import type { StateExchange } from "../swim/messages.ts";
import type { SwimOptions } from "../swim/options.ts";
import type { SwimEvent } from "../swim/output.ts";
import { Swim } from "../swim/swim.ts";
import { decodePacket, decodeStateExchange, encodePacket, encodeStateExchange } from "../wire/swim-codec.ts";
import { WireError } from "../wire/wire-error.ts";
import type { Calls } from "./links/calls.ts";
import type { Clock, Datagrams, Timer } from "./ports.ts";

/** A state exchange or stream ping that takes longer has failed. */
const CALL_TIMEOUT_MS = 3_000;
const METHOD_EXCHANGE = "swim.exchange";
const METHOD_PING = "swim.ping";

export interface GossipParts {
  readonly meta: MemberMeta;
  readonly options: SwimOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly datagrams: Datagrams;
  readonly calls: Calls;
  readonly onEvent: (event: SwimEvent) => void;
}

/** Nobody was heard for so long: even of two members one probes the other every second, and is answered. */
const SILENCE_MS = 1_500;

export class Gossip {
  readonly #swim: Swim;
  readonly #options: SwimOptions;
  readonly #clock: Clock;
  readonly #datagrams: Datagrams;
  readonly #calls: Calls;
  readonly #onEvent: (event: SwimEvent) => void;
  #timer: Timer | null = null;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #leaving = false;
  #closed = false;
  /** Calls to the core under way: output is taken once, by the outermost. */
  #depth = 0;
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #heardAgainAtMs = Number.NEGATIVE_INFINITY;
  readonly counters = { datagramsReceived: 0, datagramsSent: 0, datagramsMalformed: 0, exchanges: 0 };

  constructor(parts: GossipParts) {
    this.#options = parts.options;
    this.#clock = parts.clock;
    this.#datagrams = parts.datagrams;
    this.#calls = parts.calls;
    this.#onEvent = parts.onEvent;
    const { meta, options, random } = parts;
    this.#swim = new Swim({ meta, options, random, nowMs: parts.clock.nowMs() });
    this.#datagrams.onMessage = (from, bytes) => this.#receive(from, bytes);
    this.#calls.handle(METHOD_EXCHANGE, (params, from) => {
      const state = decodeStateExchange(bytesOf(params));
      return encodeStateExchange(
        this.#drive(() => this.#swim.receiveState(this.#clock.nowMs(), from.address, state)),
      );
    });
    this.#calls.handle(METHOD_PING, () => this.#swim.self.id);
    this.#drive(() => {});
  }

  get self(): Member {
    return this.#swim.self;
  }

  /** When anybody was heard after a silence of all: what this node believed of others until then it learned while it was cut off itself. */
  get heardAgainAtMs(): number {
    return this.#heardAgainAtMs;
  }

  get localHealth(): number {
    return this.#swim.localHealth;
  }

  get swimCounters(): Readonly<Record<string, number>> {
    return { ...this.#swim.counters };
  }

  /** Everybody known, this member first; the dead and those that left included. */
  members(): readonly Member[] {
    return this.#swim.members();
  }

  member(id: NodeId): Member | undefined {
    return this.#swim.member(id);
  }

  /** Exchanges state with `seeds` now and again; a later call replaces them. Who says farewell seeks nobody any more. */
  join(seeds: readonly Address[]): void {
    if (!this.#closed && !this.#leaving) this.#drive(() => this.#swim.join(this.#clock.nowMs(), seeds));
  }

  updateMeta(change: Partial<MemberMeta>): void {
    if (this.#closed) return;
    this.#drive(() => this.#swim.updateMeta(this.#clock.nowMs(), { ...this.#swim.self.meta, ...change }));
  }

  broadcast(key: string, payload: Uint8Array, version?: number): void {
    if (!this.#closed) this.#drive(() => this.#swim.broadcast(this.#clock.nowMs(), key, payload, version));
  }

  /** What was broadcast of `key` last, as far as this node has heard; undefined when nothing was. */
  rumour(
    key: string,
  ): { readonly version: number; readonly payload: Uint8Array; readonly origin: NodeId } | undefined {
    return this.#swim.rumour(key);
  }

  /** The link to `id` broke: find out soon whether it lives. */
  probeNow(id: NodeId): void {
    if (!this.#closed) this.#drive(() => this.#swim.probeNow(this.#clock.nowMs(), id));
  }

  /** The cluster no longer counts on `id`: dial it no more. */
  forget(id: NodeId): void {
    if (!this.#closed) this.#drive(() => this.#swim.forget(this.#clock.nowMs(), id));
  }

  /** Says farewell; `leave-completed` tells when it has been said often enough. */
  leave(): void {
    this.#leaving = true;
    if (!this.#closed) this.#drive(() => this.#swim.leave(this.#clock.nowMs()));
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #receive(from: Address, bytes: Uint8Array): void {
    if (this.#closed) return;
    this.counters.datagramsReceived++;
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#heardAtMs >= SILENCE_MS) this.#heardAgainAtMs = nowMs;
    this.#heardAtMs = nowMs;
    try {
      const packet = decodePacket(bytes);
      this.#drive(() => this.#swim.receive(nowMs, from, packet));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.counters.datagramsMalformed++;
    }
  }

  /** Runs one call of the core, then does what it asks for. */
  #drive<T>(call: () => T): T {
    this.#depth++;
    try {
      return call();
    } finally {
      this.#depth--;
      if (this.#depth === 0) this.#carryOut();
    }
  }

  #carryOut(): void {
    const output = this.#swim.takeOutput();
    for (const { to, packet } of output.datagrams) {
      this.counters.datagramsSent++;
      this.#datagrams.send(to, encodePacket(packet));
    }
    for (const { to, state } of output.exchanges) this.#exchange(to, encodeStateExchange(state));
    for (const { to, target, sequence } of output.streamPings) this.#streamPing(to, target, sequence);
    for (const event of output.events) this.#onEvent(event);
    this.#armTimer();
  }

  #exchange(to: Address, state: Uint8Array): void {
    this.counters.exchanges++;
    this.#calls.callAddress(to, METHOD_EXCHANGE, state, { timeoutMs: CALL_TIMEOUT_MS }).then(
      ({ value }) => this.#exchanged(to, value),
      () => this.#exchangeFailed(to),
    );
  }

  #exchanged(to: Address, value: unknown): void {
    if (this.#closed) return;
    let state: StateExchange;
    try {
      state = decodeStateExchange(bytesOf(value));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#exchangeFailed(to);
      return;
    }
    this.#drive(() => this.#swim.mergeState(this.#clock.nowMs(), to, state));
  }

  /** The core counts it, reports it and dials again by itself. */
  #exchangeFailed(to: Address): void {
    if (!this.#closed) this.#drive(() => this.#swim.exchangeFailed(this.#clock.nowMs(), to));
  }

  #streamPing(to: Address, target: NodeId, sequence: number): void {
    const answered = (alive: boolean): void => {
      if (!this.#closed) this.#drive(() => this.#swim.streamPingResult(this.#clock.nowMs(), sequence, alive));
    };
    this.#calls.callAddress(to, METHOD_PING, null, { timeoutMs: this.#options.protocolPeriodMs }).then(
      ({ value }) => answered(value === target),
      () => answered(false),
    );
  }

  #armTimer(): void {
    if (this.#closed) return;
    const atMs = this.#swim.nextDeadlineMs();
    if (this.#timer !== null && this.#timerAtMs === atMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    if (!Number.isFinite(atMs)) {
      this.#timer = null;
      return;
    }
    this.#timer = this.#clock.setTimer(Math.max(0, atMs - this.#clock.nowMs()), () => {
      this.#timer = null;
      if (!this.#closed) this.#drive(() => this.#swim.advance(this.#clock.nowMs()));
    });
  }
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new WireError("a state exchange is bytes", 0);
}
