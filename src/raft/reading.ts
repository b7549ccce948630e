/**
 * Asking for a linearizable read at the leader. @see Raft §8, Raft dissertation §6.4
 */
import type { NodeId } from "../base/ids.ts";
import type { Leading } from "./leading.ts";
import type { ReadResult } from "./outcomes.ts";
import type { RaftState } from "./state.ts";

/**
 * Grants the read at once where nobody else needs to be asked (a single voter, or a valid lease), else queues it
 * for the next round. Until an entry of its term is committed a leader does not know what is committed, and does
 * not read.
 */
export function askForRead(state: RaftState, leading: Leading, context: number): ReadResult {
  if (state.commit < leading.termStart) return "not-ready";
  leading.idleHeartbeats = 0;
  if (decidesAlone(state) || (state.options.leaseReads && leading.lease.isHeldAt(state.tick))) {
    state.readsGranted.push({ context, index: state.commit });
    return "queued";
  }
  leading.reads.ask(context);
  if (leading.reads.startDue) leading.flushDue = true;
  return "queued";
}

/** We are a majority by ourselves. */
function decidesAlone(state: RaftState): boolean {
  const { voters, votersOutgoing } = state.configuration;
  return isOnly(voters, state.self) && (votersOutgoing.length === 0 || isOnly(votersOutgoing, state.self));
}

function isOnly(voters: readonly NodeId[], node: NodeId): boolean {
  return voters.length === 1 && voters[0] === node;
}
