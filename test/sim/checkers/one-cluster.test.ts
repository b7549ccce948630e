/**
 * Nodes and the clusters they belong to; groups and how they are founded.
 */
import { expect, test } from "vitest";
import { configurationOf } from "../../../src/raft/configuration.ts";
import { OneCluster } from "../../../src/sim/checkers/one-cluster.ts";
import type { Life } from "../../../src/sim/life.ts";
import { Findings, fakeGroup, fakeLife, node } from "./support.ts";

const ONE = "00000000000000aa";
const OTHER = "00000000000000bb";

/** As many events as it takes to be looked at. */
function look(checker: OneCluster, life: Life): void {
  for (let event = 0; event < 8; event++) checker.after(life);
}

test("nodes that come to belong to one cluster are fine", () => {
  const findings = new Findings();
  const checker = new OneCluster(findings);
  for (const clusterId of [null, ONE, ONE])
    for (const number of [1, 2]) look(checker, fakeLife(number, 1, clusterId));
  expect(findings.all).toEqual([]);
});

test("a second cluster is found, once, unless it is expected", () => {
  for (const expectOne of [true, false]) {
    const findings = new Findings();
    const checker = new OneCluster(findings, { expectOne });
    const other = fakeLife(2, 1, OTHER);
    for (const life of [fakeLife(1, 1, ONE), other, other]) look(checker, life);
    expect(findings.messages).toEqual(expectOne ? ["all nodes belong to one cluster"] : []);
  }
});

test("a node that changes its cluster is found", () => {
  for (const first of [ONE, OTHER]) {
    const findings = new Findings();
    const checker = new OneCluster(findings, { expectOne: false });
    look(checker, fakeLife(1, 1, ONE));
    const life: Life = fakeLife(2, 1, first);
    look(checker, life);
    look(checker, Object.assign(life, { node: { ...life.node, clusterId: "00000000000000dd" } }));
    expect(findings.messages).toEqual(["a node belongs to one cluster"]);
  }
});

test("a group founded with two lists of voters is found", () => {
  const findings = new Findings();
  const checker = new OneCluster(findings);
  checker.opened(fakeLife(1), fakeGroup().group);
  checker.opened(fakeLife(2), fakeGroup().group);
  checker.opened(fakeLife(3), fakeGroup({}, 2).group);
  checker.opened(fakeLife(4), fakeGroup({ lastIndex: 7, configuration: configurationOf([node(4)]) }).group);
  expect(findings.all).toEqual([]);
  checker.opened(fakeLife(5), fakeGroup({ configuration: configurationOf([node(5)]) }).group);
  expect(findings.messages).toEqual(["a group is founded by one list of voters"]);
});

test("a replica founded twice under one node id is found", () => {
  const findings = new Findings();
  const checker = new OneCluster(findings);
  const life = fakeLife(1);
  const { group } = fakeGroup();
  checker.opened(life, group);
  // Back from its disk before anything happened in the group.
  const next = fakeLife(1, 2);
  checker.opened(next, group);
  expect(findings.all).toEqual([]);
  checker.opened(next, group);
  expect(findings.messages).toEqual(["a node founds its replica of a group once"]);
});
