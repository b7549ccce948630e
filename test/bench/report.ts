/**
 * What came out, for people and for programs.
 */
import type { Measurement } from "./measuring.ts";
import { median, type Pair, type PairedRun } from "./pairing.ts";
import type { Row } from "./rows.ts";
import { table } from "./table.ts";

export interface RowResult {
  readonly row: Row;
  readonly run: PairedRun<Measurement>;
}

/** One figure of a row. `ratio`: ours by the peer's, the median over the pairs. */
export interface Figure {
  readonly name: string;
  readonly ours: number;
  readonly peer: number | null;
  readonly ratio: number | null;
  readonly unit: "/s" | "ms";
}

type Read = (measurement: Measurement) => number;

/** A load that takes more of a core than this may be what limits the row. */
const LOAD_CORES_SUSPECT = 0.9;

const perSecond: Read = (measurement) => measurement.perSecond;
const p50Ms: Read = ({ outcome }) => outcome.p50Ms;
const p99Ms: Read = ({ outcome }) => outcome.p99Ms;
const loadCores: Read = (measurement) => measurement.loadCores;

export function figuresOf({ row, run }: RowResult): readonly Figure[] {
  if (row.figure === "rate") return [figure(row.name, run, perSecond, "/s")];
  return [figure(`${row.name}, p50`, run, p50Ms, "ms"), figure(`${row.name}, p99`, run, p99Ms, "ms")];
}

/** Two tables in Markdown: what was measured, and what the machine did meanwhile. */
export function tablesOf(results: readonly RowResult[]): string {
  const speed = results.flatMap((result) => {
    const { run } = result;
    return figuresOf(result).map(({ name, ours, peer, ratio, unit }) => {
      const read = unit === "/s" ? perSecond : name.endsWith("p50") ? p50Ms : p99Ms;
      const latencies = [latencyText(run, (pair) => pair.ours), latencyText(run, (pair) => pair.peer)];
      return [
        name,
        numberText(ours, unit),
        numberText(peer, unit),
        ratioText(ratio),
        spreadText(run, read),
        ...latencies,
      ];
    });
  });
  const machine = results.map((result) => {
    const { row, run } = result;
    return [
      row.name,
      coresText(run, (pair) => pair.ours),
      coresText(run, (pair) => pair.peer),
      `${most(run, ({ foreignCores }) => foreignCores)} / ${most(run, ({ stealCores }) => stealCores)}`,
      `${run.runAgain} / ${run.disturbed}`,
      notesOf(result),
    ];
  });
  return [
    table(
      ["work", "ours", "peer", "ratio", "ratio of each pair", "p50 / p99 ms, ours", "p50 / p99 ms, peer"],
      speed,
    ),
    table(
      [
        "cores used",
        "ours: load + servers",
        "peer: load + servers",
        "others / steal, most",
        "pairs run again / disturbed",
        "notes",
      ],
      machine,
    ),
  ].join("\n\n");
}

function figure(name: string, run: PairedRun<Measurement>, read: Read, unit: Figure["unit"]): Figure {
  const ours = median(run.pairs.map((pair) => read(pair.ours)));
  const peers = run.pairs.flatMap(({ peer }) => (peer === null ? [] : [read(peer)]));
  if (peers.length === 0) return { name, ours, peer: null, ratio: null, unit };
  return { name, ours, peer: median(peers), ratio: median(ratios(run, read)), unit };
}

function ratios(run: PairedRun<Measurement>, read: Read): readonly number[] {
  return run.pairs.flatMap(({ ours, peer }) => (peer === null ? [] : [read(ours) / read(peer)]));
}

function notesOf({ row, run }: RowResult): string {
  const notes: string[] = [];
  for (const [who, pick] of [
    ["ours", (pair: Pair<Measurement>) => pair.ours],
    ["peer", (pair: Pair<Measurement>) => pair.peer],
  ] as const) {
    const measured = run.pairs.flatMap((pair) => pick(pair) ?? []);
    if (measured.length === 0) continue;
    const busy = measured.reduce((sum, { outcome }) => sum + outcome.busy, 0);
    if (busy > 0) notes.push(`${who}: ${busy} refused as busy`);
    // An embedded node is its own load.
    if (row.ours.work.type !== "embedded" && median(measured.map(loadCores)) > LOAD_CORES_SUSPECT)
      notes.push(`${who}: limited by the load`);
  }
  return notes.join("; ");
}

function latencyText(
  run: PairedRun<Measurement>,
  pick: (pair: Pair<Measurement>) => Measurement | null,
): string {
  const measured = run.pairs.flatMap((pair) => pick(pair) ?? []);
  if (measured.length === 0) return "";
  return `${numberText(median(measured.map(p50Ms)), "ms")} / ${numberText(median(measured.map(p99Ms)), "ms")}`;
}

function coresText(
  run: PairedRun<Measurement>,
  pick: (pair: Pair<Measurement>) => Measurement | null,
): string {
  const measured = run.pairs.flatMap((pair) => pick(pair) ?? []);
  const [first] = measured;
  if (first === undefined) return "";
  const cores = [
    median(measured.map(loadCores)),
    ...first.serverCores.map((_, at) => median(measured.map(({ serverCores }) => serverCores[at] ?? 0))),
  ];
  return cores.map((each) => each.toFixed(2)).join(" + ");
}

function spreadText(run: PairedRun<Measurement>, read: Read): string {
  return ratios(run, read)
    .map((ratio) => ratio.toFixed(2))
    .join(" ");
}

function most(run: PairedRun<Measurement>, read: Read): string {
  const values = run.pairs.flatMap(({ ours, peer }) => [ours, ...(peer === null ? [] : [peer])]).map(read);
  return Math.max(...values).toFixed(2);
}

function ratioText(ratio: number | null): string {
  return ratio === null ? "" : `${ratio.toFixed(2)}`;
}

function numberText(value: number | null, unit: Figure["unit"]): string {
  if (value === null) return "";
  if (unit === "/s") return Math.round(value).toLocaleString("en");
  return value < 0.01 ? "< 0.01" : value.toPrecision(3);
}
