/**
 * What came out, as tables in Markdown, as figures for programs, and as plots.
 */
import type { Measurement } from "../measuring.ts";
import { median } from "../pairing.ts";
import type { Line, Panel, Plot } from "../plots/plot.ts";
import type { OurMemory, RedisMemory } from "./key-memory.ts";
import type { ScaleRow } from "./scale-row.ts";
import { type Growing, sizeText } from "./sizes.ts";

export interface Speed {
  readonly perSecond: number;
  readonly megabytesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly busy: number;
}

/** Medians; memory in bytes a key. */
export interface ScaleFigure {
  readonly growing: Growing;
  readonly size: number;
  readonly set: Speed;
  readonly get: Speed;
  readonly loadCores: number;
  readonly serverCores: number;
  /** The most that other processes took, in cores. */
  readonly othersCores: number;
  readonly memory: { readonly ours: OurMemory; readonly redis: RedisMemory | null } | null;
}

const BYTES_PER_MEGABYTE = 1_000_000;
interface PlotForm {
  readonly file: string;
  readonly title: string;
  /** Of what grows. */
  readonly label: string;
  /** On which throughput is best seen. */
  readonly scale: Panel["scale"];
}

const PLOTS: Readonly<Record<Growing, PlotForm>> = {
  shards: { file: "scale-shards.svg", title: "Throughput by shards", label: "shards", scale: "linear" },
  nodes: {
    file: "scale-nodes.svg",
    title: "Throughput by nodes",
    label: "nodes, all on one machine",
    scale: "linear",
  },
  valueBytes: {
    file: "scale-values.svg",
    title: "Throughput by size of values",
    label: "bytes of a value",
    scale: "logarithmic",
  },
  keys: { file: "scale-keys.svg", title: "Throughput and memory by keys", label: "keys", scale: "linear" },
};

export const SPEED_HEADING = [
  "| what | connections x P | SET/s | MB/s | p50 / p99 ms | GET/s | MB/s | p50 / p99 ms | load + servers, cores | others, most |",
  "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
].join("\n");

export function figureOf({ growing, size, shape, sets, gets, memory }: ScaleRow): ScaleFigure {
  const all = [...sets, ...gets];
  const sum = (values: readonly number[]) => values.reduce((one, other) => one + other, 0);
  return {
    growing,
    size,
    set: speedOf(sets, shape.data.valueBytes),
    get: speedOf(gets, shape.data.valueBytes),
    loadCores: median(all.map(({ loadCores }) => loadCores)),
    serverCores: median(all.map(({ serverCores }) => sum(serverCores))),
    othersCores: Math.max(...all.map(({ foreignCores }) => foreignCores)),
    memory,
  };
}

function speedOf(measured: readonly Measurement[], valueBytes: number): Speed {
  const of = (read: (measurement: Measurement) => number) => median(measured.map(read));
  const perSecond = of((measurement) => measurement.perSecond);
  return {
    perSecond,
    megabytesPerSecond: (perSecond * valueBytes) / BYTES_PER_MEGABYTE,
    p50Ms: of(({ outcome }) => outcome.p50Ms),
    p99Ms: of(({ outcome }) => outcome.p99Ms),
    busy: measured.reduce((busy, { outcome }) => busy + outcome.busy, 0),
  };
}

export function speedLine({ shape }: ScaleRow, figure: ScaleFigure): string {
  const { growing, size, set, get, loadCores, serverCores, othersCores } = figure;
  const cells = [
    `${sizeText(growing, size)} ${growing === "valueBytes" ? "a value" : growing}`,
    `${shape.connections} x ${shape.pipeline}`,
    ...speedCells(set),
    ...speedCells(get),
    `${loadCores.toFixed(2)} + ${serverCores.toFixed(2)}`,
    othersCores.toFixed(2),
  ];
  return `| ${cells.join(" | ")} |`;
}

function speedCells({ perSecond, megabytesPerSecond, p50Ms, p99Ms, busy }: Speed): readonly string[] {
  const rate = Math.round(perSecond).toLocaleString("en");
  return [
    busy === 0 ? rate : `${rate} (${busy} busy)`,
    megabytesPerSecond.toPrecision(3),
    `${p50Ms.toPrecision(3)} / ${p99Ms.toPrecision(3)}`,
  ];
}

/** Of the sizes whose memory was looked at; empty when there are none. */
export function memoryTable(figures: readonly ScaleFigure[]): string {
  const lines = figures.flatMap(({ size, memory }) => {
    if (memory === null) return [];
    const { ours, redis } = memory;
    const cells = [
      ...[ours.held, ours.logs, ours.accounted, redis?.held],
      ratio(ours.held, redis?.held),
      ratio(ours.held - ours.logs, redis?.held),
      ...[ours.resident, redis?.resident],
      ratio(ours.resident, redis?.resident),
    ].map((cell) => (typeof cell === "number" ? cell.toFixed(0) : (cell ?? "")));
    return [`| ${[size.toLocaleString("en"), ...cells].join(" | ")} |`];
  });
  if (lines.length === 0) return "";
  return [
    "| bytes a key, with as many keys | a node: heap and external | of it logs | accounted | redis-server: used | ratio | without logs | a node: resident | redis-server: resident | ratio |",
    "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ...lines,
  ].join("\n");
}

function ratio(ours: number, theirs: number | undefined): string {
  return theirs === undefined ? "" : (ours / theirs).toFixed(2);
}

/** What a node and a redis-server hold for each key, where both were looked at. */
function memoryLines(figures: readonly ScaleFigure[]): readonly Line[] {
  const held = figures.flatMap(({ size, memory }) => (memory === null ? [] : [{ size, memory }]));
  const ours = held.map(({ size, memory }) => ({ size, value: memory.ours.held }));
  const redis = held.flatMap(({ size, memory }) =>
    memory.redis === null ? [] : [{ size, value: memory.redis.held }],
  );
  return [
    { name: "a node", points: ours },
    { name: "redis-server", points: redis },
  ].filter(({ points }) => points.length > 0);
}

/** One plot for each thing that grew, and the file it belongs in. */
export function plotsOf(
  figures: readonly ScaleFigure[],
): readonly { readonly file: string; readonly plot: Plot }[] {
  const things = [...new Set(figures.map(({ growing }) => growing))];
  return things.map((growing) => {
    const { file, title, label, scale } = PLOTS[growing];
    const own = figures.filter((figure) => figure.growing === growing);
    const panels: Panel[] = [
      { label: "operations a second", scale, lines: lines(own, ["SET", "GET"], (each) => each.perSecond) },
    ];
    if (growing === "valueBytes")
      panels.push({
        label: "MB a second",
        scale: "linear",
        lines: lines(own, ["SET", "GET"], (each) => each.megabytesPerSecond),
      });
    const memory = memoryLines(own);
    if (memory.length > 0) panels.push({ label: "memory, bytes a key", scale: "linear", lines: memory });
    return {
      file,
      plot: {
        title,
        label: `${label} (logarithmic)`,
        sizeText: (size) => sizeText(growing, size),
        panels,
      },
    };
  });
}

function lines(
  figures: readonly ScaleFigure[],
  names: readonly ["SET", "GET"],
  read: (speed: Speed) => number,
): readonly Line[] {
  const picks = [({ set }: ScaleFigure) => set, ({ get }: ScaleFigure) => get];
  return names.map((name, at) => ({
    name,
    points: figures.map((figure) => ({
      size: figure.size,
      value: read((picks[at] as (figure: ScaleFigure) => Speed)(figure)),
    })),
  }));
}
