import { describe, expect, it } from "vitest";
import { InvariantError } from "../../src/base/assert.ts";
import { VirtualNetwork } from "./virtual-network.ts";

describe("leaving", () => {
  it("is told apart from death by everybody, and completes quickly", () => {
    const network = VirtualNetwork.group(10);
    const leaver = network.node(6);
    const startMs = network.nowMs;
    network.act(leaver, (swim) => swim.leave(network.nowMs));
    expect(network.runUntil(() => network.eventsOf(leaver, "leave-completed").length === 1, 10_000)).toBe(
      true,
    );
    expect(network.nowMs - startMs).toBeLessThan(2_000);
    network.crash(leaver);
    network.run(60_000);
    for (const node of network.nodes.filter((other) => other !== leaver)) {
      const types = node.events.map((entry) => entry.event.type).filter((type) => type.startsWith("member"));
      expect(types).toEqual(["member-left"]);
      expect(network.eventsOf(node, "member-left")).toMatchObject([{ reason: "graceful" }]);
      expect(node.swim.livingCount).toBe(9);
    }
  });

  it("of a lone member completes at once", () => {
    const network = new VirtualNetwork();
    const node = network.start();
    network.act(node, (swim) => swim.leave(network.nowMs));
    network.act(node, (swim) => swim.leave(network.nowMs));
    expect(network.eventsOf(node, "leave-completed")).toHaveLength(1);
    expect(() => node.swim.join(network.nowMs, [])).toThrow(InvariantError);
  });

  it("is not undone by old gossip, as long as the record is kept and after", () => {
    const network = VirtualNetwork.group(3);
    const [watcher, leaver] = [network.node(0), network.node(1)];
    const alive = {
      type: "alive" as const,
      incarnation: leaver.swim.self.incarnation,
      meta: leaver.swim.self.meta,
    };
    network.act(leaver, (swim) => swim.leave(network.nowMs));
    network.run(5_000);
    network.crash(leaver);
    const stale = { sender: network.node(2).id, clusterId: null, messages: [alive] };
    const hear = () =>
      network.act(watcher, (swim) => swim.receive(network.nowMs, network.node(2).address, stale));
    hear();
    expect(watcher.swim.member(leaver.id)?.state).toBe("left");
    network.run(network.options.leftRetentionMs + 10_000);
    expect(watcher.swim.member(leaver.id)).toBeUndefined();
    hear();
    expect(watcher.swim.member(leaver.id)).toBeUndefined();
    expect(network.eventsOf(watcher, "member-joined")).toEqual([]);
  });

  it("is known to a member that joins afterwards, so that it does not believe stale gossip either", () => {
    const network = VirtualNetwork.group(3);
    const leaver = network.node(1);
    const alive = {
      type: "alive" as const,
      incarnation: leaver.swim.self.incarnation,
      meta: leaver.swim.self.meta,
    };
    network.act(leaver, (swim) => swim.leave(network.nowMs));
    network.run(5_000);
    network.crash(leaver);
    const late = network.start();
    network.join(late, [network.node(0).address]);
    network.run(1_000);
    const stale = { sender: network.node(2).id, clusterId: null, messages: [alive] };
    network.act(late, (swim) => swim.receive(network.nowMs, network.node(2).address, stale));
    expect(late.swim.member(leaver.id)).toBeUndefined();
  });

  it.each([5_000, 200_000])("does not keep the same id from coming back %i ms later", (awayMs) => {
    const network = VirtualNetwork.group(4);
    const leaver = network.node(2);
    network.act(leaver, (swim) => swim.leave(network.nowMs));
    network.run(3_000);
    network.crash(leaver);
    network.run(awayMs);
    const again = network.start({ id: leaver.id, address: leaver.address });
    network.join(again, [network.node(0).address]);
    expect(network.runUntil(() => network.converged(), 20_000)).toBe(true);
  });
});
