import { describe, expect, it } from "vitest";
import { LocalHealth } from "../../src/swim/local-health.ts";
import { VirtualNetwork } from "./virtual-network.ts";

describe("the local health multiplier", () => {
  it("stays within 1 and its maximum", () => {
    const health = new LocalHealth(8);
    health.apply(-3);
    expect(health.multiplier).toBe(1);
    health.apply(5);
    expect(health.multiplier).toBe(6);
    health.apply(5);
    expect(health.multiplier).toBe(8);
    expect(health.score).toBe(7);
  });

  it("scales a time", () => {
    const health = new LocalHealth(8);
    expect(health.scaleMs(500)).toBe(500);
    health.apply(2);
    expect(health.scaleMs(500)).toBe(1_500);
  });

  it("rises on a member that hears nobody, slows its probes, and falls again when it hears", () => {
    const network = VirtualNetwork.group(10);
    const deaf = network.node(3);
    expect(deaf.swim.localHealth).toBe(0);
    network.passes = (_from, to) => to !== deaf.index;
    network.streamPasses = (from) => from !== deaf.index;
    let pings = 0;
    network.onPacket = ({ from, packet }) => {
      if (from === deaf.address) pings += packet.messages.filter((message) => message.type === "ping").length;
    };
    expect(network.runUntil(() => deaf.swim.localHealth === 7, 60_000)).toBe(true);
    pings = 0;
    network.run(16_000);
    // One probe in eight periods, where a healthy member sends one each period.
    expect(pings).toBeLessThanOrEqual(3);
    network.heal();
    expect(network.runUntil(() => deaf.swim.localHealth === 0, 120_000)).toBe(true);
  });

  it("does not rise for a dead target when the relays answer that they heard nothing", () => {
    const network = VirtualNetwork.group(10);
    network.crash(network.node(9));
    network.run(30_000);
    for (const node of network.nodes.slice(0, 9)) {
      expect(node.swim.localHealth).toBe(0);
      expect(node.swim.member(network.node(9).id)?.state).toBe("dead");
    }
  });

  it("rises when the member has to refute a suspicion", () => {
    const network = VirtualNetwork.group(5);
    const accused = network.node(1);
    const { id, incarnation } = accused.swim.self;
    const claim = { type: "suspect" as const, member: id, incarnation, accuser: network.node(2).id };
    const packet = { sender: network.node(2).id, clusterId: null, messages: [claim] };
    network.act(accused, (swim) => swim.receive(network.nowMs, network.node(2).address, packet));
    expect(accused.swim.localHealth).toBe(1);
    expect(accused.swim.self.incarnation).toBe(incarnation + 1);
  });
});
