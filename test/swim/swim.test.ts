import { describe, expect, it } from "vitest";
import { VirtualNetwork } from "./virtual-network.ts";

describe("joining", () => {
  it("makes two members know each other", () => {
    const network = VirtualNetwork.group(2);
    expect(network.converged()).toBe(true);
  });

  it("makes 100 members agree, and a crash is seen by all without a false positive", () => {
    const network = VirtualNetwork.group(100);
    expect(network.converged()).toBe(true);
    const victim = network.node(42);
    network.crash(victim);
    const others = network.nodes.filter((node) => node !== victim);
    const startMs = network.nowMs;
    expect(
      network.runUntil(() => others.every((node) => node.swim.member(victim.id)?.state === "dead"), 120_000),
    ).toBe(true);
    console.log("detected after", network.nowMs - startMs);
    network.run(60_000);
    for (const node of others) {
      const died = network.eventsOf(node, "member-died");
      expect(died).toHaveLength(1);
    }
    expect(network.converged()).toBe(true);
  });

  it("heals a partition by itself", () => {
    const network = VirtualNetwork.group(20);
    network.partition((index) => index % 2);
    expect(network.runUntil(() => network.nodes.every((node) => node.swim.livingCount === 10), 300_000)).toBe(
      true,
    );
    network.run(60_000);
    network.heal();
    const startMs = network.nowMs;
    const healed = network.runUntil(() => network.converged(), 120_000);
    console.log("healed after", network.nowMs - startMs, healed);
    expect(healed).toBe(true);
  });
});
