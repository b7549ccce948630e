/**
 * The rebalancing in lines of 100 columns: how it stands, what each node carries and should, and what is on its way.
 */
import type { GroupMove, RebalanceStatus } from "../../src/index.ts";
import type { Colours } from "../terminal/colours.ts";
import { type Cell, textTable } from "../terminal/text-table.ts";
import { NodeLabels } from "./node-labels.ts";

/** Moves that are listed; the rest is counted. */
const MOVES_LISTED_MAX = 32;

export function rebalanceLines(status: RebalanceStatus, colours: Colours): readonly string[] {
  const labels = new NodeLabels([
    ...status.nodes.map(({ nodeId }) => nodeId),
    ...status.moves.flatMap(({ leader, from, to }) => [...from, ...to, ...(leader === null ? [] : [leader])]),
  ]);
  const lines = [
    headline(status, colours),
    counts(status, colours),
    distance(status),
    "",
    ...nodeLines(status, labels, colours),
  ];
  if (status.moves.length === 0) return lines;
  const hidden = status.moves.length - MOVES_LISTED_MAX;
  return [
    ...lines,
    "",
    ...moveLines(status.moves.slice(0, MOVES_LISTED_MAX), labels, colours),
    ...(hidden > 0 ? [colours.dim(`and ${hidden} more`)] : []),
  ];
}

function headline({ paused, movesMax }: RebalanceStatus, colours: Colours): string {
  const most = movesMax === null ? "" : `, at most ${movesMax} shards at once`;
  return paused ? colours.yellow("rebalancing is paused") : `${colours.green("rebalancing is on")}${most}`;
}

function counts({ shards }: RebalanceStatus, colours: Colours): string {
  const { settled, moving, waiting, stuck } = shards;
  return [
    `shards: ${settled} settled`,
    `${moving} moving`,
    ...(waiting > 0 ? [`${waiting} waiting for room`] : []),
    ...(shards.paused > 0 ? [colours.yellow(`${shards.paused} held back by the pause`)] : []),
    ...(stuck > 0 ? [colours.red(`${stuck} stuck without a majority`)] : []),
  ].join(", ");
}

function distance({ replicasToMove, leadersToMove }: RebalanceStatus): string {
  if (replicasToMove === 0 && leadersToMove === 0) return "to go: nothing, all is where the plan has it";
  return `to go: replicas ${replicasToMove}, leaders ${leadersToMove}`;
}

function nodeLines({ nodes }: RebalanceStatus, labels: NodeLabels, colours: Colours): readonly string[] {
  const columns = [
    { title: "NODE" },
    { title: "REPLICAS", align: "right" },
    { title: "PLANNED", align: "right" },
    { title: "LEADERS", align: "right" },
    { title: "PLANNED", align: "right" },
  ] as const;
  const rows = nodes.map((node): readonly Cell[] => [
    labels.of(node.nodeId),
    count(node.replicas, node.replicasPlanned, colours),
    String(node.replicasPlanned),
    count(node.leaders, node.leadersPlanned, colours),
    String(node.leadersPlanned),
  ]);
  return textTable(columns, rows, colours.dim);
}

function count(now: number, planned: number, colours: Colours): Cell {
  return { text: String(now), paint: now === planned ? colours.green : colours.yellow };
}

function moveLines(moves: readonly GroupMove[], labels: NodeLabels, colours: Colours): readonly string[] {
  const columns = [
    { title: "SHARD", align: "right" },
    { title: "FROM" },
    { title: "TO" },
    { title: "LEADER" },
    { title: "STATE" },
  ] as const;
  const rows = moves.map((move): readonly Cell[] => [
    move.shard === null ? "system" : String(move.shard),
    labels.all(move.from),
    labels.all(move.to),
    move.leader === null ? "-" : labels.of(move.leader),
    {
      text: stateText(move, labels),
      paint: move.state === "stuck" ? colours.red : move.state === "moving" ? colours.cyan : colours.dim,
    },
  ]);
  return textTable(columns, rows, colours.dim);
}

function stateText({ state, phase, to, learning }: GroupMove, labels: NodeLabels): string {
  switch (state) {
    case "stuck":
      return "no majority";
    case "waiting":
      return "waits for room";
    case "paused":
      return "paused";
    case "moving":
      break;
  }
  switch (phase) {
    case "catching-up":
      return learning
        .map(({ nodeId, entriesBehind, snapshot }) =>
          snapshot
            ? `${labels.of(nodeId)} gets a snapshot`
            : `${labels.of(nodeId)} is ${entriesBehind} entries behind`,
        )
        .join(", ");
    case "starting":
      return "begins";
    case "joint":
      return "joint change";
    case "removing":
      return "lets old replicas go";
    case "leader-transfer":
      return to[0] === undefined ? "hands over" : `hands over to ${labels.of(to[0])}`;
    default:
      return "not heard of";
  }
}
