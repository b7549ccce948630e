/**
 * Every checker there is, one instance each, for one world. A new one is added here and nowhere else.
 */
import type { Life } from "../life.ts";
import type { Checker, CheckerContext } from "./checker.ts";
import { ElectionSafety } from "./election-safety.ts";
import { Evictions, type EvictionsOptions } from "./evictions.ts";
import { ExpiryNeverEarly } from "./expiry-never-early.ts";
import { FreshReads } from "./fresh-reads.ts";
import { GroupAlive } from "./group-alive.ts";
import { JointConfigurationSafety } from "./joint-configuration-safety.ts";
import { LeaderCompleteness } from "./leader-completeness.ts";
import { LogMatching } from "./log-matching.ts";
import { Monotonic } from "./monotonic.ts";
import { OneCluster } from "./one-cluster.ts";
import { OneVotePerTerm } from "./one-vote-per-term.ts";
import { PresentLives } from "./present-lives.ts";
import { ReplicasEqual } from "./replicas-equal.ts";
import { SessionsAppliedOnce } from "./sessions-applied-once.ts";
import { StateMachineSafety } from "./state-machine-safety.ts";

export interface CheckerOptions {
  /** How much faster than real time a node's monotonic clock may run, as a fraction. Default 0. */
  readonly clockDriftMax?: number;
  /** All nodes that ever belong to a cluster belong to the same one. Default true. */
  readonly expectOne?: boolean;
  /** State is compared at every so-manieth index of a group. Default 32. */
  readonly digestEveryIndexes?: number;
  /** What leaders may choose to remove. Default: nothing. */
  readonly evictions?: Omit<EvictionsOptions, "clockDriftMax">;
}

/** A context for the checker of that name: findings carry it. */
export type ContextOf = (checker: string) => CheckerContext;

/** `context`: one for all, or one for each by its name. */
export function allCheckers(
  context: CheckerContext | ContextOf,
  options: CheckerOptions = {},
): readonly Checker[] {
  const of: ContextOf = typeof context === "function" ? context : () => context;
  const { clockDriftMax = 0, expectOne = true, digestEveryIndexes = 32, evictions = {} } = options;
  return [
    new ElectionSafety(of("election-safety")),
    new LogMatching(of("log-matching")),
    new LeaderCompleteness(of("leader-completeness")),
    new StateMachineSafety(of("state-machine-safety")),
    new Monotonic(of("monotonic")),
    new OneVotePerTerm(of("one-vote-per-term")),
    new JointConfigurationSafety(of("joint-configuration-safety")),
    new OneCluster(of("one-cluster"), { expectOne }),
    new PresentLives(of("present-lives")),
    new SessionsAppliedOnce(of("sessions-applied-once")),
    new ExpiryNeverEarly(of("expiry-never-early"), { clockDriftMax }),
    new Evictions(of("evictions"), { ...evictions, clockDriftMax }),
    new ReplicasEqual(of("replicas-equal"), { everyIndexes: digestEveryIndexes }),
    new FreshReads(of("fresh-reads")),
    new GroupAlive(of("group-alive")),
  ];
}

/** What is left to compare when a run is over and nothing moves any more. */
export function checkAtEnd(checkers: readonly Checker[], lives: readonly Life[]): void {
  for (const checker of checkers) if (checker instanceof ReplicasEqual) checker.compareAll(lives);
}
