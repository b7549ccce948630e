/** What a node says of a group arrives as it was said. */
import { expect, test } from "vitest";
import { groupId } from "../../src/base/ids.ts";
import { decodeReport, encodeReport, type GroupReport } from "../../src/cluster/group-report.ts";
import { node, nodes } from "./virtual-group.ts";

test("a report arrives with every field it was sent with, and none too few is taken for one", () => {
  const report: GroupReport = {
    group: groupId(3),
    leader: node("a"),
    isLeader: true,
    term: 4,
    commitIndex: 5,
    applyIndex: 6,
    voters: nodes("a", "b"),
    votersOutgoing: nodes("c"),
    learners: nodes("d"),
    mapVersion: 7,
    lagging: nodes("b"),
    learning: [{ nodeId: node("d"), entriesBehind: 8, snapshot: true }],
    stateBytes: 9,
  };
  const sent = encodeReport(report) as readonly unknown[];
  expect(decodeReport(sent)).toEqual(report);
  expect(() => decodeReport(sent.slice(0, -1))).toThrow("thirteen fields");
  expect(() => decodeReport([...sent.slice(0, -1), -1])).toThrow("no such number");
});
