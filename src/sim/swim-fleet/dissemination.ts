/**
 * How fast news of one member reaches all others: a suspicion, a declared death, a join. It should grow like the
 * logarithm of the number of members. @see SWIM §4.1
 */
import type { ChurnResult } from "./churn.ts";
import { type Distribution, distributionOf } from "./distribution.ts";
import { busyDisseminationMs, gossipMissChance, quietDisseminationMs } from "./expectations.ts";

/** Distributions in milliseconds. */
export interface Dissemination {
  readonly members: number;
  /** From the first suspicion until all suspect. Plain gossip: nobody comes to suspect all at once by itself. */
  readonly suspicion: Distribution;
  /** From the first declaration until all know. Helped by suspicions that run out everywhere at about that time. */
  readonly death: Distribution;
  /** From dialling the seed until all others know the newcomer. */
  readonly join: Distribution;
  /** Share of the joins that gossip did not bring to all: they took longer than {@link LATE_MS}. */
  readonly joinsMissed: number;
  readonly expected: { readonly quietMs: number; readonly busyMs: number; readonly joinsMissed: number };
}

/** Well past the last transmission, well before the usual state exchange. */
const LATE_MS = 4_000;

export function disseminationOf({ members, options, crashes, joins }: ChurnResult): Dissemination {
  return {
    members,
    suspicion: distributionOf(crashes.map((crash) => crash.suspectedByAllMs - crash.firstSuspicionMs)),
    death: distributionOf(crashes.map((crash) => crash.deadForAllMs - crash.firstDeathMs)),
    join: distributionOf(joins.map(({ knownToAllMs }) => knownToAllMs)),
    joinsMissed: joins.filter(({ knownToAllMs }) => knownToAllMs > LATE_MS).length / joins.length,
    expected: {
      quietMs: quietDisseminationMs(options, members),
      busyMs: busyDisseminationMs(options, members),
      joinsMissed: gossipMissChance(options, members),
    },
  };
}
