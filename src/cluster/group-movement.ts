/**
 * Whether a group is on its way to its wanted replicas, there, or unable to go anywhere.
 */
import type { NodeId } from "../base/ids.ts";
import type { GroupReport } from "./group-report.ts";
import type { MemberFacts } from "./member-facts.ts";

/** `settled`: nothing that could be done is left. `stuck`: without a majority no change can be committed. */
export type GroupMovement = "settled" | "moving" | "stuck";

/** A group nobody has reported yet counts as moving: who knows what its leader is about. */
export function groupMovement(
  report: GroupReport | undefined,
  wanted: readonly NodeId[],
  facts: MemberFacts,
): GroupMovement {
  if (!facts.hasLiveMajority(report?.voters ?? wanted)) return "stuck";
  if (report === undefined) return "moving";
  const { voters, votersOutgoing, learners } = report;
  if (votersOutgoing.length > 0) return "moving";
  const absent = wanted.filter((node) => !voters.includes(node));
  if (absent.some((node) => !facts.isDead(node))) return "moving";
  if (learners.some((node) => !wanted.includes(node))) return "moving";
  // What remains absent is dead. In place of each an unwanted voter has to stay: `shard-steps.ts` never shrinks a group.
  const unwanted = voters.filter((node) => !wanted.includes(node));
  return unwanted.length > absent.length ? "moving" : "settled";
}
