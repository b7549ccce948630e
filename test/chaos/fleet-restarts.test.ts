/**
 * All machines go down at once and come back with other addresses, told the new list of seeds. With disks they are the cluster
 * they were; without, they are a new and empty one.
 */
import { expect } from "vitest";
import { expectWithin, Stopwatch } from "./figures.ts";
import { HostFleet } from "./host-fleet.ts";
import { itOnHosts } from "./hosts.ts";
import { makeDisks } from "./machine-data.ts";
import { untilRead, untilWritten } from "./shard-witness.ts";

const SHARDS = 16;
const BEFORE = [0, 1, 2];
const AFTER = [3, 4, 5];

itOnHosts(
  "with disks, a majority at new addresses serves what the fleet held",
  async () => {
    const disk = makeDisks();
    const fleet = new HostFleet(6);
    const before = BEFORE.map((host) =>
      fleet.launch(host, { seed: fleet.seeds(BEFORE), "data-dir": disk(host) }),
    );
    await Promise.all(before.map((node) => node.untilReady()));
    await fleet.cluster.untilSettled();
    await untilWritten(before[0]?.ready.resp ?? "", SHARDS, 10_000, "kept");
    await Promise.all(before.map((node) => node.kill()));

    const seed = fleet.seeds(AFTER);
    const launch = (machine: number) =>
      fleet.launch(AFTER[machine] ?? 0, { seed, "data-dir": disk(machine) });
    const after = [launch(0), launch(1)];
    const since = new Stopwatch();
    await Promise.all(after.map((node) => node.untilReady()));
    const values = await untilRead(after[0]?.ready.resp ?? "", SHARDS, 30_000);
    expectWithin("fleet restarts: every shard is read, after the start of a majority", since.ms, 15_000);
    expect(new Set(values)).toEqual(new Set(["kept"]));

    after.push(launch(2));
    await Promise.all(after.map((node) => node.untilReady()));
    await fleet.cluster.untilSettled();
    expect(after.map((node) => node.ready.nodeId)).toEqual(before.map((node) => node.ready.nodeId));
    expect(new Set(after.map((node) => node.ready.clusterId))).toEqual(new Set([before[0]?.ready.clusterId]));
  },
  90_000,
);

itOnHosts(
  "without disks, they found one new cluster, and it is empty",
  async () => {
    const fleet = new HostFleet(6);
    const start = (hosts: readonly number[]) =>
      Promise.all(hosts.map((host) => fleet.launch(host, { seed: fleet.seeds(hosts) }).untilReady()));
    const [first] = await start(BEFORE);
    await untilWritten(first?.resp ?? "", SHARDS, 20_000, "lost");
    await Promise.all(fleet.cluster.running.map((node) => node.kill()));

    const since = new Stopwatch();
    const ready = await start(AFTER);
    const values = await untilRead(ready[0]?.resp ?? "", SHARDS, 30_000);
    expectWithin("fleet restarts without disks: every shard is read", since.ms, 15_000);
    expect(new Set(values)).toEqual(new Set([null]));
    const ids = new Set(ready.map(({ clusterId }) => clusterId));
    expect(ids.size).toBe(1);
    expect(ids).not.toContain(first?.clusterId);
  },
  90_000,
);
