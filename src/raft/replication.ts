/**
 * The leader's work: bring every member's log up to its own, and decide what is committed. Nothing is sent from
 * here while messages are being stepped in; members are only marked, and `flush` writes one batch per member when
 * the host asks. So whatever happened in one turn travels together. @see Raft §5.3, §5.4
 */
import { assert, unreachable } from "../base/assert.ts";
import { logIndex } from "../base/ids.ts";
import { isJoint } from "./configuration.ts";
import { changeConfiguration } from "./configuration-change.ts";
import type { Entry, MembershipEntry } from "./entry.ts";
import { sendHeartbeats } from "./heartbeat.ts";
import type { Leading } from "./leading.ts";
import type { AppendResponse } from "./messages.ts";
import type { Progress } from "./progress.ts";
import { jointIndex } from "./quorum.ts";
import type { RaftState } from "./state.ts";
import { handOverIfCaughtUp } from "./transfer.ts";

const NO_ENTRIES: readonly Entry[] = Object.freeze([]);

/** Adds an entry to the leader's own log and marks everybody. */
export function appendToLeader(state: RaftState, leading: Leading, entry: Entry): void {
  assert(entry.term === state.term, "a leader appends entries of its own term", { index: entry.index });
  state.appendEntry(entry);
  leading.idleHeartbeats = 0;
  leading.markAll();
}

/** Appends a configuration, which is in force at once. */
export function appendConfiguration(state: RaftState, leading: Leading, entry: MembershipEntry): void {
  appendToLeader(state, leading, entry);
  leading.reconfigure(entry.configuration, state.log.lastIndex, state.tick);
  advanceCommit(state, leading);
}

/**
 * Commits what a quorum holds, but only up to an entry of this term: an older entry may be on a majority and still be
 * overwritten, unless one of this term stands above it. @see Raft §5.4.2, Figure 8
 */
export function advanceCommit(state: RaftState, leading: Leading): void {
  const held = jointIndex(state.configuration, leading.matches);
  if (held <= state.commit || state.log.termAt(held) !== state.term) return;
  state.commitTo(logIndex(held));
  leading.markAll();
  configurationMayBeCommitted(state, leading);
}

/**
 * Once the configuration in force is committed, the joint one is left, and a leader that is no voter any more steps
 * down.
 */
function configurationMayBeCommitted(state: RaftState, leading: Leading): void {
  const { configurations, self } = state;
  if (configurations.currentIndex > state.commit) return;
  const configuration = configurations.current;
  if (isJoint(configuration)) {
    if (!configuration.autoLeave) return;
    const left = changeConfiguration(configuration, { type: "leave-joint" });
    assert(left.type === "changed", "a joint configuration can be left");
    appendConfiguration(state, leading, {
      kind: "membership",
      index: logIndex(state.log.lastIndex + 1),
      term: state.term,
      configuration: left.configuration,
    });
  } else if (!configuration.voters.includes(self)) {
    // The others must learn of the commit first, or the next leader would have to find out by itself. @see Raft §6
    flush(state, leading);
    state.becomeFollower(state.term, null);
  }
}

/** Our own log became durable further: it counts for the commit index only now. */
export function onOwnLogDurable(state: RaftState, leading: Leading): void {
  leading.selfMatch = state.persistence.stableIndex;
  advanceCommit(state, leading);
}

/** Writes what is due into the outbox. */
export function flush(state: RaftState, leading: Leading): void {
  if (!leading.flushDue) return;
  if (leading.heartbeatDue || leading.reads.startDue) sendHeartbeats(state, leading, false);
  let someoneDeparts = false;
  for (const peer of leading.peers) {
    if (!leading.broadcastDue && !peer.due) continue;
    peer.due = false;
    if (!peer.beyondHelp) sendWhatIsLacking(state, peer);
    peer.checkDue = false;
    someoneDeparts ||= peer.departing;
  }
  leading.broadcastDue = false;
  leading.flushDue = false;
  if (someoneDeparts) leading.dismiss((peer) => peer.beyondHelp || knowsOfItsRemoval(state, peer));
}

/** It holds the entry that removes it, and has just been sent the commit index that makes it final. */
function knowsOfItsRemoval(state: RaftState, peer: Progress): boolean {
  const removedAt = state.configurations.currentIndex;
  return peer.match >= removedAt && peer.sentCommit >= removedAt;
}

function sendWhatIsLacking(state: RaftState, peer: Progress): void {
  switch (peer.state) {
    case "snapshot":
      return;
    case "probe":
      if (!peer.probeSent) sendAppend(state, peer);
      return;
    case "replicate": {
      const { lastIndex } = state.log;
      let sent = false;
      while (peer.state === "replicate" && peer.next <= lastIndex && !peer.inflights.full) {
        sendAppend(state, peer);
        sent = true;
      }
      // A full window still lets an empty request through when asked to check: were all of its requests lost, no answer
      // would ever open it again.
      if (!sent && (peer.checkDue || peer.sentCommit < state.commit)) sendAppend(state, peer);
      return;
    }
    default:
      unreachable(peer.state);
  }
}

/** One append request from `peer.next` on; asks for a snapshot instead where the log does not reach back so far. */
function sendAppend(state: RaftState, peer: Progress): void {
  const { log } = state;
  const previousIndex = logIndex(peer.next - 1);
  const previousTerm = log.termAt(previousIndex);
  if (previousTerm === null) {
    askForSnapshot(state, peer);
    return;
  }
  const entries =
    peer.inflights.full || peer.next > log.lastIndex
      ? NO_ENTRIES
      : log.slice(peer.next, log.lastIndex, state.options.appendBytesMax);
  if (peer.state === "probe") {
    peer.probeSent = true;
  } else if (entries.length > 0) {
    const last = logIndex(previousIndex + entries.length);
    peer.inflights.add(last, log.bytesBetween(previousIndex, last));
    peer.next = logIndex(last + 1);
  }
  peer.sentCommit = state.commit;
  state.send({
    type: "append-request",
    from: state.self,
    to: peer.node,
    term: state.term,
    session: peer.session,
    previousIndex,
    previousTerm,
    entries,
    commit: state.commit,
  });
}

/**
 * Only for a member that was heard lately: nobody streams a snapshot to the dead. Asked again at its next sign of
 * life. Never for one that departs: the likeliest is that its node has destroyed the replica already, and what is sent
 * would bring an empty one into being again and again. It is let go; who holds an old log asks whether it still counts.
 */
function askForSnapshot(state: RaftState, peer: Progress): void {
  if (peer.state !== "probe") peer.becomeProbe();
  peer.probeSent = true;
  peer.beyondHelp = peer.departing;
  if (
    peer.departing ||
    peer.snapshotAsked ||
    state.tick - peer.contactTick >= state.options.electionTimeoutTicks
  )
    return;
  peer.snapshotAsked = true;
  state.snapshotsWanted.push(peer.node);
}

export function onAppendResponse(state: RaftState, leading: Leading, response: AppendResponse): void {
  const peer = leading.peer(response.from);
  if (peer === undefined) return;
  peer.contactTick = state.tick;
  if (response.index > state.log.lastIndex) return;
  if (response.session !== peer.session) {
    if (response.rejected) onLogLost(state, leading, peer, response);
    else onSnapshotResponse(leading, peer, response);
    return;
  }
  if (response.rejected) {
    onRejected(state, leading, peer, response);
    return;
  }
  const news = peer.acknowledge(response.index);
  switch (peer.state) {
    case "probe":
      if (response.index >= peer.match) peer.becomeReplicate();
      break;
    case "snapshot":
      // The follower may have caught up in another way than by the stream the host is still busy with.
      if (peer.match >= state.log.baseIndex && peer.match >= peer.snapshotIndex) peer.becomeReplicate();
      break;
    case "replicate":
      peer.inflights.freeTo(response.index);
      break;
    default:
      unreachable(peer.state);
  }
  // One that departs and knows it has nothing more to get, and is let go by the next flush.
  if (peer.next <= state.log.lastIndex || peer.sentCommit < state.commit || peer.departing)
    leading.mark(peer);
  if (!news) return;
  advanceCommit(state, leading);
  if (state.leading === leading) handOverIfCaughtUp(state, leading, peer);
}

/**
 * An answer to a snapshot belongs to no session, so it proves nothing; but it tells where to probe next, even when
 * the host that streamed the snapshot never learned how that ended.
 */
function onSnapshotResponse(leading: Leading, peer: Progress, response: AppendResponse): void {
  if (response.session !== 0) return;
  if (peer.state === "replicate" || response.index <= peer.match) return;
  peer.becomeProbe(response.index);
  leading.mark(peer);
}

/**
 * A heartbeat told the member that it holds what it does not hold. One that departs is let go as it is. A complaint that comes
 * late, when the member has been filled again, costs a round trip.
 */
function onLogLost(state: RaftState, leading: Leading, peer: Progress, response: AppendResponse): void {
  if (response.session !== 0 || response.index === 0 || response.index > peer.match) return;
  if (peer.departing) {
    peer.beyondHelp = true;
    leading.mark(peer);
    return;
  }
  leading.reacquaint(peer, logIndex(Math.min(response.hintIndex, state.log.lastIndex) + 1));
}

/** The consistency check failed at the follower: go back, by whole terms on both sides. @see Raft §5.3 */
function onRejected(state: RaftState, leading: Leading, peer: Progress, response: AppendResponse): void {
  if (peer.departing && response.index <= peer.match) {
    // It does not hold what it acknowledged: the replica was destroyed, and what answers is an empty one in its place.
    peer.beyondHelp = true;
    leading.mark(peer);
    return;
  }
  const hint =
    response.hintTerm > 0
      ? state.log.lastIndexWithin(response.hintIndex, response.hintTerm)
      : response.hintIndex;
  if (peer.backtrack(response.index, hint)) leading.mark(peer);
}
