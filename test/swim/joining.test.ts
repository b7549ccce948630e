import { describe, expect, it } from "vitest";
import type { Address } from "../../src/base/address.ts";
import { pushPullIntervalMs } from "../../src/swim/dialler.ts";
import { VirtualNetwork } from "./virtual-network.ts";

describe("joining", () => {
  it("through one seed makes everybody known to everybody", () => {
    const network = new VirtualNetwork();
    const [seed, second, third] = [network.start(), network.start(), network.start()];
    network.join(second, [seed.address]);
    network.join(third, [seed.address]);
    expect(network.runUntil(() => network.converged(), 5_000)).toBe(true);
    for (const node of network.nodes) expect(network.eventsOf(node, "member-joined")).toHaveLength(2);
  });

  it("goes on for ever while the seed is down, and succeeds within seconds once it is up", () => {
    const network = new VirtualNetwork();
    const seed = network.start();
    network.crash(seed);
    const node = network.start();
    network.join(node, [seed.address]);
    network.run(3_600_000);
    expect(node.swim.counters.exchangesFailed).toBeGreaterThan(1_000);
    seed.up = true;
    expect(network.runUntil(() => network.converged(), 3_000)).toBe(true);
  });

  it("a seed that is missing is dialled at a low rate by those who know others", () => {
    const network = VirtualNetwork.group(3);
    const late: Address = { host: "10.0.0.9", port: 9_999 };
    network.join(network.node(0), [network.node(1).address, late]);
    network.run(100_000);
    const failed = network.node(0).swim.counters.exchangesFailed;
    expect(failed).toBeGreaterThanOrEqual(8);
    expect(failed).toBeLessThanOrEqual(14);
    const newcomer = network.start({ address: late });
    expect(network.runUntil(() => newcomer.swim.livingCount === 4, 15_000)).toBe(true);
  });

  it("through its own address meets itself, says so, and dials it no more", () => {
    const network = new VirtualNetwork();
    const node = network.start();
    network.join(node, [node.address]);
    network.run(60_000);
    expect(network.eventsOf(node, "self-met")).toEqual([{ type: "self-met", address: node.address }]);
    expect(network.exchanges).toBe(1);
    expect(node.swim.members()).toHaveLength(1);
  });

  it("tells when an exchange it began was answered, by whom and of which cluster", () => {
    const network = new VirtualNetwork();
    const seed = network.start();
    const node = network.start();
    network.join(node, [seed.address]);
    network.run(1_000);
    expect(network.eventsOf(node, "exchange-completed")).toEqual([
      { type: "exchange-completed", address: seed.address, peer: seed.id, clusterId: null },
    ]);
  });

  it("is not needed by a member whom others know: it asks the first stranger who pings it", () => {
    const network = new VirtualNetwork();
    const known = network.start();
    const other = network.start();
    const meta = known.swim.self.meta;
    const alive = { type: "alive" as const, incarnation: 0, meta };
    network.act(other, (swim) =>
      swim.receive(network.nowMs, known.address, { sender: known.id, clusterId: null, messages: [alive] }),
    );
    // The first ping carries nothing about its sender.
    network.onPacket = ({ packet }) => {
      (packet.messages as unknown[]).splice(0, packet.messages.length, ...packet.messages.filter(isDialogue));
    };
    expect(network.runUntil(() => network.converged(), 5_000)).toBe(true);
  });

  it("of 20 members with 30 % of all datagrams lost succeeds, and nobody is declared dead", () => {
    const network = new VirtualNetwork({ loss: 0.3, seed: 5 });
    const seed = network.start();
    for (let at = 1; at < 20; at++) network.join(network.start(), [seed.address]);
    expect(network.runUntil(() => network.nodes.every((node) => node.swim.livingCount === 20), 30_000)).toBe(
      true,
    );
    network.run(300_000);
    for (const node of network.nodes) expect(network.eventsOf(node, "member-died")).toEqual([]);
  });
});

describe("full exchanges", () => {
  it.each([
    [1, 30_000],
    [32, 30_000],
    [33, 60_000],
    [64, 60_000],
    [65, 90_000],
    [1_000, 180_000],
  ])("in a group of %i come every %i ms", (members, intervalMs) => {
    expect(pushPullIntervalMs(30_000, members)).toBe(intervalMs);
  });

  it("bring what gossip lost", () => {
    const network = VirtualNetwork.group(5);
    const behind = network.node(4);
    // Datagrams to it carry no news any more.
    network.passes = (_from, to, packet) => to !== behind.index || packet.messages.every(isDialogue);
    const before = network.node(0).swim.self.meta;
    network.act(network.node(0), (swim) => swim.updateMeta(network.nowMs, { ...before, weight: 12 }));
    const informed = () => behind.swim.member(before.id)?.meta.weight === 12;
    expect(network.runUntil(informed, 90_000)).toBe(true);
  });
});

function isDialogue(message: { readonly type: string }): boolean {
  return ["ping", "ping-request", "ack", "nack"].includes(message.type);
}
