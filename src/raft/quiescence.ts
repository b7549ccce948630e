/**
 * Rest. A group in which every replica holds everything and nobody wants anything stops sending and stops counting
 * time; a thousand idle groups cost nothing. Whether the leader lives, and the majority, is then the host's affair: it
 * listens for whole nodes and wakes the groups that count on a silent one. Waking is always safe: timers start over, and a
 * group that was woken for nothing goes back to sleep.
 */
import type { NodeId } from "../base/ids.ts";
import { isMember } from "./configuration.ts";
import type { Leading } from "./leading.ts";
import type { RaftMessage } from "./messages.ts";
import type { RaftState } from "./state.ts";

/**
 * Counts an idle heartbeat interval. True when the group has been idle for long enough: the leader sleeps from now
 * on.
 */
export function quiesceIfIdle(state: RaftState, leading: Leading): boolean {
  const { quiesceAfterHeartbeats } = state.options;
  if (quiesceAfterHeartbeats === 0 || !isIdle(state, leading)) {
    leading.idleHeartbeats = 0;
    return false;
  }
  leading.idleHeartbeats++;
  if (leading.idleHeartbeats < quiesceAfterHeartbeats) return false;
  state.quiesced = true;
  leading.lease.lapse();
  state.persistence.commitIsDue();
  return true;
}

/** Leaves quiescence; no effect on a replica that is awake. */
export function wake(state: RaftState): void {
  if (!state.quiesced) return;
  state.quiesced = false;
  state.restartElectionTimer();
  const { leading } = state;
  if (leading === null) return;
  leading.idleHeartbeats = 0;
  leading.heartbeatElapsedTicks = 0;
  for (const peer of leading.peers) peer.contactTick = state.tick;
  leading.markHeartbeat();
}

/**
 * Wakes a leader because nothing came from `node` for an election timeout, and gives the contact the age that it has: while
 * the group slept no tick was counted, so it looks younger. What is left is a quarter of an election timeout, for the answer
 * to the heartbeat that leaves now. Only CheckQuorum reads it: a leader that is alone steps down the sooner. Its lease, if it
 * reads by one, is counted from rounds that were answered, and quiescence has ended it.
 */
export function doubtContact(state: RaftState, node: NodeId): void {
  const peer = state.leading?.peer(node);
  if (peer === undefined) return;
  wake(state);
  const { electionTimeoutTicks } = state.options;
  const graceTicks = Math.ceil(electionTimeoutTicks / 4);
  peer.contactTick = Math.min(peer.contactTick, state.tick - electionTimeoutTicks + graceTicks);
}

/** Wakes on whatever shows that somebody else is awake, and wants something. */
export function wakeOn(state: RaftState, message: RaftMessage): void {
  if (state.quiesced && !isTrivial(state, message)) wake(state);
}

function isIdle(state: RaftState, leading: Leading): boolean {
  const { lastIndex } = state.log;
  if (state.commit !== lastIndex || state.applied !== lastIndex) return false;
  if (state.persistence.stableIndex !== lastIndex) return false;
  if (!leading.reads.empty || leading.transfer !== null) return false;
  for (const peer of leading.peers) {
    if (peer.state !== "replicate" || peer.match !== lastIndex) return false;
    if (state.tick - peer.contactTick >= state.options.electionTimeoutTicks) return false;
  }
  return true;
}

/** Late answers, repeated lullabies, and elections of those who are no members any more. */
function isTrivial(state: RaftState, message: RaftMessage): boolean {
  switch (message.type) {
    case "pre-vote-request":
    case "vote-request":
      return !isMember(state.configuration, message.from);
    case "heartbeat":
      return message.quiesce && message.term === state.term;
    case "heartbeat-response":
    case "pre-vote-response":
    case "vote-response":
      return state.role === "leader" && message.term <= state.term;
    case "append-response":
      return state.role === "leader" && message.term <= state.term && !message.rejected;
    default:
      return false;
  }
}
