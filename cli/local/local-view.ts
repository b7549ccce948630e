/**
 * What `crema local` shows: the processes it runs, and which node leads and holds which shard.
 */
import type { ClusterStatus, ShardStatus } from "../../src/index.ts";
import { holds } from "../operator/status-view.ts";
import type { Colours } from "../terminal/colours.ts";
import { type Cell, textTable } from "../terminal/text-table.ts";
import type { ChildState, ReadyAddresses } from "./child-node.ts";

/** One process as the view shows it. */
export interface LocalNode {
  readonly name: string;
  readonly state: ChildState;
  readonly pid: number | null;
  readonly ending: string | null;
  readonly addresses: ReadyAddresses | null;
}

/** A node whose process has not been started yet. */
export function waitingNode(name: string): LocalNode {
  return { name, state: "starting", pid: null, ending: null, addresses: null };
}

const SHARDS_PER_ROW = 16;
const SHARDS_SHOWN_MAX = 64;

/** How far the cluster has come, in one line; the same text as long as nothing changed. */
export function progressText(nodes: readonly LocalNode[], status: ClusterStatus | null): string {
  const running = nodes.filter((node) => node.pid !== null && node.state !== "gone").length;
  if (status === null) return `${running} of ${nodes.length} processes run, no member answers yet`;
  const alive = status.members.filter((member) => member.state === "alive").length;
  const led = status.shards.filter((shard) => shard.leader !== null).length;
  const copies = Math.min(status.replicationFactor, nodes.length);
  const full = status.shards.filter((shard) => isFull(shard, copies)).length;
  return (
    `${alive} of ${nodes.length} nodes found each other, ` +
    `${led} of ${status.shardCount} leaders elected, ${full} of ${status.shardCount} shards on ${copies} nodes`
  );
}

/** Whether everything that `crema local` set out to start is there. */
export function isComplete(nodes: readonly LocalNode[], status: ClusterStatus): boolean {
  const copies = Math.min(status.replicationFactor, nodes.length);
  return (
    status.members.filter((member) => member.state === "alive").length === nodes.length &&
    status.shards.length === status.shardCount &&
    status.shards.every((shard) => shard.leader !== null && isFull(shard, copies))
  );
}

/** The table of processes, and below it the map of shards. */
export function localLines(
  nodes: readonly LocalNode[],
  status: ClusterStatus | null,
  colours: Colours,
): readonly string[] {
  const lines = nodeLines(nodes, status, colours);
  return status === null ? lines : [...lines, "", ...shardMap(nodes, status, colours)];
}

function nodeLines(
  nodes: readonly LocalNode[],
  status: ClusterStatus | null,
  colours: Colours,
): readonly string[] {
  const columns = [
    { title: "NODE" },
    { title: "PID", align: "right" },
    { title: "CLUSTER" },
    { title: "REDIS", align: "right" },
    { title: "HTTP", align: "right" },
    { title: "LEADS", align: "right" },
    { title: "HOLDS", align: "right" },
    { title: "STATE" },
  ] as const;
  const rows = nodes.map((node): readonly Cell[] => {
    const id = node.addresses?.nodeId;
    const shards = status?.shards ?? [];
    return [
      node.name,
      node.pid === null ? "-" : String(node.pid),
      node.addresses?.cluster ?? "-",
      portOf(node.addresses?.resp),
      portOf(node.addresses?.http),
      String(shards.filter((shard) => shard.leader === id).length),
      String(shards.filter((shard) => id !== undefined && holds(shard, id)).length),
      stateCell(node, status, colours),
    ];
  });
  return textTable(columns, rows, colours.dim);
}

function stateCell(node: LocalNode, status: ClusterStatus | null, colours: Colours): Cell {
  const member = status?.members.find((candidate) => candidate.nodeId === node.addresses?.nodeId);
  if (node.ending !== null) {
    const asSeen = member === undefined ? "" : `, ${member.state} to the others`;
    return { text: `gone (${node.ending}${asSeen})`, paint: colours.red };
  }
  if (node.pid === null) return { text: "waiting", paint: colours.dim };
  if (member === undefined) return { text: "starting", paint: colours.yellow };
  return { text: member.state, paint: member.state === "alive" ? colours.green : colours.yellow };
}

function shardMap(nodes: readonly LocalNode[], status: ClusterStatus, colours: Colours): readonly string[] {
  const lines: string[] = [];
  const nameWidth = Math.max(5, ...nodes.map((node) => node.name.length));
  for (let first = 0; first < Math.min(status.shards.length, SHARDS_SHOWN_MAX); first += SHARDS_PER_ROW) {
    const shards = status.shards.slice(first, first + SHARDS_PER_ROW);
    const numbers = shards.map((shard) => String(shard.shard).padStart(3)).join("");
    lines.push(colours.dim(`${"SHARD".padEnd(nameWidth)}  ${numbers}`));
    for (const node of nodes) {
      const marks = shards.map((shard) => `  ${roleMark(shard, node.addresses?.nodeId, colours)}`).join("");
      lines.push(`${node.name.padEnd(nameWidth)}  ${marks}`);
    }
  }
  const hidden = status.shards.length - SHARDS_SHOWN_MAX;
  if (hidden > 0) lines.push(colours.dim(`and ${hidden} more; 'crema shards' lists all`));
  lines.push(colours.dim(`${" ".repeat(nameWidth)}    ● leads   ○ votes   ◌ learns   · holds no copy`));
  return lines;
}

function roleMark(shard: ShardStatus, nodeId: string | undefined, colours: Colours): string {
  if (shard.leader === nodeId) return colours.green("●");
  if (shard.voters.some((voter) => voter === nodeId)) return "○";
  if (shard.learners.some((learner) => learner === nodeId)) return colours.yellow("◌");
  return colours.dim("·");
}

function isFull(shard: ShardStatus, copies: number): boolean {
  return shard.voters.length === copies && shard.learners.length === 0 && !shard.joint;
}

function portOf(address: string | undefined): string {
  return address?.slice(address.lastIndexOf(":") + 1) ?? "-";
}
