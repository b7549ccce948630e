/**
 * What members say to each other. A datagram carries several messages; a state exchange goes over a stream.
 * "Claims" (alive, suspect, dead, left) are what the broadcast queue spreads; the rest is between two or three.
 */
import type { Address } from "../base/address.ts";
import type { ClusterId, NodeId } from "../base/ids.ts";
import type { MemberMeta, MemberState } from "./member.ts";

/** Are you there? Whoever is not `target` answers with what it is instead. @see SWIM §4.1 */
export interface Ping {
  readonly type: "ping";
  readonly sequence: number;
  readonly target: NodeId;
}

/** Ping `target` for me; forward its ack, or send a nack if it is late. @see SWIM §4.1 @see Lifeguard §IV-A */
export interface PingRequest {
  readonly type: "ping-request";
  readonly sequence: number;
  readonly target: NodeId;
  readonly address: Address;
}

/** `member` answered the ping, or the ping request, of this sequence. */
export interface Ack {
  readonly type: "ack";
  readonly sequence: number;
  readonly member: NodeId;
}

/** I am well, but heard nothing from the target of your ping request in time. @see Lifeguard §IV-A */
export interface Nack {
  readonly type: "nack";
  readonly sequence: number;
}

/** `meta.id` lives, in its own words. Overrides everything known at a lower incarnation. @see SWIM §4.2 */
export interface AliveClaim {
  readonly type: "alive";
  readonly incarnation: number;
  readonly meta: MemberMeta;
}

/** `accuser` got no answer from `member`. Overrides alive at the same or a lower incarnation. @see SWIM §4.2 */
export interface SuspectClaim {
  readonly type: "suspect";
  readonly member: NodeId;
  readonly incarnation: number;
  readonly accuser: NodeId;
}

/** `unreachable`: a suspicion ran out. `replaced`: another process now lives at its address. */
export type DeathReason = "unreachable" | "replaced";

/** `member` is gone. Overrides alive and suspect at the same or a lower incarnation. @see SWIM §4.2 */
export interface DeadClaim {
  readonly type: "dead";
  readonly member: NodeId;
  readonly incarnation: number;
  readonly accuser: NodeId;
  readonly reason: DeathReason;
}

/** `member` said farewell itself. Overrides everything at the same or a lower incarnation. */
export interface LeftClaim {
  readonly type: "left";
  readonly member: NodeId;
  readonly incarnation: number;
}

/** A user's broadcast. For one key a higher version replaces a lower one, everywhere. */
export interface Rumour {
  readonly type: "rumour";
  /** One code unit per byte, 1 .. `RUMOUR_KEY_BYTES_MAX`. */
  readonly key: string;
  readonly version: number;
  readonly origin: NodeId;
  /** At most `RUMOUR_PAYLOAD_BYTES_MAX` bytes. Never changed after it was handed over. */
  readonly payload: Uint8Array;
}

/** What is spread about a member. */
export type Claim = AliveClaim | SuspectClaim | DeadClaim | LeftClaim;

export type SwimMessage = Ping | PingRequest | Ack | Nack | Claim | Rumour;

/** One datagram. */
export interface SwimPacket {
  readonly sender: NodeId;
  /** The sender's cluster; null while it has none. */
  readonly clusterId: ClusterId | null;
  readonly messages: readonly SwimMessage[];
}

/** One member in a state exchange. */
export interface MemberRecord {
  readonly meta: MemberMeta;
  readonly state: MemberState;
  readonly incarnation: number;
}

/** Everything the sender knows, itself first; for a joiner, and against lost gossip. */
export interface StateExchange {
  readonly sender: NodeId;
  readonly clusterId: ClusterId | null;
  readonly members: readonly MemberRecord[];
  readonly rumours: readonly Rumour[];
}
