import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.ts";
import { Gossip } from "../../src/swim/gossip.ts";
import { MemberTable } from "../../src/swim/member-table.ts";
import { messageBytes } from "../../src/swim/message-size.ts";
import type { SwimMessage } from "../../src/swim/messages.ts";
import { resolveSwimOptions } from "../../src/swim/options.ts";
import { rumourOf } from "../../src/swim/rumours.ts";
import { idOf } from "./virtual-network.ts";

const BYTES_FREE = 1_200;
const CLAIMS = 500;

function gossipOf(claims: number, rumours: number): Gossip {
  const gossip = new Gossip(resolveSwimOptions({}, "lan"), new MemberTable(1_000), new Random(1, 2), 0);
  for (let at = 1; at <= claims; at++)
    gossip.spread({ type: "suspect", member: idOf(at), incarnation: 1, accuser: idOf(0) });
  for (let at = 0; at < rumours; at++)
    gossip.spreadRumour(rumourOf(idOf(0), `key/${at}`, 1, Uint8Array.of(at)));
  return gossip;
}

function packetOf(gossip: Gossip): { readonly claims: number; readonly rumours: number } {
  const messages: SwimMessage[] = [];
  gossip.fill(messages, BYTES_FREE);
  const bytes = (wanted: boolean) =>
    messages
      .filter(({ type }) => (type === "rumour") === wanted)
      .reduce((sum, message) => sum + messageBytes(message), 0);
  return { claims: bytes(false), rumours: bytes(true) };
}

describe("a packet of a group with more news of members than it holds", () => {
  it("keeps a quarter for broadcasts", () => {
    const { claims, rumours } = packetOf(gossipOf(CLAIMS, 100));
    expect(rumours).toBeGreaterThan(BYTES_FREE / 4 - 50);
    expect(claims).toBeGreaterThan((BYTES_FREE * 3) / 4 - 50);
    expect(claims + rumours).toBeLessThanOrEqual(BYTES_FREE);
  });

  it("keeps no more than the broadcasts need", () => {
    const alone = packetOf(gossipOf(CLAIMS, 0));
    const { claims, rumours } = packetOf(gossipOf(CLAIMS, 1));
    expect(rumours).toBeGreaterThan(0);
    expect(alone.claims - claims).toBeLessThan(2 * rumours);
  });

  it("tells all broadcasts once while news of members still waits", () => {
    const gossip = gossipOf(CLAIMS, 20);
    let told = 0;
    for (let packet = 0; packet < 4; packet++) told += packetOf(gossip).rumours;
    const first = rumourOf(idOf(0), "key/0", 1, Uint8Array.of(0));
    expect(told).toBeGreaterThanOrEqual(20 * messageBytes(first));
    expect(gossip.pending).toBeGreaterThan(CLAIMS);
  });
});

it("a packet without news of members is all for broadcasts", () => {
  const { claims, rumours } = packetOf(gossipOf(0, 100));
  expect(claims).toBe(0);
  expect(rumours).toBeGreaterThan(BYTES_FREE - 50);
});
