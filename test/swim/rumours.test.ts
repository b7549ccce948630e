import { describe, expect, it } from "vitest";
import { RUMOUR_PAYLOAD_BYTES_MAX } from "../../src/swim/message-size.ts";
import { Rumours, rumourOf } from "../../src/swim/rumours.ts";
import { idOf, VirtualNetwork } from "./virtual-network.ts";

const BYTES = Uint8Array.of(1, 2, 3);

describe("rumours", () => {
  it("of a key are replaced by a higher version only", () => {
    const rumours = new Rumours(10);
    expect(rumours.accept(rumourOf(idOf(1), "k", 3, BYTES))).toBe(true);
    expect(rumours.accept(rumourOf(idOf(1), "k", 3, BYTES))).toBe(false);
    expect(rumours.accept(rumourOf(idOf(1), "k", 2, BYTES))).toBe(false);
    expect(rumours.accept(rumourOf(idOf(1), "k", 4, BYTES))).toBe(true);
  });

  it("of one version and two origins end the same whatever comes first", () => {
    const left = rumourOf(idOf(1), "k", 3, Uint8Array.of(1));
    const right = rumourOf(idOf(2), "k", 3, Uint8Array.of(2));
    const [one, other] = [new Rumours(10), new Rumours(10)];
    for (const rumour of [left, right]) one.accept(rumour);
    for (const rumour of [right, left]) other.accept(rumour);
    expect(one.latest(1_000)).toEqual(other.latest(1_000));
  });

  it("of a new key are refused when there are too many keys, those of a known key are not", () => {
    const rumours = new Rumours(2);
    for (const key of ["a", "b"]) rumours.accept(rumourOf(idOf(1), key, 0, BYTES));
    expect(rumours.accept(rumourOf(idOf(1), "c", 9, BYTES))).toBe(false);
    expect(rumours.accept(rumourOf(idOf(1), "a", 1, BYTES))).toBe(true);
    expect(rumours.size).toBe(2);
  });

  it("fit into a budget, the latest news first", () => {
    const rumours = new Rumours(9);
    for (const key of ["a", "b", "c"]) rumours.accept(rumourOf(idOf(1), key, 0, BYTES));
    rumours.accept(rumourOf(idOf(1), "a", 1, BYTES));
    expect(rumours.latest(1_000).map((rumour) => rumour.key)).toEqual(["a", "c", "b"]);
    expect(rumours.latest(35).map((rumour) => rumour.key)).toEqual(["a", "c"]);
  });

  it.each([
    ["without a key", "", 0, 1],
    ["with a key of 65 bytes", "k".repeat(65), 0, 1],
    ["with a key beyond latin1", "€", 0, 1],
    ["with a negative version", "k", -1, 1],
    ["with a payload too large", "k", 0, RUMOUR_PAYLOAD_BYTES_MAX + 1],
  ])("%s are refused", (_what, key, version, bytes) => {
    expect(() => rumourOf(idOf(1), key, version, new Uint8Array(bytes))).toThrow(RangeError);
  });
});

describe("a broadcast", () => {
  it("reaches all of 100 members once, within O(log n) gossip rounds", () => {
    const network = VirtualNetwork.group(100);
    const teller = network.node(17);
    const startMs = network.nowMs;
    expect(network.act(teller, (swim) => swim.broadcast(network.nowMs, "hint", BYTES))).toBe(true);
    const others = network.nodes.filter((node) => node !== teller);
    const told = () => others.every((node) => network.eventsOf(node, "broadcast-received").length > 0);
    expect(network.runUntil(told, 30_000)).toBe(true);
    // log base (1 + fanout) of 100 is 3.3 rounds of 200 ms; three times that for chance.
    expect(network.nowMs - startMs).toBeLessThan(3 * Math.ceil(Math.log(100) / Math.log(4)) * 200);
    network.run(10_000);
    for (const node of others) {
      expect(network.eventsOf(node, "broadcast-received")).toEqual([
        { type: "broadcast-received", key: "hint", version: 0, payload: BYTES, from: teller.id },
      ]);
    }
  });

  it("reaches a member that joins long afterwards", () => {
    const network = VirtualNetwork.group(3);
    network.act(network.node(0), (swim) => swim.broadcast(network.nowMs, "hint", BYTES, 7));
    network.run(30_000);
    const late = network.start();
    network.join(late, [network.node(1).address]);
    expect(network.runUntil(() => network.eventsOf(late, "broadcast-received").length === 1, 5_000)).toBe(
      true,
    );
  });

  it("of a lower version never replaces a higher one", () => {
    const network = VirtualNetwork.group(5);
    network.act(network.node(0), (swim) => swim.broadcast(network.nowMs, "g1", Uint8Array.of(9), 9));
    network.run(5_000);
    expect(network.act(network.node(1), (swim) => swim.broadcast(network.nowMs, "g1", BYTES, 8))).toBe(false);
    network.run(5_000);
    for (const node of network.nodes.slice(1)) {
      expect(network.eventsOf(node, "broadcast-received")).toHaveLength(1);
    }
  });

  it("is sent by each member exactly as often as the limit says", () => {
    const network = VirtualNetwork.group(12);
    const sent = new Map<string, number>();
    network.onPacket = ({ from, packet }) => {
      const count = packet.messages.filter((message) => message.type === "rumour").length;
      const key = `${from.port}`;
      sent.set(key, (sent.get(key) ?? 0) + count);
    };
    network.act(network.node(0), (swim) => swim.broadcast(network.nowMs, "k", BYTES));
    network.run(20_000);
    // 4 * ceil(log10(12 + 1)) = 8
    expect([...sent.values()]).toEqual(Array.from({ length: 12 }, () => 8));
  });
});
