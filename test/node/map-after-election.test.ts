/**
 * A version of the cluster map whose leader never told anybody of it.
 */
import { afterEach, expect, test, vi } from "vitest";
import { SYSTEM_GROUP } from "../../src/base/ids.ts";
import { MapSpread } from "../../src/cluster/map-spread.ts";
import { VirtualCluster } from "../support/virtual-cluster.ts";

afterEach(() => void vi.restoreAllMocks());

// Seed 9203191 (6 s, all faults): the leader's disk stood still, so it applied what the others had committed only when it led no more.
test("who comes to lead the system group tells the others of a map that the one before kept to itself", async () => {
  const cluster = new VirtualCluster(77);
  const first = cluster.start(1);
  expect(await cluster.until(() => cluster.ready, 3_000)).toBe(true);
  for (let machine = 2; machine <= 7; machine++) cluster.start(machine, [1]);
  expect(await cluster.until(() => cluster.ready && cluster.settledWith(3), 60_000)).toBe(true);
  const versions = (): number[] => cluster.living.map(({ node }) => node.control.map?.version ?? 0);
  const agreed = (): boolean => new Set(versions()).size === 1;
  expect(await cluster.until(agreed, 10_000)).toBe(true);

  const silent = vi.spyOn(MapSpread.prototype, "announce").mockImplementation(() => {});
  const before = Math.max(...versions());
  await cluster.settle(
    first.node.control.system.propose({ type: "set-settings", settings: { rebalancePaused: true } }, 5_000),
  );
  await cluster.run(5_000);
  expect(silent).toHaveBeenCalled();
  expect(Math.max(...versions())).toBeGreaterThan(before);
  expect(Math.min(...versions()), "no voter of the system group, and nobody told it").toBe(before);

  silent.mockRestore();
  const leader = cluster.living.find(({ node }) => node.groups.get(SYSTEM_GROUP)?.isLeader === true);
  leader?.node.groups.get(SYSTEM_GROUP)?.handOver();
  expect(await cluster.until(agreed, 5_000)).toBe(true);
});
