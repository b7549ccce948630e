/**
 * A machine is taken out of service in order while clients write: it hands everything over before it goes.
 */
import { expect, it } from "vitest";
import { TestCluster } from "./harness.ts";
import { WriteLoad } from "./load.ts";
import { waitUntil } from "./wait-until.ts";

it.each([1, 4])(
  "SIGTERM of node %i of four under load fails no write",
  async (leaverNumber) => {
    const cluster = new TestCluster();
    const nodes = await cluster.start(4);
    const leaver = nodes[leaverNumber - 1];
    if (leaver === undefined) throw new Error("no node was started");
    const others = nodes.filter((node) => node !== leaver);
    // Clients of the leaving node find its door closed in the end; like every Redis client they then go elsewhere and
    // repeat what had no answer. Clients of the others must not notice anything.
    const ofLeaver = new WriteLoad({
      ports: [leaver, ...others].map((node) => node.respPort),
      workers: 1,
      depth: 8,
      resend: true,
    }).start();
    const ofOthers = new OtherLoad({
      ports: others.map((node) => node.respPort),
      workers: 3,
      depth: 8,
      resend: false,
    }).start();
    await waitUntil("the load runs", 10_000, () =>
      ofLeaver.acknowledgedCount > 100 && ofOthers.acknowledgedCount > 500 ? true : null,
    );

    expect(await leaver.terminate()).toEqual({ code: 0, signal: null });
    const settled = await cluster.untilSettled();
    const acknowledgedBefore = ofLeaver.acknowledgedCount;
    await waitUntil("the clients of the node that left go on", 10_000, () =>
      ofLeaver.acknowledgedCount > acknowledgedBefore + 100 ? true : null,
    );
    await Promise.all([ofLeaver.stop(), ofOthers.stop()]);

    for (const load of [ofLeaver, ofOthers]) {
      expect({ refused: load.refused, unknown: load.unknown }).toEqual({ refused: [], unknown: [] });
      expect(await load.verify(others[0]?.respPort ?? 0)).toEqual([]);
    }
    for (const { voters } of settled.shards) expect(voters).toHaveLength(3);
    expect(settled.members.map((member) => member.nodeId)).not.toContain(leaver.ready.nodeId);
  },
  90_000,
);

/** The same load on keys of its own. */
class OtherLoad extends WriteLoad {
  protected override readonly prefix = "other";
}
