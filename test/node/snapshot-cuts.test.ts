import { expect, test } from "vitest";
import { groupId } from "../../src/base/ids.ts";
import { ShardMachine } from "../../src/node/shard-machine.ts";
import { VirtualCluster } from "../support/virtual-cluster.ts";

const SHARD = groupId(1);
const CUTS = 5;

test("a late joiner's snapshot is cut five times while writes go on: one is begun, five times it goes on", async () => {
  const cluster = new VirtualCluster(31);
  const first = cluster.start(1, [], { shards: 1, snapshotBytesPerSecondMax: 512 * 1024 });
  await cluster.until(() => cluster.ready, 3_000);
  const { cache, bulk, transfers } = first.node;
  for (let turn = 0; turn < 11_000; turn++) {
    void cache.put(`key:${turn % 3_000}`, `${turn}:${"x".repeat(600)}`);
    await cluster.run(0.01);
  }
  let failed = 0;
  let written = 0;
  const second = cluster.start(2, [1]);
  // The small one of the system group first, so that only the shard's is cut.
  const shardAlone = (): boolean => transfers.counters.started === 2 && transfers.counters.sent === 1;
  expect(await cluster.until(shardAlone, 60_000)).toBe(true);
  const write = (): void => {
    void cache.put(`live:${written++ % 500}`, String(written)).catch(() => failed++);
  };
  for (let cut = 1; cut <= CUTS; cut++) {
    const before = bulk.counters.bytesSent;
    expect(await cluster.until(() => bulk.counters.bytesSent > before + 100_000, 5_000)).toBe(true);
    cluster.network.breakStreams(first.address, second.address, "reset");
    for (let turn = 0; turn < 50; turn++) {
      write();
      await cluster.run(2);
    }
    expect(await cluster.until(() => bulk.counters.resumed === cut, 10_000)).toBe(true);
  }
  const digests = (): (bigint | number | string | null)[] =>
    cluster.living.map(({ node }) => {
      const machine = node.groups.get(SHARD)?.machine;
      return machine instanceof ShardMachine ? String(machine.cache.digest()) : null;
    });
  const same = (): boolean => cluster.settledWith(2) && new Set(digests()).size === 1;
  expect(await cluster.until(same, 60_000)).toBe(true);
  expect(written).toBe(CUTS * 50);
  expect(failed).toBe(0);
  expect(transfers.counters).toMatchObject({ started: 2, sent: 2, failed: 0 });
  expect(bulk.counters.resumed).toBe(CUTS);
  expect(first.log.filter((line) => line.includes("snapshot of group 1"))).toEqual([]);
  expect(second.node.bulk.counters.bytesReceived).toBeLessThanOrEqual(bulk.counters.bytesSent);
}, 60_000);
