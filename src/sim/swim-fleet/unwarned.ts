/**
 * Lifeguard's buddy system, taken out on the way: the core has no switch for it, and experiments want to know what it
 * is good for.
 */
import type { SwimMessage, SwimPacket } from "../../swim/messages.ts";

/**
 * The packet without the buddy system: the core puts what it holds against the receiver in front of its ping or ack,
 * and gossip behind it, where the same claim may still be by chance, as in SWIM.
 */
export function unwarned(packet: SwimPacket): SwimPacket {
  const { messages } = packet;
  const first = messages.findIndex(({ type }) => type === "ping" || type === "ack");
  if (first <= 0 || !messages.slice(0, first).every(isAccusation)) return packet;
  return { ...packet, messages: messages.slice(first) };
}

function isAccusation({ type }: SwimMessage): boolean {
  return type === "suspect" || type === "dead" || type === "left";
}
