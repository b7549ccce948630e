/**
 * One process of a simulated fleet: its gossip core, and what waits for it while it is slow. The fleet moves it;
 * nothing here knows of time or chance.
 */
import type { Address } from "../../base/address.ts";
import type { NodeId } from "../../base/ids.ts";
import type { StateExchange, SwimPacket } from "../../swim/messages.ts";
import type { Swim } from "../../swim/swim.ts";
import type { ScheduledEvent } from "../event-queue.ts";

/**
 * How a slow member is slow. `paused`: nothing runs, as in a stopped process; what arrives waits, timers are late.
 * `blocked`: timers run on time, but whatever it sends or is sent waits until the end, so that it does not notice.
 * @see Lifeguard §V, whose anomalies block messages
 */
export type Slowness = "paused" | "blocked";

/** What travels between two members. Streams are modelled by their requests and answers, one item each. */
export type FleetMail =
  | { readonly type: "packet"; readonly packet: SwimPacket }
  | { readonly type: "exchange"; readonly state: StateExchange }
  | { readonly type: "exchange-answer"; readonly state: StateExchange }
  | { readonly type: "exchange-refused" }
  | { readonly type: "stream-ping"; readonly target: NodeId; readonly sequence: number }
  | { readonly type: "stream-pong"; readonly sequence: number; readonly acknowledged: boolean };

/** Mail with its other end: the sender of what came in, the receiver of what goes out. */
export interface Envelope {
  readonly peer: FleetMember;
  readonly mail: FleetMail;
}

/** A process that runs, is slow, or has crashed. */
export class FleetMember {
  /** 0, 1, 2, ... in the order of starting; the address has port `index + 1`. */
  readonly index: number;
  readonly id: NodeId;
  readonly address: Address;
  readonly swim: Swim;
  crashed = false;
  slowness: Slowness | null = null;
  /** When the fleet calls into it next; null when nothing is due. */
  timer: ScheduledEvent | null = null;
  /** Arrived while it was slow, first come first. */
  inbox: Envelope[] = [];
  /** Sent while it was blocked. */
  outbox: Envelope[] = [];

  constructor(index: number, address: Address, swim: Swim) {
    this.index = index;
    this.id = swim.self.id;
    this.address = address;
    this.swim = swim;
  }

  get running(): boolean {
    return !this.crashed && this.slowness === null;
  }

  /** It ends without a word; what waits for it is lost. */
  crash(): void {
    this.crashed = true;
    this.slowness = null;
    this.timer?.cancel();
    this.timer = null;
    this.inbox = [];
    this.outbox = [];
  }
}
