/**
 * From one configuration to the next: a pure function of the configuration and the wish.
 *
 * Two majorities of neighbouring configurations must always share a member, or two leaders could be elected at
 * once. A simple change keeps that promise by altering at most one voter; anything larger goes through a joint
 * configuration, where both sets decide, and which somebody has to leave again. @see Raft §6, Raft dissertation §4
 */
import { unreachable } from "../base/assert.ts";
import type { NodeId } from "../base/ids.ts";
import { type Configuration, isJoint } from "./configuration.ts";

/** Applied in order; a step that finds its wish already fulfilled does nothing. */
export interface MembershipStep {
  /** `add-voter` also promotes a learner, `add-learner` also demotes a voter. */
  readonly type: "add-voter" | "add-learner" | "remove";
  readonly node: NodeId;
}

export type MembershipChange =
  | { readonly type: "simple"; readonly steps: readonly MembershipStep[] }
  | {
      readonly type: "joint";
      /** The leader leaves the joint configuration by itself once it is committed. Default true. */
      readonly autoLeave?: boolean;
      readonly steps: readonly MembershipStep[];
    }
  | { readonly type: "leave-joint" };

export type ConfigurationChangeResult =
  | { readonly type: "changed"; readonly configuration: Configuration }
  | { readonly type: "refused"; readonly reason: string };

/** The configuration that `change` makes of `current`, or why it must not be made. Never mutates `current`. */
export function changeConfiguration(
  current: Configuration,
  change: MembershipChange,
): ConfigurationChangeResult {
  switch (change.type) {
    case "simple":
      return simpleChange(current, change.steps);
    case "joint":
      return enterJoint(current, change.steps, change.autoLeave ?? true);
    case "leave-joint":
      return leaveJoint(current);
    default:
      return unreachable(change);
  }
}

function simpleChange(current: Configuration, steps: readonly MembershipStep[]): ConfigurationChangeResult {
  if (isJoint(current)) return refused("the configuration is joint: leave it first");
  const draft = new Draft(current, []);
  draft.take(steps);
  if (draft.voters.size === 0) return refused("no voters would be left");
  if (votersChanged(current.voters, draft.voters) > 1) {
    return refused("more than one voter would change: use a joint change");
  }
  return { type: "changed", configuration: draft.finish(false) };
}

function enterJoint(
  current: Configuration,
  steps: readonly MembershipStep[],
  autoLeave: boolean,
): ConfigurationChangeResult {
  if (isJoint(current)) return refused("the configuration is already joint");
  if (current.voters.length === 0) return refused("a configuration without voters cannot become joint");
  const draft = new Draft(current, current.voters);
  draft.take(steps);
  if (draft.voters.size === 0) return refused("no voters would be left");
  return { type: "changed", configuration: draft.finish(autoLeave) };
}

function leaveJoint(current: Configuration): ConfigurationChangeResult {
  if (!isJoint(current)) return refused("the configuration is not joint");
  const learners = new Set([...current.learners, ...current.learnersNext]);
  return {
    type: "changed",
    configuration: {
      voters: current.voters,
      votersOutgoing: [],
      learners: [...learners].sort(),
      learnersNext: [],
      autoLeave: false,
    },
  };
}

/**
 * A configuration being changed. An outgoing voter that is to become a learner waits in `learnersNext`:
 * while the configuration is joint it still votes, and nobody may be voter and learner at once.
 */
class Draft {
  readonly voters: Set<NodeId>;
  readonly #outgoing: Set<NodeId>;
  readonly #learners: Set<NodeId>;
  readonly #learnersNext: Set<NodeId>;

  constructor(current: Configuration, outgoing: readonly NodeId[]) {
    this.voters = new Set(current.voters);
    this.#outgoing = new Set(outgoing);
    this.#learners = new Set(current.learners);
    this.#learnersNext = new Set(current.learnersNext);
  }

  take(steps: readonly MembershipStep[]): void {
    for (const step of steps) {
      this.#remove(step.node);
      switch (step.type) {
        case "add-voter":
          this.voters.add(step.node);
          break;
        case "add-learner":
          (this.#outgoing.has(step.node) ? this.#learnersNext : this.#learners).add(step.node);
          break;
        case "remove":
          break;
        default:
          unreachable(step.type);
      }
    }
  }

  finish(autoLeave: boolean): Configuration {
    return {
      voters: [...this.voters].sort(),
      votersOutgoing: [...this.#outgoing].sort(),
      learners: [...this.#learners].sort(),
      learnersNext: [...this.#learnersNext].sort(),
      autoLeave,
    };
  }

  #remove(node: NodeId): void {
    this.voters.delete(node);
    this.#learners.delete(node);
    this.#learnersNext.delete(node);
  }
}

/** How many nodes vote in exactly one of the two. */
function votersChanged(before: readonly NodeId[], after: ReadonlySet<NodeId>): number {
  let kept = 0;
  for (const voter of before) if (after.has(voter)) kept++;
  return before.length - kept + (after.size - kept);
}

function refused(reason: string): ConfigurationChangeResult {
  return { type: "refused", reason };
}
