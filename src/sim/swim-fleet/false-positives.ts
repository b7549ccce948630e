/**
 * Who is declared dead though it lives, when some members are slow. A chosen few stop hearing and speaking for a while,
 * all at once, again and again; the rest of the fleet is well. Each part of Lifeguard can be left out, to see what it
 * is good for. @see Lifeguard §V, after which the experiment is shaped
 */
import type { SwimOptions } from "../../swim/options.ts";
import { formedFleet } from "./fleet-formation.ts";
import type { FleetMember, Slowness } from "./fleet-member.ts";
import type { SwimFleetOptions } from "./fleet-options.ts";

/** Which parts of Lifeguard are on. None of them: SWIM with suspicion, as the paper's baseline. */
export interface LifeguardParts {
  /** A member that misses answers waits longer and probes less. @see Lifeguard §IV-A */
  readonly localHealth: boolean;
  /** Suspicions last long until others confirm them. @see Lifeguard §IV-B */
  readonly dynamicSuspicion: boolean;
  /** A suspect is told so with the ping. @see Lifeguard §IV-C */
  readonly buddySystem: boolean;
}

export const ALL_OF_LIFEGUARD: LifeguardParts = Object.freeze({
  localHealth: true,
  dynamicSuspicion: true,
  buddySystem: true,
});

export const NOTHING_OF_LIFEGUARD: LifeguardParts = Object.freeze({
  localHealth: false,
  dynamicSuspicion: false,
  buddySystem: false,
});

export interface SlownessOptions {
  readonly seed: bigint;
  readonly members: number;
  /** Share of the members that are slow, 0 .. 1; one member at least. */
  readonly slowShare: number;
  readonly slowness: Slowness;
  /** How long they are slow each time (the paper's D). */
  readonly anomalyMs: number;
  /** How long they are well in between (the paper's I). */
  readonly intervalMs: number;
  /** Ends with the first anomaly that ends after so long. */
  readonly durationMs: number;
  readonly lifeguard: LifeguardParts;
  /** Changes to the `lan` preset besides those that switch Lifeguard's parts. */
  readonly swim?: Partial<SwimOptions>;
  readonly network?: Partial<Pick<SwimFleetOptions, "delayMs" | "jitterMs" | "lossRate" | "inboxMax">>;
}

/** Events are counted at every member that raises them: one false death that all believe counts n - 1 times. */
export interface FalsePositives {
  readonly slowMembers: number;
  /** A member that was never slow declared dead (FP). */
  readonly falsePositives: number;
  /** Of these, at members that were never slow (FP-). */
  readonly falsePositivesAtHealthy: number;
  /** Members that were never slow and were declared dead by anybody. */
  readonly healthyVictims: number;
  /** Slow members declared dead, at members that were never slow: wrong as well, but with some reason. */
  readonly slowDeclaredDead: number;
  /** Suspicions of members that were never slow. */
  readonly falseSuspicions: number;
  readonly virtualMs: number;
  readonly traceHash: string;
}

const WARM_UP_MS = 10_000;

export function runFalsePositives(options: SlownessOptions): FalsePositives {
  const { lifeguard, slowness, anomalyMs, intervalMs } = options;
  const fleet = formedFleet(options.members, {
    ...options.network,
    seed: options.seed,
    swim: { ...options.swim, ...switched(lifeguard) },
    buddySystem: lifeguard.buddySystem,
  });
  fleet.runFor(WARM_UP_MS);
  const count = Math.max(1, Math.round(options.slowShare * options.members));
  const slow = new Set(fleet.random.shuffle([...fleet.members]).slice(0, count));
  const victims = new Set<FleetMember>();
  const counts = { falsePositives: 0, falsePositivesAtHealthy: 0, slowDeclaredDead: 0, falseSuspicions: 0 };
  fleet.observer = {
    event: (_nowMs, observer, event) => {
      if (event.type !== "member-died" && event.type !== "member-suspected") return;
      const about = fleet.member(event.member.id);
      if (about === undefined) return;
      if (event.type === "member-suspected") {
        if (!slow.has(about)) counts.falseSuspicions++;
      } else if (!slow.has(about)) {
        victims.add(about);
        counts.falsePositives++;
        if (!slow.has(observer)) counts.falsePositivesAtHealthy++;
      } else if (!slow.has(observer)) {
        counts.slowDeclaredDead++;
      }
    },
  };
  const endMs = fleet.nowMs + options.durationMs;
  while (fleet.nowMs < endMs) {
    for (const member of slow) fleet.slow(member, slowness);
    fleet.runFor(anomalyMs);
    for (const member of slow) fleet.recover(member);
    fleet.runFor(intervalMs);
  }
  return {
    slowMembers: count,
    ...counts,
    healthyVictims: victims.size,
    virtualMs: fleet.nowMs,
    traceHash: fleet.traceHash(),
  };
}

/** The options that switch parts off; the buddy system has none, the fleet takes it out of the packets. */
function switched({ localHealth, dynamicSuspicion }: LifeguardParts): Partial<SwimOptions> {
  return {
    ...(localHealth ? {} : { lhmMax: 1 }),
    ...(dynamicSuspicion ? {} : { suspicionMaxMult: 1 }),
  };
}
