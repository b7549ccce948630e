/**
 * The way out when a majority of the voters is lost for good: on an operator's word, one replica becomes the only voter and
 * leads with the log it has.
 *
 * This breaks what Raft promises, and nothing else here does: what only the lost voters had acknowledged is gone, and should
 * they live after all, they may have gone on without this replica. Whoever asks for it must have seen to three things:
 * that no majority of the voters can be had any more; that the lost ones, should they come back, are refused
 * before they speak for this group; and that of all replicas left this is the one whose log reaches furthest, in the order in which
 * voters compare. The last makes the loss as small as it can be: an entry that some replica left knows to be
 * committed was held by whoever led since, so it is in the log that reaches furthest (§5.4.1), and stays.
 */
import { logIndex, type NodeId, type Term } from "../base/ids.ts";
import { configurationOf } from "./configuration.ts";
import type { RaftState } from "./state.ts";

/**
 * The new term is so far ahead that no elections which the lost voters may have held among themselves reach it: what they say
 * is of an older term for ever.
 */
export const FORCED_TERM_STEP = 1 << 20;

export type ForceResult =
  | { readonly type: "forced"; readonly term: Term }
  | { readonly type: "refused"; readonly reason: "is-leader" };

/**
 * Enters a new term, votes for itself, and appends the configuration of which it is the only voter; it leads as soon as all of
 * that is durable. What was owed to a former life is given up with the rest.
 */
export function forceAlone(state: RaftState): ForceResult {
  if (state.role === "leader") return { type: "refused", reason: "is-leader" };
  state.tombstone = null;
  state.standByForce(FORCED_TERM_STEP);
  const { self, term, log } = state;
  const voters: readonly NodeId[] = [self];
  const index = logIndex(log.lastIndex + 1);
  state.appendEntry({ kind: "membership", index, term, configuration: configurationOf(voters) });
  state.ownVoteReceipt = state.persistence.receiptToAwait;
  return { type: "forced", term };
}
