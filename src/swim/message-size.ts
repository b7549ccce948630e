/**
 * How many bytes a message takes on the wire, so that the core can pack datagrams without a codec.
 * Never below what `wire/swim-codec` writes: a test holds the two together.
 */
import { unreachable } from "../base/assert.ts";
import { MEMBER_META_BYTES_MAX } from "../base/limits.ts";
import { memberMetaBytes, varintBytes } from "./member.ts";
import type { SwimMessage } from "./messages.ts";

/** A datagram, headers of IP and UDP excluded: fits one Ethernet frame with room for a tunnel. */
export const PACKET_BYTES_MAX = 1_400;

/** Header (12), sender (8), and what encryption will need (key id 1, nonce 12, tag 16), rounded up. */
export const PACKET_OVERHEAD_BYTES = 52;

/** For the messages of one datagram together. */
export const PACKET_BODY_BYTES_MAX = PACKET_BYTES_MAX - PACKET_OVERHEAD_BYTES;

/** The key of a user's broadcast. */
export const RUMOUR_KEY_BYTES_MAX = 64;

/** The payload of a user's broadcast: fits one datagram beside a ping. */
export const RUMOUR_PAYLOAD_BYTES_MAX = 1_024;

/** The largest claim: room for it is always found in an otherwise empty packet. */
export const CLAIM_BYTES_MAX = 1 + 8 + MEMBER_META_BYTES_MAX;

/** Type 1, id 8, sequence 4 and the like, per kind of message. */
export function messageBytes(message: SwimMessage): number {
  switch (message.type) {
    case "ping":
    case "ack":
      return 13;
    case "ping-request":
      return 17 + message.address.host.length;
    case "nack":
      return 5;
    case "alive":
      return 1 + varintBytes(message.incarnation) + memberMetaBytes(message.meta);
    case "suspect":
      return 17 + varintBytes(message.incarnation);
    case "dead":
      return 18 + varintBytes(message.incarnation);
    case "left":
      return 9 + varintBytes(message.incarnation);
    case "rumour":
      return 12 + message.key.length + varintBytes(message.version) + message.payload.length;
    default:
      return unreachable(message);
  }
}
