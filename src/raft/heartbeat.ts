/**
 * The leader's pulse: signs of life for the members, and the count of those who answer. A leader that a quorum has
 * not answered for an election timeout steps down by itself (CheckQuorum), so that nobody goes on trusting it.
 * @see Raft §5.2, Raft dissertation §6.2
 */
import { logIndex } from "../base/ids.ts";
import type { Leading } from "./leading.ts";
import type { HeartbeatResponse } from "./messages.ts";
import { quiesceIfIdle } from "./quiescence.ts";
import { jointIndex } from "./quorum.ts";
import type { RaftState } from "./state.ts";
import { handOverIfCaughtUp, tickTransfer } from "./transfer.ts";

/** One tick of a leader. */
export function tickLeader(state: RaftState, leading: Leading): void {
  const { options } = state;
  tickTransfer(state, leading);
  const heardAtTick = jointIndex(state.configuration, leading.contacts);
  if (state.tick - heardAtTick >= options.electionTimeoutTicks) {
    state.becomeFollower(state.term, null);
    return;
  }
  leading.heartbeatElapsedTicks++;
  if (leading.heartbeatElapsedTicks < options.heartbeatTicks) return;
  leading.heartbeatElapsedTicks = 0;
  leading.dismiss((peer) => state.tick - peer.contactTick >= options.electionTimeoutTicks);
  if (quiesceIfIdle(state, leading)) sendHeartbeats(state, leading, true);
  else leading.markHeartbeat();
}

/** Sends everybody a heartbeat. It begins a read round when reads wait, and carries the one under way otherwise. */
export function sendHeartbeats(state: RaftState, leading: Leading, quiesce: boolean): void {
  const { reads, lease } = leading;
  leading.heartbeatDue = false;
  let readRound = reads.underWayRound;
  if (reads.startDue) readRound = reads.start(state.commit);
  else if (state.options.leaseReads) readRound = reads.number();
  if (state.options.leaseReads) lease.sent(readRound, state.tick);
  for (const peer of leading.peers) {
    state.send({
      type: "heartbeat",
      from: state.self,
      to: peer.node,
      term: state.term,
      commit: logIndex(Math.min(peer.match, state.commit)),
      readRound,
      quiesce,
    });
  }
}

/** The heartbeat response is of our term. */
export function onHeartbeatResponse(state: RaftState, leading: Leading, response: HeartbeatResponse): void {
  const peer = leading.peer(response.from);
  if (peer === undefined) return;
  peer.contactTick = state.tick;
  // A lost append request or a snapshot nobody began: try once more.
  peer.probeSent = false;
  peer.snapshotAsked = false;
  if (peer.match < state.log.lastIndex || peer.state === "probe") {
    peer.checkDue = true;
    leading.mark(peer);
  }
  if (response.readRound > peer.readRound && response.readRound <= leading.reads.lastRound) {
    peer.readRound = response.readRound;
    confirmReads(state, leading);
  }
  handOverIfCaughtUp(state, leading, peer);
}

/** A quorum that answered a round proves that no newer leader had been elected when the round began. */
function confirmReads(state: RaftState, leading: Leading): void {
  const round = Math.min(jointIndex(state.configuration, leading.rounds), leading.reads.lastRound);
  leading.reads.confirm(round, state.readsGranted);
  if (state.options.leaseReads) leading.lease.confirm(round);
  if (leading.reads.startDue) leading.flushDue = true;
}
