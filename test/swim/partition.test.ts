import { describe, expect, it } from "vitest";
import { VirtualNetwork } from "./virtual-network.ts";

describe("a partition", () => {
  it.each([
    ["two halves of 20", 20, (index: number) => index % 2],
    ["a single member and 9 others", 10, (index: number) => (index === 3 ? 1 : 0)],
    ["four parts of 12", 12, (index: number) => index % 4],
    ["two members", 2, (index: number) => index],
  ])("into %s heals by itself after an hour", (_what, members, side) => {
    const network = VirtualNetwork.group(members, { seed: 11 });
    network.partition(side);
    network.run(3_600_000);
    for (const node of network.nodes) {
      const same = network.nodes.filter((other) => side(other.index) === side(node.index));
      expect(node.swim.livingCount).toBe(same.length);
    }
    for (const node of network.nodes) node.events.length = 0;
    network.heal();
    // One dead member is dialled every 10 s by each, so somebody crosses soon.
    expect(network.runUntil(() => network.converged(), 40_000)).toBe(true);
    network.run(60_000);
    for (const node of network.nodes) {
      const away = network.nodes.filter((other) => side(other.index) !== side(node.index));
      const returned = network.eventsOf(node, "member-joined");
      expect(returned).toHaveLength(away.length);
      for (const event of returned) expect(event).toMatchObject({ returned: true });
      // What the others thought of one's own side kills nobody, and makes nobody suspect.
      expect(network.eventsOf(node, "member-died")).toEqual([]);
      expect(network.eventsOf(node, "member-suspected")).toEqual([]);
    }
  });

  it("leaves no probe behind that accuses, after the healing, whoever has refuted", () => {
    // A lone member doubts itself: its probes take up to 8 s, and have asked everybody they ask after half of that.
    for (let cutMs = 4_000; cutMs <= 12_000; cutMs += 250) {
      const network = VirtualNetwork.group(5, { seed: 7 });
      const lone = network.node(0);
      network.run(5_000);
      network.partition((index) => (index === 0 ? 1 : 0));
      network.run(cutMs);
      network.heal();
      lone.events.length = 0;
      network.run(20_000);
      const lived = new Set<string>();
      for (const { event } of lone.events) {
        if (event.type === "member-refuted" || event.type === "member-joined") lived.add(event.member.id);
        if (event.type === "member-suspected")
          expect(lived.has(event.member.id), `cut for ${cutMs} ms: ${event.member.id}`).toBe(false);
      }
    }
  });

  it("costs a low, constant rate of dialling, however many are dead", () => {
    const network = VirtualNetwork.group(20);
    for (const node of network.nodes.slice(1)) network.crash(node);
    // A lone member doubts itself first (LHM 8), so this takes minutes.
    network.run(600_000);
    expect(network.node(0).swim.livingCount).toBe(1);
    const before = network.exchanges;
    network.run(1_000_000);
    expect(network.exchanges - before).toBeGreaterThan(80);
    expect(network.exchanges - before).toBeLessThan(130);
  });

  it("of those who are forgotten is not dialled across", () => {
    const network = VirtualNetwork.group(2);
    const [left, right] = [network.node(0), network.node(1)];
    network.crash(right);
    expect(network.act(left, (swim) => swim.forget(network.nowMs, right.id))).toBe(false);
    network.runUntil(() => left.swim.livingCount === 1, 60_000);
    expect(network.act(left, (swim) => swim.forget(network.nowMs, right.id))).toBe(true);
    const before = network.exchanges;
    network.run(300_000);
    expect(network.exchanges).toBe(before);
    expect(left.swim.members()).toHaveLength(1);
  });
});
