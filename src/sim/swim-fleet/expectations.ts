/**
 * What the papers lead us to expect, as formulas: no measurement, no simulation. Tables set them beside what was
 * measured. n is the number of members, m = n - 1 the number of those who probe one of them.
 */

import { retransmitLimit } from "../../swim/broadcast-queue.ts";
import type { SwimOptions } from "../../swim/options.ts";
import { suspicionBounds } from "../../swim/suspicion-timeout.ts";

/** e / (e - 1) = 1.582: periods until somebody's probe picks the crashed member, n without bound. @see SWIM §3 */
export const FIRST_PROBE_PERIODS_LIMIT = Math.E / (Math.E - 1);

/**
 * The chance that one member that probes in shuffled rounds of m leaves a certain other one alone for `share` * m
 * periods, `share` in 0 .. 1: `1/6 + a/2 + a^2/2 - a^3/6` with a = 1 - share. It is in the round at a uniform place,
 * and the next round is shuffled anew. @see SWIM §4.3
 */
export function leftAloneChance(share: number): number {
  const a = 1 - share;
  return 1 / 6 + a / 2 + (a * a) / 2 - (a * a * a) / 6;
}

/**
 * Whole periods until the first probe, at n members in shuffled rounds: the sum over k >= 0 of `leftAlone(k/m)^m`.
 * Tends to {@link FIRST_PROBE_PERIODS_LIMIT}; a little less when n is small.
 */
export function firstProbePeriods(members: number): number {
  const probers = members - 1;
  let periods = 0;
  for (let k = 0; k < probers; k++) periods += leftAloneChance(k / probers) ** probers;
  return periods;
}

/** The same in continuous time, not rounded up to whole periods. Tends to 1. */
export function firstProbeWaitPeriods(members: number): number {
  const steps = 100;
  const probers = members - 1;
  let periods = 0;
  for (let k = 0; k < probers * steps; k++) {
    periods += leftAloneChance((k + 0.5) / steps / probers) ** probers / steps;
  }
  return periods;
}

/** No two probes of one member by another are further apart: 2n - 1 periods of the prober. @see SWIM §4.3 */
export function probeGapPeriodsMax(members: number): number {
  return 2 * members - 1;
}

/** Until the first suspicion: the wait for a probe, and that probe's own period. */
export function firstSuspicionMs(options: SwimOptions, members: number): number {
  return (firstProbeWaitPeriods(members) + 1) * options.protocolPeriodMs;
}

/** Until the first declaration of death, once enough members confirmed it in time. @see Lifeguard §IV-B */
export function firstDeathMs(options: SwimOptions, members: number): number {
  return firstSuspicionMs(options, members) + suspicionBounds(options, members).minMs;
}

/**
 * Until news of one member is with all others, when nobody had anything to say before: whoever hears it tells
 * `gossipNodes` random ones at once, so that it is with nearly all after a few network delays; of those left,
 * e^gossipNodes times fewer after each further interval: `ln(n) / gossipNodes` intervals. A rule of thumb for the order
 * of growth; hops, chance and piggybacking are left out.
 */
export function quietDisseminationMs(options: SwimOptions, members: number): number {
  return (options.gossipIntervalMs * Math.log(members)) / options.gossipNodes;
}

/**
 * The same in a fleet that has always something to say: a member passes news on at its next interval only, so that the
 * spreading takes intervals too: `log(n) / log(gossipNodes + 1) + ln(n) / gossipNodes` of them.
 */
export function busyDisseminationMs(options: SwimOptions, members: number): number {
  const spreading = Math.log(members) / Math.log(options.gossipNodes + 1);
  return options.gossipIntervalMs * spreading + quietDisseminationMs(options, members);
}

/**
 * The chance that gossip alone leaves somebody out: each of n members sends the news `retransmitLimit` times, so that
 * one of them is missed with e^-limit. State exchanges repair it, half a minute and more later.
 */
export function gossipMissChance(options: SwimOptions, members: number): number {
  return 1 - (1 - Math.exp(-retransmitLimit(options.retransmitMult, members))) ** (members - 1);
}
