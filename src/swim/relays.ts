/**
 * Pings made for others: an ack is forwarded, and when it is late the one who asked is told so by a nack,
 * well before its own patience ends.
 */
import type { Address } from "../base/address.ts";
import type { NodeId } from "../base/ids.ts";
import type { PingRequest } from "./messages.ts";
import type { SwimOptions } from "./options.ts";

interface Relay {
  readonly to: Address;
  /** The sequence of the one who asked. */
  readonly theirs: number;
  readonly target: NodeId;
  readonly nackAtMs: number;
  readonly expiresAtMs: number;
}

/** What is to be sent to the one who asked. */
export interface RelayAnswer {
  readonly to: Address;
  readonly sequence: number;
}

/** A nack leaves after this part of the ping timeout. @see Lifeguard §IV-A */
const NACK_AFTER = 0.8;

/** The ping requests being served, at most `relaysMax`. */
export class Relays {
  readonly #options: SwimOptions;
  /** By our sequence; oldest first, and with constant timeouts so also by deadline. */
  readonly #waiting = new Map<number, Relay>();
  /** Nacked, but an ack would still be forwarded. */
  readonly #late = new Map<number, Relay>();

  constructor(options: SwimOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#waiting.size + this.#late.size;
  }

  /** False when too many are under way. */
  begin(nowMs: number, sequence: number, request: PingRequest, from: Address): boolean {
    if (this.size >= this.#options.relaysMax) return false;
    this.#waiting.set(sequence, {
      to: from,
      theirs: request.sequence,
      target: request.target,
      nackAtMs: nowMs + this.#options.pingTimeoutMs * NACK_AFTER,
      expiresAtMs: nowMs + this.#options.protocolPeriodMs,
    });
    return true;
  }

  /** The ack to forward; null when `sequence` is not one of a relay. */
  acked(sequence: number, member: NodeId): RelayAnswer | null {
    const relay = this.#waiting.get(sequence) ?? this.#late.get(sequence);
    if (relay === undefined || relay.target !== member) return null;
    this.#waiting.delete(sequence);
    this.#late.delete(sequence);
    return { to: relay.to, sequence: relay.theirs };
  }

  nextDeadlineMs(): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const relay of this.#waiting.values()) {
      nextMs = relay.nackAtMs;
      break;
    }
    for (const relay of this.#late.values()) {
      nextMs = Math.min(nextMs, relay.expiresAtMs);
      break;
    }
    return nextMs;
  }

  /** The nacks that are due. */
  advance(nowMs: number): RelayAnswer[] {
    const nacks: RelayAnswer[] = [];
    for (const [sequence, relay] of this.#waiting) {
      if (relay.nackAtMs > nowMs) break;
      this.#waiting.delete(sequence);
      this.#late.set(sequence, relay);
      nacks.push({ to: relay.to, sequence: relay.theirs });
    }
    for (const [sequence, relay] of this.#late) {
      if (relay.expiresAtMs > nowMs) break;
      this.#late.delete(sequence);
    }
    return nacks;
  }
}
