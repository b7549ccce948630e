/**
 * The one next step by which a group's leader brings its replicas to where the cluster map wants them: first learners,
 * then, once they hold the log, one change of the voters, at last the leadership to where it is preferred.
 *
 * Never removes before adding, never acts without a live majority before and after the step, never needs a node that is
 * dead. Knows no past: asked twice in the same situation it answers the same, so a step that was refused or lost,
 * or a leader that was deposed half-way, costs nothing but time.
 */
import type { LogIndex, NodeId } from "../base/ids.ts";
import { type Configuration, isJoint } from "../raft/configuration.ts";
import type { MembershipChange, MembershipStep } from "../raft/configuration-change.ts";
import type { MemberProgress } from "../raft/status.ts";
import { ShardStanding } from "./shard-standing.ts";

/** A member as the map has it, overlaid with what gossip knows. `reluctant`: it lives, and should not lead. */
export type ShardMemberState = "alive" | "reluctant" | "suspect" | "dead" | "draining" | "removed";

/** A group as its leader sees it. */
export interface ShardSituation {
  /** The group's leader. */
  readonly self: NodeId;
  readonly configuration: Configuration;
  /** Of the others. */
  readonly progress: ReadonlyMap<NodeId, MemberProgress>;
  readonly lastIndex: LogIndex;
  readonly commit: LogIndex;
  /** The successor while leadership is handed over. */
  readonly transferee: NodeId | null;
  /** Where the replicas should be, the preferred leader first. Empty: nobody knows, so nothing is done. */
  readonly wanted: readonly NodeId[];
  /** An unknown id counts as removed. */
  readonly memberStates: Pick<ReadonlyMap<NodeId, ShardMemberState>, "get">;
}

export type ShardStep =
  /** As wanted, or as near to it as the dead allow: worth asking again when the map, gossip or the group changes. */
  | { readonly type: "none" }
  /** Something is under way: ask again soon. */
  | { readonly type: "wait"; readonly why: string }
  | { readonly type: "propose"; readonly change: MembershipChange }
  | { readonly type: "transfer"; readonly to: NodeId };

const NONE: ShardStep = Object.freeze({ type: "none" });

/** What the leader should do next. The caller may ignore the answer and ask again. */
export function nextShardStep(situation: ShardSituation): ShardStep {
  const { self, configuration, wanted, transferee } = situation;
  const standing = new ShardStanding(situation);
  if (isJoint(configuration)) {
    if (configuration.autoLeave) return wait("the joint configuration is being left");
    if (!standing.hasLiveMajority(configuration.voters))
      return wait("the incoming voters lack a live majority");
    if (!standing.hasLiveMajority(configuration.votersOutgoing))
      return wait("the outgoing voters lack a live majority");
    return { type: "propose", change: { type: "leave-joint" } };
  }
  if (!configuration.voters.includes(self)) return wait("this leader steps down");
  if (transferee !== null) return wait(`leadership goes to ${transferee}`);
  if (!standing.hasLiveMajority(configuration.voters)) return wait("the voters lack a live majority");
  if (wanted.length === 0) return NONE;

  if (standing.isRetiring(self)) {
    const successor = standing.successor(configuration.voters);
    if (successor !== null) return { type: "transfer", to: successor };
  }
  return (
    learnerStep(situation, standing) ?? voterStep(situation, standing) ?? leaderStep(situation, standing)
  );
}

/** Every wanted replica that is missing begins as a learner, all at once; learners that nobody wants go. */
function learnerStep({ configuration, wanted }: ShardSituation, standing: ShardStanding): ShardStep | null {
  const { voters, learners } = configuration;
  const steps: MembershipStep[] = [];
  for (const node of wanted) {
    if (voters.includes(node) || learners.includes(node)) continue;
    if (standing.stateOf(node) === "alive") steps.push({ type: "add-learner", node });
  }
  for (const node of learners) if (!wanted.includes(node)) steps.push({ type: "remove", node });
  return steps.length === 0 ? null : { type: "propose", change: { type: "simple", steps } };
}

/** The wanted learners become voters and the unwanted voters go, in one change, once all learners that can are ready. */
function voterStep(
  { self, configuration, wanted }: ShardSituation,
  standing: ShardStanding,
): ShardStep | null {
  const { voters, learners } = configuration;
  const joining = wanted.filter((node) => !voters.includes(node));
  const awaited = joining.find((node) => standing.isAwaited(node));
  if (awaited !== undefined) return wait(`${awaited} is catching up`);
  const added = joining.filter((node) => learners.includes(node) && standing.isReady(node));
  let removed = removable(voters, added, wanted, self, standing);
  // Whoever leads steps down with its removal, and then an election timeout passes without a leader: better hand over, and
  // when only those who come could take over, let them come first.
  if (removed.includes(self)) {
    const successor = standing.successor(voters.filter((node) => !removed.includes(node)));
    if (successor !== null) return { type: "transfer", to: successor };
    if (added.length > 0) removed = removed.filter((node) => node !== self);
  }
  const changed = added.length + removed.length;
  if (changed === 0) return null;
  const steps = [
    ...added.map((node): MembershipStep => ({ type: "add-voter", node })),
    ...removed.map((node): MembershipStep => ({ type: "remove", node })),
  ];
  const change: MembershipChange =
    changed === 1 ? { type: "simple", steps } : { type: "joint", autoLeave: true, steps };
  return { type: "propose", change };
}

/**
 * The unwanted voters that may go once `added` have come: as many as leave no fewer voters than there are now or
 * should be, and a live majority. The dead go first, this leader last.
 */
function removable(
  voters: readonly NodeId[],
  added: readonly NodeId[],
  wanted: readonly NodeId[],
  self: NodeId,
  standing: ShardStanding,
): readonly NodeId[] {
  const votersMin = Math.min(voters.length, wanted.length);
  const unwanted = voters.filter((node) => !wanted.includes(node));
  const cost = (node: NodeId) => (node === self ? 2 : standing.isLive(node) ? 1 : 0);
  unwanted.sort((left, right) => cost(left) - cost(right));
  let staying = [...voters, ...added];
  const removed: NodeId[] = [];
  for (const node of unwanted) {
    const rest = staying.filter((other) => other !== node);
    if (rest.length < votersMin || !standing.hasLiveMajority(rest)) break;
    staying = rest;
    removed.push(node);
  }
  return removed;
}

/** The voters are as they can be: leadership goes to the preferred replica, if that is fit to lead. */
function leaderStep(situation: ShardSituation, standing: ShardStanding): ShardStep {
  const { self, configuration, wanted } = situation;
  const preferred = wanted[0];
  if (preferred !== undefined && preferred !== self && configuration.voters.includes(preferred)) {
    if (standing.canLead(preferred)) return { type: "transfer", to: preferred };
    if (standing.mayRecover(preferred)) return wait(`${preferred} is not fit to lead yet`);
  }
  if (standing.isRetiring(self) && configuration.voters.length > 1)
    return wait("no successor is fit to lead yet");
  const absent = wanted.find((node) => !configuration.voters.includes(node) && standing.mayRecover(node));
  if (absent !== undefined) return wait(`${absent} does not answer`);
  const held = configuration.voters.find((node) => !wanted.includes(node));
  const silent = wanted.find((node) => standing.mayRecover(node) && !standing.isLive(node));
  if (held !== undefined && silent !== undefined)
    return wait(`${held} cannot go while ${silent} does not answer`);
  return NONE;
}

function wait(why: string): ShardStep {
  return { type: "wait", why };
}
