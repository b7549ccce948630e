/**
 * What came out, and whether what was meant to disturb did happen.
 */
import type { Outcome } from "../job.ts";
import { median } from "../pairing.ts";
import { table } from "../table.ts";
import type { Evidence } from "./disturbance.ts";
import { READ_SORTS, type ReadSort } from "./reads.ts";
import type { SteadyRow, SteadyWindow } from "./steady-run.ts";

/** Medians over the windows, in ms. */
export interface Latencies {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

export interface SteadyFigure {
  readonly disturbance: string;
  readonly reads: ReadSort;
  /** Of this sort, as measured while disturbed. */
  readonly perSecond: number;
  readonly quiet: Latencies;
  readonly disturbed: Latencies;
  /** The p99 of disturbed windows by that of quiet ones: the median over the pairs. */
  readonly ratio: number;
  readonly ratios: readonly number[];
  /** Reads that were refused, and local ones that found nothing: there must be none, for all keys were stored before. */
  readonly busy: number;
  readonly missing: number;
}

/** Quiet windows may hold so much of what disturbs, by the second: reads are bytes, too. */
const QUIET_SHARE_MAX = 0.05;

export function figuresOf({ kind, run }: SteadyRow): readonly SteadyFigure[] {
  const disturbed = run.pairs.map(({ ours }) => ours);
  const quiet = quietOf(run.pairs);
  return READ_SORTS.map((reads) => {
    const p99s = (windows: readonly SteadyWindow[]) => windows.map((window) => window.reads[reads].p99Ms);
    const quietP99s = p99s(quiet);
    const ratios = p99s(disturbed).map((p99, at) => p99 / (quietP99s[at] as number));
    return {
      disturbance: kind.name,
      reads,
      perSecond: median(disturbed.map((window) => window.reads[reads].operations / window.seconds)),
      quiet: latenciesOf(quiet.map((window) => window.reads[reads])),
      disturbed: latenciesOf(disturbed.map((window) => window.reads[reads])),
      ratio: median(ratios),
      ratios,
      ...counts([...quiet, ...disturbed].map((window) => window.reads[reads])),
    };
  });
}

/**
 * What speaks against the row: windows in which nothing happened that should have, or something that should not, and reads that did
 * not find what was stored.
 */
export function objectionsTo({ kind, run }: SteadyRow): readonly string[] {
  return run.pairs.flatMap(({ ours, peer }, at) => {
    const where = `${kind.name}, pair ${at + 1}`;
    const windows = peer === null ? [ours] : [ours, peer];
    const { missing } = counts(windows.flatMap(({ reads }) => READ_SORTS.map((sort) => reads[sort])));
    const lost = missing > 0 ? [`${where}: ${missing} reads found nothing of what was stored`] : [];
    const wrong = Object.entries(ours.evidence).flatMap(([what, count]) => {
      if (!(count > 0)) return [`${where}: no ${what} while it should have been disturbed`];
      const share = (peer?.evidence[what] ?? 0) / (peer?.seconds ?? 1) / (count / ours.seconds);
      return share > QUIET_SHARE_MAX ? [`${where}: ${what} while it should have been quiet`] : [];
    });
    return [...lost, ...wrong];
  });
}

/** Two tables in Markdown: how long reads took, and what happened meanwhile. */
export function tablesOf(rows: readonly SteadyRow[]): string {
  const latencies = rows.flatMap((row) =>
    figuresOf(row).map(
      ({ disturbance, reads, perSecond, quiet, disturbed, ratio, ratios, busy, missing }) => [
        `${reads} GET, ${disturbance}`,
        Math.round(perSecond).toLocaleString("en"),
        latencyText(quiet),
        latencyText(disturbed),
        ratio.toFixed(2),
        ratios.map((each) => each.toFixed(2)).join(" "),
        `${busy} / ${missing}`,
      ],
    ),
  );
  const circumstances = rows.map(({ kind, run }) => {
    const disturbed = run.pairs.map(({ ours }) => ours);
    const quiet = quietOf(run.pairs);
    const most = (read: (window: SteadyWindow) => number) =>
      Math.max(...[...quiet, ...disturbed].map(read)).toFixed(2);
    return [
      kind.name,
      evidenceText(disturbed.map(({ evidence }) => evidence)),
      median(disturbed.map(({ seconds }) => seconds)).toFixed(1),
      coresText(quiet),
      coresText(disturbed),
      `${most(({ cpu }) => cpu.foreign)} / ${most(({ cpu }) => cpu.steal)}`,
      `${run.runAgain} / ${run.disturbed}`,
    ];
  });
  return [
    table(
      [
        "reads, and what disturbs them",
        "reads/s",
        "quiet: p50 / p99 / p99.9 / max ms",
        "disturbed",
        "p99, disturbed by quiet",
        "of each pair",
        "refused as busy / found nothing",
      ],
      latencies,
    ),
    table(
      [
        "what disturbs",
        "how much of it in a window, at least",
        "seconds",
        "cores, quiet: nodes + reads + others of ours",
        "cores, disturbed",
        "others / steal, most",
        "pairs run again / disturbed by others",
      ],
      circumstances,
    ),
  ].join("\n\n");
}

function quietOf(pairs: SteadyRow["run"]["pairs"]): readonly SteadyWindow[] {
  return pairs.flatMap(({ peer }) => (peer === null ? [] : [peer]));
}

function counts(outcomes: readonly Outcome[]): Pick<SteadyFigure, "busy" | "missing"> {
  return {
    busy: outcomes.reduce((sum, { busy }) => sum + busy, 0),
    missing: outcomes.reduce((sum, { missing }) => sum + missing, 0),
  };
}

function latenciesOf(outcomes: readonly Outcome[]): Latencies {
  const of = (read: (outcome: Outcome) => number) => median(outcomes.map(read));
  return {
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    p999Ms: of(({ tail }) => tail?.p999Ms ?? Number.NaN),
    maxMs: of(({ tail }) => tail?.maxMs ?? Number.NaN),
  };
}

function latencyText({ p50Ms, p99Ms, p999Ms, maxMs }: Latencies): string {
  return [p50Ms, p99Ms, p999Ms, maxMs].map((latency) => latency.toPrecision(3)).join(" / ");
}

function evidenceText(windows: readonly Evidence[]): string {
  const [first = {}] = windows;
  return Object.keys(first)
    .map((what) => {
      const least = Math.min(...windows.map((evidence) => evidence[what] ?? 0));
      return `${least.toFixed(least < 10 ? 1 : 0)} ${what}`;
    })
    .join(", ");
}

function coresText(windows: readonly SteadyWindow[]): string {
  return [
    median(windows.map(({ nodeCores }) => nodeCores)),
    median(windows.map(({ readCores }) => readCores)),
    median(windows.map(({ otherCores }) => otherCores)),
  ]
    .map((cores) => cores.toFixed(2))
    .join(" + ");
}
