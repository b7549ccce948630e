/**
 * The cluster in tables of 80 columns: who is a member, and who holds, leads and votes in which shard.
 */
import type { ClusterStatus, GroupStatus, MemberStatus } from "../../src/index.ts";
import type { Colours } from "../terminal/colours.ts";
import { type Cell, textTable } from "../terminal/text-table.ts";
import { NodeLabels } from "./node-labels.ts";

/** Headline, members and shards. */
export function statusLines(status: ClusterStatus, colours: Colours): readonly string[] {
  return [headline(status, colours), "", ...memberLines(status, colours), "", ...shardLines(status, colours)];
}

export function memberLines(status: ClusterStatus, colours: Colours): readonly string[] {
  const labels = labelsOf(status);
  const columns = [
    { title: "NODE" },
    { title: "NAME" },
    { title: "STATE" },
    { title: "ZONE" },
    { title: "CLUSTER" },
    { title: "REDIS", align: "right" },
    { title: "HTTP", align: "right" },
    { title: "LEADS", align: "right" },
    { title: "HOLDS", align: "right" },
  ] as const;
  const rows = status.members.map((member): readonly Cell[] => [
    labels.of(member.nodeId),
    member.name === "" || member.name === member.address ? "-" : member.name,
    { text: member.self ? `${member.state} (asked)` : member.state, paint: statePaint(member, colours) },
    member.zone === "" ? "-" : member.zone,
    member.address,
    portText(member.respPort),
    portText(member.httpPort),
    String(status.shards.filter((shard) => shard.leader === member.nodeId).length),
    String(status.shards.filter((shard) => holds(shard, member.nodeId)).length),
  ]);
  return textTable(columns, rows, colours.dim);
}

export function shardLines(status: ClusterStatus, colours: Colours): readonly string[] {
  const labels = labelsOf(status);
  const columns = [
    { title: "SHARD", align: "right" },
    { title: "LEADER" },
    { title: "TERM", align: "right" },
    { title: "COMMIT", align: "right" },
    { title: "APPLY", align: "right" },
    { title: "VOTERS" },
    { title: "LEARNERS" },
    { title: "STATE" },
  ] as const;
  const groups: readonly (readonly [string, GroupStatus])[] = [
    ["system", status.system],
    ...status.shards.map((shard) => [String(shard.shard), shard] as const),
  ];
  const rows = groups.map(([name, group]): readonly Cell[] => [
    name,
    group.leader === null
      ? { text: "none", paint: colours.red }
      : { text: labels.of(group.leader), paint: colours.green },
    String(group.term),
    String(group.commitIndex),
    String(group.applyIndex),
    labels.all(group.voters),
    labels.all(group.learners),
    groupState(group, status.members, colours),
  ]);
  return textTable(columns, rows, colours.dim);
}

function headline(status: ClusterStatus, colours: Colours): string {
  const led = status.shards.filter((shard) => shard.leader !== null).length;
  const alive = status.members.filter((member) => member.state === "alive").length;
  const paint = led === status.shardCount ? colours.green : colours.yellow;
  return [
    `cluster ${status.clusterId ?? "none yet"}`,
    `${alive} of ${status.members.length} members alive`,
    paint(`${led} of ${status.shardCount} shards led`),
    `map version ${status.mapVersion}`,
  ].join("   ");
}

/** `ok`, or what is going on: no leader or nobody to elect one, a joint change, replicas on their way, too few of them. */
function groupState(group: GroupStatus, members: readonly MemberStatus[], colours: Colours): Cell {
  if (group.leader === null)
    return { text: hasQuorum(group, members) ? "no leader" : "no quorum", paint: colours.red };
  if (group.joint) return { text: "changing", paint: colours.yellow };
  const settled = group.learners.length === 0 && sameNodes(group.voters, group.wanted);
  return settled ? { text: "ok", paint: colours.dim } : { text: "moving", paint: colours.yellow };
}

/** Whether a majority of the voters may answer: who is suspected may not. */
function hasQuorum({ voters, wanted }: GroupStatus, members: readonly MemberStatus[]): boolean {
  const deciding = voters.length === 0 ? wanted : voters;
  const silent = deciding.filter((voter) => {
    const state = members.find(({ nodeId }) => nodeId === voter)?.state;
    return state === "dead" || state === "suspect" || state === "left";
  });
  return deciding.length === 0 || silent.length * 2 < deciding.length;
}

function sameNodes(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((node) => right.includes(node));
}

export function holds(group: GroupStatus, nodeId: string): boolean {
  return [...group.voters, ...group.learners].some((holder) => holder === nodeId);
}

export function statePaint(member: MemberStatus, colours: Colours): (text: string) => string {
  switch (member.state) {
    case "alive":
      return colours.green;
    case "dead":
      return colours.red;
    case "left":
      return colours.dim;
    default:
      return colours.yellow;
  }
}

/** Labels for every node the status mentions. */
export function labelsOf(status: ClusterStatus): NodeLabels {
  const groups = [status.system, ...status.shards];
  return new NodeLabels([
    ...status.members.map((member) => member.nodeId),
    ...groups.flatMap((group) => [
      ...group.voters,
      ...group.learners,
      ...(group.leader === null ? [] : [group.leader]),
    ]),
  ]);
}

function portText(port: number): string {
  return port === 0 ? "-" : String(port);
}
