/**
 * Gossip at scale, in virtual time: `npx vitest bench --run test/bench/swim-scale.bench.ts`, some twenty minutes.
 * It prints the tables of docs/benchmarks.md. The figures are of virtual time and seeded: the machine decides only how
 * long it takes. Each table is made once, whatever vitest repeats; what it prints of rates at the end means nothing.
 */
import { bench, describe } from "vitest";
import { type ChurnOptions, type ChurnResult, runChurn } from "../../src/sim/swim-fleet/churn.ts";
import { detectionOf } from "../../src/sim/swim-fleet/detection.ts";
import { disseminationOf } from "../../src/sim/swim-fleet/dissemination.ts";
import type { Distribution } from "../../src/sim/swim-fleet/distribution.ts";
import { FIRST_PROBE_PERIODS_LIMIT } from "../../src/sim/swim-fleet/expectations.ts";
import {
  ALL_OF_LIFEGUARD,
  type LifeguardParts,
  NOTHING_OF_LIFEGUARD,
  runFalsePositives,
  type SlownessOptions,
} from "../../src/sim/swim-fleet/false-positives.ts";

const SEED = 2_026n;
const ONCE = { iterations: 1, time: 0, warmupIterations: 0, warmupTime: 0, throws: true } as const;

/** Members, and crashes and joins measured among them: one at a time, but for the last. */
const FLEETS: readonly ChurnOptions[] = [
  { members: 16, crashes: 1_000, seed: SEED },
  { members: 64, crashes: 500, seed: SEED },
  { members: 250, crashes: 120, seed: SEED },
  { members: 1_000, crashes: 25, seed: SEED },
  { members: 1_000, crashes: 80, crashesAtOnce: 10, seed: SEED },
];
const churns = new Map<ChurnOptions, ChurnResult>();
const FLEET_NAMES = FLEETS.map(
  ({ members, crashesAtOnce = 1 }) =>
    count(members) + (crashesAtOnce > 1 ? `, ${crashesAtOnce} at once` : ""),
);

const SLOW_SHARES = [0.01, 0.05, 0.1, 0.25] as const;
const VARIANTS: Readonly<Record<string, LifeguardParts>> = {
  SWIM: NOTHING_OF_LIFEGUARD,
  "local health alone": { ...NOTHING_OF_LIFEGUARD, localHealth: true },
  "dynamic suspicion alone": { ...NOTHING_OF_LIFEGUARD, dynamicSuspicion: true },
  "buddy system alone": { ...NOTHING_OF_LIFEGUARD, buddySystem: true },
  Lifeguard: ALL_OF_LIFEGUARD,
};
/** Slow for D ms, well for I ms, and again. */
const ANOMALIES = [8_192, 16_384, 32_768].map((anomalyMs) => ({ anomalyMs, intervalMs: 1_024 }));
const SMALL_GROUP = { seed: SEED, members: 128, durationMs: 60_000 } as const;

describe("gossip at scale", () => {
  table("detection", () => detection(FLEETS.map(churnOf)));
  table("dissemination", () => dissemination(FLEETS.map(churnOf)));
  table("false positives, 128 members, paused", paused);
  table("false positives, 128 members, blocked", parts);
  table("false positives, 1,000 members, blocked", thousand);
});

function table(name: string, make: () => void): void {
  let made = false;
  bench(
    name,
    () => {
      if (!made) make();
      made = true;
    },
    ONCE,
  );
}

function churnOf(options: ChurnOptions): ChurnResult {
  const result = churns.get(options) ?? runChurn(options);
  churns.set(options, result);
  return result;
}

function detection(results: readonly ChurnResult[]): void {
  const detections = results.map(detectionOf);
  print(
    "Crashes: time to detection, in protocol periods of 1 s (mean / median / p99)",
    ["members", "crashes", "first probe", "suspected", "declared dead", "known to all", "wrongly dead"],
    detections.map((each, at) => [
      FLEET_NAMES[at] ?? "",
      count(each.crashes),
      spread(each.firstProbe),
      spread(each.firstSuspicion),
      spread(each.firstDeath),
      spread(each.deadForAll),
      count(each.falseDeaths),
    ]),
  );
  print(
    "Crashes: mean measured against the formula, in periods",
    [
      "members",
      "first probe, whole periods",
      `expected (limit ${FIRST_PROBE_PERIODS_LIMIT.toFixed(3)})`,
      "longest",
      "bound 2n - 1",
      "suspected",
      "expected",
      "declared dead",
      "expected",
    ],
    detections.map(({ expected, ...each }, at) => [
      FLEET_NAMES[at] ?? "",
      each.firstProbeRounds.mean.toFixed(3),
      expected.firstProbeRounds.toFixed(3),
      count(each.firstProbeRounds.max),
      count(expected.firstProbeMax),
      each.firstSuspicion.mean.toFixed(2),
      expected.firstSuspicion.toFixed(2),
      each.firstDeath.mean.toFixed(2),
      expected.firstDeath.toFixed(2),
    ]),
  );
}

function dissemination(results: readonly ChurnResult[]): void {
  print(
    "News of one member: time until all others have it, in ms (mean / median / p99)",
    [
      "members",
      "ln n",
      "suspicion",
      "death",
      "join",
      "expected, quiet .. busy",
      "joins gossip missed",
      "expected",
    ],
    results
      .map(disseminationOf)
      .map(({ expected, ...each }) => [
        count(each.members),
        Math.log(each.members).toFixed(2),
        spread(each.suspicion, 0),
        spread(each.death, 0),
        spread(each.join, 0),
        `${expected.quietMs.toFixed(0)} .. ${expected.busyMs.toFixed(0)}`,
        percent(each.joinsMissed),
        percent(expected.joinsMissed),
      ]),
  );
}

/** Sums over all anomalies. */
function totals(options: Omit<SlownessOptions, "anomalyMs" | "intervalMs">, anomalies = ANOMALIES) {
  const total = { slowMembers: 0, fp: 0, fpHealthy: 0, slowDead: 0, suspicions: 0 };
  for (const anomaly of anomalies) {
    const result = runFalsePositives({ ...options, ...anomaly });
    total.slowMembers = result.slowMembers;
    total.fp += result.falsePositives;
    total.fpHealthy += result.falsePositivesAtHealthy;
    total.slowDead += result.slowDeclaredDead;
    total.suspicions += result.falseSuspicions;
  }
  return total;
}

const HEADS = ["variant", "FP", "FP-", "FP of SWIM", "FP- of SWIM", "false suspicions", "slow declared dead"];

function parts(): void {
  const sums = new Map<string, ReturnType<typeof totals>>();
  for (const slowShare of SLOW_SHARES) {
    const rows = Object.entries(VARIANTS).map(([name, lifeguard]) => {
      const total = totals({ ...SMALL_GROUP, slowShare, slowness: "blocked", lifeguard });
      const sum = sums.get(name) ?? { slowMembers: 0, fp: 0, fpHealthy: 0, slowDead: 0, suspicions: 0 };
      sum.fp += total.fp;
      sum.fpHealthy += total.fpHealthy;
      sum.slowDead += total.slowDead;
      sum.suspicions += total.suspicions;
      sums.set(name, sum);
      return [name, total] as const;
    });
    compare(`128 members, ${percent(slowShare)} blocked (${rows[0]?.[1].slowMembers})`, rows);
  }
  compare("128 members, blocked, all shares together", [...sums]);
}

function paused(): void {
  const rows = SLOW_SHARES.flatMap((slowShare) =>
    (["SWIM", "Lifeguard"] as const).map((name) => {
      const lifeguard = name === "SWIM" ? NOTHING_OF_LIFEGUARD : ALL_OF_LIFEGUARD;
      const total = totals({ ...SMALL_GROUP, slowShare, slowness: "paused", lifeguard });
      return [
        percent(slowShare),
        name,
        count(total.fp),
        count(total.fpHealthy),
        count(total.suspicions),
        count(total.slowDead),
      ];
    }),
  );
  print(
    "128 members, some paused",
    ["slow", "variant", "FP", "FP-", "false suspicions", "slow declared dead"],
    rows,
  );
}

function thousand(): void {
  for (const slowShare of [0.01, 0.1]) {
    const rows = (["SWIM", "Lifeguard"] as const).map((name) => {
      const lifeguard = name === "SWIM" ? NOTHING_OF_LIFEGUARD : ALL_OF_LIFEGUARD;
      // One anomaly is enough: what it sets off among a thousand takes a minute to compute.
      const options = { seed: SEED, members: 1_000, durationMs: 16_384, slowShare, lifeguard };
      const anomalies = [{ anomalyMs: 16_384, intervalMs: 1_024 }];
      return [name, totals({ ...options, slowness: "blocked" }, anomalies)] as const;
    });
    compare(`1,000 members, ${percent(slowShare)} blocked (${rows[0]?.[1].slowMembers})`, rows);
  }
}

function compare(title: string, rows: readonly (readonly [string, ReturnType<typeof totals>])[]): void {
  const swim = rows[0]?.[1];
  const share = (value: number, of: number | undefined): string =>
    of === undefined || of === 0 ? "" : `${((100 * value) / of).toFixed(2)} %`;
  print(
    title,
    HEADS,
    rows.map(([name, total]) => [
      name,
      count(total.fp),
      count(total.fpHealthy),
      share(total.fp, swim?.fp),
      share(total.fpHealthy, swim?.fpHealthy),
      count(total.suspicions),
      count(total.slowDead),
    ]),
  );
}

/** A table in Markdown, numbers to the right. */
function print(title: string, heads: readonly string[], rows: readonly (readonly string[])[]): void {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = heads.map((_, at) => (at === 0 ? "---" : "---:"));
  console.log(`\n**${title}**\n\n${[heads, rule, ...rows].map(line).join("\n")}\n`);
}

function spread({ mean, median, p99 }: Distribution, digits = 2): string {
  return [mean, median, p99].map((value) => value.toFixed(digits)).join(" / ");
}

function count(value: number): string {
  return value.toLocaleString("en");
}

function percent(share: number): string {
  return `${Number((100 * share).toFixed(2))} %`;
}
