/**
 * A machine with a disk gets another address, as virtual machines and pods do when they are started again: it is the same
 * member, and nobody votes on that.
 */
import { expect } from "vitest";
import { waitUntil } from "../integration/wait-until.ts";
import { expectWithin, Stopwatch, tell } from "./figures.ts";
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
    const since = new Stopwatch();
    await waitUntil("the cluster knows the new address", 30_000, async () => {
      const { members } = await witness.status();
      const member = members.find(({ nodeId }) => nodeId === moving.ready.nodeId);
      return member?.state === "alive" && member.address === fleet.seeds([3]) ? true : null;
    });
    expectWithin("address change: accepted after the start of the process", since.ms, 2_000);
    expect((await moved.untilReady()).nodeId).toBe(moving.ready.nodeId);
    tell(`address change: ready ${since.ms} ms after the start of the process`);
    await fleet.cluster.untilSettled();
    expect(witness.events.filter(({ type }) => type === "configuration-changed")).toEqual([]);
    expect((await witness.status()).members).toHaveLength(3);
    for (const { value } of await askEveryShard(moved.ready.resp, SHARDS, (key) => ["GET", key]))
      expect(value).toBe("kept");
  },
  90_000,
);
