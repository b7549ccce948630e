/**
 * What the core asks of its host and tells it: datagrams, streams to open, events. Each item is handed out once.
 */
import type { Address } from "../base/address.ts";
import type { BootNonce, ClusterId, NodeId } from "../base/ids.ts";
import type { Member, MemberMeta } from "./member.ts";
import type { DeathReason, StateExchange, SwimPacket } from "./messages.ts";

export type SwimEvent =
  /** A member unknown so far, or (`returned`) one thought dead or left. */
  | { readonly type: "member-joined"; readonly member: Member; readonly returned: boolean }
  | { readonly type: "member-suspected"; readonly member: Member }
  /** A suspect proved to be alive. */
  | { readonly type: "member-refuted"; readonly member: Member }
  | { readonly type: "member-died"; readonly member: Member; readonly reason: DeathReason }
  /** `graceful`: it said so. `foreign-cluster`: it belongs to a cluster that we do not. */
  | { readonly type: "member-left"; readonly member: Member; readonly reason: "graceful" | "foreign-cluster" }
  /** Its metadata changed; a new nonce means that its process restarted. */
  | { readonly type: "member-updated"; readonly member: Member; readonly previous: MemberMeta }
  | {
      readonly type: "broadcast-received";
      readonly key: string;
      readonly version: number;
      readonly payload: Uint8Array;
      readonly from: NodeId;
    }
  /** Two processes hold one id: [the incumbent, the other]. Repeated at most every 10 s while it lasts. */
  | {
      readonly type: "id-conflict";
      readonly id: NodeId;
      readonly addresses: readonly [Address, Address];
      readonly nonces: readonly [BootNonce, BootNonce];
    }
  /** Somebody of another cluster talks to us. Repeated at most every 5 s for each cluster. */
  | { readonly type: "foreign-cluster"; readonly from: Address; readonly clusterId: ClusterId }
  /** `address`, which we dialled, is this very process. */
  | { readonly type: "self-met"; readonly address: Address }
  /** A state exchange we began was answered. */
  | {
      readonly type: "exchange-completed";
      readonly address: Address;
      readonly peer: NodeId;
      readonly clusterId: ClusterId | null;
    }
  /** Our farewell has been said often enough: the process may stop. */
  | { readonly type: "leave-completed" };

export interface SwimOutput {
  readonly datagrams: readonly { readonly to: Address; readonly packet: SwimPacket }[];
  /** Dial `to`, send `state`, report the answer by `mergeState`, or `exchangeFailed`. */
  readonly exchanges: readonly { readonly to: Address; readonly state: StateExchange }[];
  /** Dial `to`, ask whether `target` lives there, report by `streamPingResult`. */
  readonly streamPings: readonly {
    readonly to: Address;
    readonly target: NodeId;
    readonly sequence: number;
  }[];
  readonly events: readonly SwimEvent[];
}

/** Collects the output between two calls of `take`. */
export class Outbox {
  #datagrams: { to: Address; packet: SwimPacket }[] = [];
  #exchanges: { to: Address; state: StateExchange }[] = [];
  #streamPings: { to: Address; target: NodeId; sequence: number }[] = [];
  #events: SwimEvent[] = [];

  datagram(to: Address, packet: SwimPacket): void {
    this.#datagrams.push({ to, packet });
  }

  exchange(to: Address, state: StateExchange): void {
    this.#exchanges.push({ to, state });
  }

  streamPing(to: Address, target: NodeId, sequence: number): void {
    this.#streamPings.push({ to, target, sequence });
  }

  event(event: SwimEvent): void {
    this.#events.push(event);
  }

  get isEmpty(): boolean {
    return (
      this.#datagrams.length === 0 &&
      this.#events.length === 0 &&
      this.#exchanges.length === 0 &&
      this.#streamPings.length === 0
    );
  }

  take(): SwimOutput {
    if (this.isEmpty) return NOTHING;
    const output: SwimOutput = {
      datagrams: this.#datagrams,
      exchanges: this.#exchanges,
      streamPings: this.#streamPings,
      events: this.#events,
    };
    this.#datagrams = [];
    this.#exchanges = [];
    this.#streamPings = [];
    this.#events = [];
    return output;
  }
}

const NOTHING: SwimOutput = Object.freeze({
  datagrams: Object.freeze([]),
  exchanges: Object.freeze([]),
  streamPings: Object.freeze([]),
  events: Object.freeze([]),
});
