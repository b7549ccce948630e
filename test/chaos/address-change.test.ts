/**
 * A machine with a disk gets another address, as virtual machines and pods do when they are started again: it is the same
 * member, and nobody votes on that.
 */
import { expect } from "vitest";
import { waitUntil } from "../integration/wait-until.ts";
import { expectWithin, Stopwatch } from "./figures.ts";
import { HostFleet } from "./host-fleet.ts";
import { itOnHosts } from "./hosts.ts";
import { makeDisks } from "./machine-data.ts";
import { askEveryShard, untilWritten } from "./shard-witness.ts";

const SHARDS = 16;

itOnHosts(
  "a node that comes back at another address is the same member at once, without a change of voters",
  async () => {
    const disk = makeDisks();
    const fleet = new HostFleet(4);
    const seed = fleet.seeds([0, 1, 2]);
    const nodes = [0, 1, 2].map((host) => fleet.launch(host, { seed, "data-dir": disk(host) }));
    await Promise.all(nodes.map((node) => node.untilReady()));
    await fleet.cluster.untilSettled();
    const [witness, , moving] = nodes;
    if (witness === undefined || moving === undefined) throw new Error("three nodes were started");
    await untilWritten(witness.ready.resp, SHARDS, 10_000, "kept");
    await witness.followEvents();

    expect(await moving.terminate()).toMatchObject({ code: 0 });
    const moved = fleet.launch(3, { seed, "data-dir": disk(2) });
    // The process lives from its first words on: how long a busy machine takes to get there is not the node's doing.
    await waitUntil("the process has begun", 10_000, () => moved.lines.length > 0 || null);
    const since = new Stopwatch();
    const member = async () =>
      (await witness.status()).members.find(({ nodeId }) => nodeId === moving.ready.nodeId);
    await waitUntil("the map has the new address", 30_000, async () =>
      (await member())?.address === fleet.seeds([3]) ? true : null,
    );
    expectWithin("address change: the map names it", since.ms, 2_000);
    expect((await moved.untilReady()).nodeId).toBe(moving.ready.nodeId);
    // Gossip has to find out first that nobody answers at the old address any more: a probe or two.
    await waitUntil("gossip has it alive there", 30_000, () =>
      witness.events.some(
        (event) => event.type === "member-joined" && event.address.host === fleet.hosts.address(3),
      )
        ? true
        : null,
    );
    expectWithin("address change: gossip has it alive there", since.ms, 3_000);
    await fleet.cluster.untilSettled();
    expect(witness.events.filter(({ type }) => type === "configuration-changed")).toEqual([]);
    expect((await witness.status()).members).toHaveLength(3);
    for (const { value } of await askEveryShard(moved.ready.resp, SHARDS, (key) => ["GET", key]))
      expect(value).toBe("kept");
  },
  90_000,
);
