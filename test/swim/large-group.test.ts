import { describe, expect, it } from "vitest";
import { VirtualNetwork } from "./virtual-network.ts";

describe("a large group", () => {
  // A thousand take a minute or more: asked for by CREMA_SLOW_TESTS=1.
  const sizes = process.env.CREMA_SLOW_TESTS === undefined ? [250] : [250, 1_000];
  it.each(sizes)(
    "of %i joins, agrees, and sees a crash, without a false positive",
    { timeout: 180_000 },
    (size) => {
      const network = VirtualNetwork.group(size);
      expect(network.converged()).toBe(true);
      network.crash(network.node(size / 2));
      expect(network.runUntil(() => network.converged(), 60_000)).toBe(true);
      const died = network.nodes.map((node) => network.eventsOf(node, "member-died").length);
      expect(died.reduce((sum, count) => sum + count, 0)).toBe(size - 1);
    },
  );
});
