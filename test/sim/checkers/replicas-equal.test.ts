/**
 * States that are equal and states that differ, on the way, after snapshots and at the end.
 */
import { expect, test } from "vitest";
import { clusterId, logIndex } from "../../../src/base/ids.ts";
import type { ClusterMap } from "../../../src/cluster/cluster-map.ts";
import { SystemMachine } from "../../../src/cluster/system-machine.ts";
import type { ShardMachine } from "../../../src/node/shard-machine.ts";
import { ReplicasEqual } from "../../../src/sim/checkers/replicas-equal.ts";
import { batch, inSession, machineWith, open, set } from "./batches.ts";
import { Findings, fakeGroup, fakeLife, noop } from "./support.ts";

const MAP: ClusterMap = {
  version: 1,
  placementVersion: 1,
  clusterId: clusterId("00000000000000cc"),
  shardCount: 1,
  replicationFactor: 1,
  members: [],
  removed: [],
  systemVoters: [],
  shards: [],
  settings: { rebalancePaused: false },
};

const OPEN = batch(2, 10, open());
const PUT = batch(4, 20, inSession(1, 1));
const OTHER_PUT = batch(4, 20, inSession(1, 1, set("other")));

test("equal states are fine, and different ones are found at a sampled index only", () => {
  const findings = new Findings();
  const checker = new ReplicasEqual(findings, { everyIndexes: 4 });
  const replicas = [machineWith(OPEN, PUT), machineWith(OPEN, PUT), machineWith(OPEN, OTHER_PUT)];
  replicas.forEach((machine, at) => {
    checker.applied(fakeLife(at + 1), fakeGroup({ machine }).group, batch(3, 20));
    if (at < 2) checker.applied(fakeLife(at + 1), fakeGroup({ machine }).group, PUT);
  });
  expect(findings.all).toEqual([]);
  checker.applied(fakeLife(3), fakeGroup({ machine: replicas[2] }).group, PUT);
  expect(findings.all).toMatchObject([
    { message: "replicas that applied the same entries hold the same state", lives: ["m3"] },
  ]);
});

test("a snapshot is compared with whoever comes to its index, and must stand where it says", () => {
  const findings = new Findings();
  const checker = new ReplicasEqual(findings);
  const good = machineWith(OPEN, PUT);
  const one = fakeGroup({ machine: good });
  for (const entry of [OPEN, noop(3, 2), PUT, noop(5, 2)]) checker.applied(fakeLife(1), one.group, entry);
  checker.installed(fakeLife(2), fakeGroup({ machine: machineWith(OPEN, PUT), applied: 5 }).group);
  checker.applied(fakeLife(3), fakeGroup({ machine: machineWith(OPEN, PUT) }).group, noop(5, 2));
  expect(findings.all).toEqual([]);
  checker.applied(fakeLife(4), fakeGroup({ machine: machineWith(OPEN, OTHER_PUT) }).group, noop(5, 2));
  checker.installed(fakeLife(5), fakeGroup({ machine: machineWith(OPEN), applied: 4 }).group);
  expect(findings.messages).toEqual([
    "replicas that applied the same entries hold the same state",
    "a snapshot holds what its index says",
  ]);
});

test("at the end all replicas are compared that applied equally much", () => {
  const findings = new Findings();
  const checker = new ReplicasEqual(findings);
  const lives = (machines: readonly ShardMachine[], applied: number) =>
    machines.map((machine, at) =>
      fakeLife(at + 1, 1, "00000000000000cc", [
        fakeGroup({ machine, applied: applied + 2 * Math.max(0, at - 1) }).group,
      ]),
    );
  checker.compareAll(lives([machineWith(OPEN, PUT), machineWith(OPEN, PUT), machineWith(OPEN)], 4));
  expect(findings.all).toEqual([]);
  checker.compareAll(lives([machineWith(OPEN, OTHER_PUT)], 4));
  expect(findings.all).toHaveLength(1);
});

test("maps of the system group are compared as well", () => {
  const findings = new Findings();
  const checker = new ReplicasEqual(findings, { everyIndexes: 1 });
  const hears = (number: number, map: ClusterMap): void => {
    const { group } = fakeGroup({ machine: new SystemMachine(map) }, 0);
    checker.applied(fakeLife(number), group, { ...noop(2, 2), index: logIndex(2) });
  };
  hears(1, MAP);
  hears(2, { ...MAP });
  expect(findings.all).toEqual([]);
  hears(3, { ...MAP, shardCount: 2 });
  expect(findings.all).toHaveLength(1);
});
