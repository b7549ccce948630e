/**
 * What a replica owes to its former life. A node may be taken out of a group, destroy its replica, and be given the
 * group again. Its new replica has an empty log, and an empty log is "at least as up to date" as nobody's: it would
 * vote for anyone. Suppose it had acknowledged committed entries before, and a lagging voter, which still holds the
 * old configuration in which this node votes, campaigns: with the emptied replica's vote it could win, lead without
 * those entries, and overwrite them. So the node remembers how far its log reached and how it voted, and goes on
 * voting as if it still had that log. For the same reason it does not campaign before it has caught up: the log it
 * receives again leads through configurations of the past, in one of which it may have been the only voter.
 */
import type { LogIndex, NodeId, Term } from "../base/ids.ts";
import { isAtLeast } from "./log.ts";
import type { HardState } from "./ready.ts";

/** Where the former replica stood when it was destroyed. */
export interface Tombstone {
  readonly term: Term;
  readonly vote: NodeId | null;
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
}

/** Term and vote to begin with: the later term of the two lives, and a vote given in it stays given. */
export function startingVote(
  hardState: HardState,
  tombstone: Tombstone | null,
): { readonly term: Term; readonly vote: NodeId | null } {
  if (tombstone === null || tombstone.term < hardState.term) return hardState;
  if (tombstone.term > hardState.term) return tombstone;
  return { term: hardState.term, vote: hardState.vote ?? tombstone.vote };
}

/** Whether a candidate whose log ends in (`lastTerm`, `lastIndex`) may hold everything the former life acknowledged. */
export function satisfiesTombstone(
  tombstone: Tombstone | null,
  lastIndex: LogIndex,
  lastTerm: Term,
): boolean {
  return tombstone === null || isAtLeast(lastTerm, lastIndex, tombstone.lastTerm, tombstone.lastIndex);
}
