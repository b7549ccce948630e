/**
 * How long a crash stays unnoticed, measured over many crashes and set beside what the SWIM paper expects.
 * Times count from the crash; periods are protocol periods.
 */
import type { ChurnResult, CrashTimes } from "./churn.ts";
import { type Distribution, distributionOf } from "./distribution.ts";
import { firstDeathMs, firstProbePeriods, firstSuspicionMs, probeGapPeriodsMax } from "./expectations.ts";

/** Distributions in protocol periods. */
export interface Detection {
  readonly members: number;
  readonly crashes: number;
  /** Until a probe picks the crashed member, in whole periods as the SWIM paper counts. @see SWIM §3 */
  readonly firstProbeRounds: Distribution;
  /** The same in continuous time. */
  readonly firstProbe: Distribution;
  readonly firstSuspicion: Distribution;
  readonly firstDeath: Distribution;
  readonly deadForAll: Distribution;
  readonly expected: {
    readonly firstProbeRounds: number;
    readonly firstSuspicion: number;
    readonly firstDeath: number;
    /** No crash is left unprobed for longer. */
    readonly firstProbeMax: number;
  };
  readonly falseDeaths: number;
  readonly traceHash: string;
}

export function detectionOf(churn: ChurnResult): Detection {
  const { members, options, crashes, falseDeaths, traceHash } = churn;
  const periodMs = options.protocolPeriodMs;
  const inPeriods = (time: (crash: CrashTimes) => number): Distribution =>
    distributionOf(crashes.map((crash) => time(crash) / periodMs));
  return {
    members,
    crashes: crashes.length,
    firstProbeRounds: distributionOf(crashes.map(({ firstProbeMs }) => Math.ceil(firstProbeMs / periodMs))),
    firstProbe: inPeriods((crash) => crash.firstProbeMs),
    firstSuspicion: inPeriods((crash) => crash.firstSuspicionMs),
    firstDeath: inPeriods((crash) => crash.firstDeathMs),
    deadForAll: inPeriods((crash) => crash.deadForAllMs),
    expected: {
      firstProbeRounds: firstProbePeriods(members),
      firstSuspicion: firstSuspicionMs(options, members) / periodMs,
      firstDeath: firstDeathMs(options, members) / periodMs,
      firstProbeMax: probeGapPeriodsMax(members),
    },
    falseDeaths,
    traceHash,
  };
}
