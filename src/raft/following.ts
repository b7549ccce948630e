/**
 * The follower's work: hold the same log as the leader. Whatever acknowledges entries is a promise and leaves only
 * once they are durable; a refusal promises nothing and leaves at once. @see Raft Figure 2, AppendEntries
 */
import { assert } from "../base/assert.ts";
import { type LogIndex, logIndex, type NodeId, type Term, term as toTerm } from "../base/ids.ts";
import type { AppendRequest, Heartbeat, InstallSnapshot } from "./messages.ts";
import type { RaftState } from "./state.ts";

const NO_SESSION = 0;
const NO_INDEX = logIndex(0);
const NO_TERM = toTerm(0);

/**
 * Takes `from` for the leader of this term. False when that cannot be: a term has one leader, so whoever else
 * claims to be is not believed. @see Raft §5.2
 */
function follow(state: RaftState, from: NodeId): boolean {
  if (state.role === "leader" || (state.leader !== null && state.leader !== from)) return false;
  state.hearLeader(from);
  return true;
}

/** The request is of our term. */
export function onAppendRequest(state: RaftState, request: AppendRequest): void {
  if (!follow(state, request.from)) return;
  const { log } = state;
  const { previousIndex, previousTerm, entries } = request;
  // Up to the commit index our log is the leader's, whatever the request says about it.
  if (previousIndex >= state.commit && !log.holds(previousIndex, previousTerm)) {
    const hintIndex = log.lastIndexWithin(previousIndex, previousTerm);
    const hintTerm = log.termAt(hintIndex) ?? NO_TERM;
    refuse(state, request.from, request.session, previousIndex, hintIndex, hintTerm);
    return;
  }
  // Looked for only where it can be: positions before the first entry are slow to ask for.
  const atCommit = previousIndex < state.commit ? entries[state.commit - previousIndex - 1] : undefined;
  assert(
    atCommit === undefined || log.holds(atCommit.index, atCommit.term),
    "no leader contradicts what is committed",
    { commit: state.commit },
  );
  for (const entry of entries) {
    if (entry.index <= state.commit) continue;
    if (entry.index <= log.lastIndex) {
      if (log.holds(entry.index, entry.term)) continue;
      // An entry that conflicts goes, and all that follow it. @see Raft §5.3
      state.truncateFrom(entry.index);
    }
    state.appendEntry(entry);
  }
  state.settleTombstone();
  const lastNew = logIndex(Math.max(state.commit, previousIndex + entries.length));
  state.commitTo(logIndex(Math.min(request.commit, lastNew)));
  acknowledge(state, request.from, request.session, lastNew);
}

/** The heartbeat is of our term. Its commit index is never above what we are known to hold. */
export function onHeartbeat(state: RaftState, heartbeat: Heartbeat): void {
  if (!follow(state, heartbeat.from)) return;
  const { lastIndex } = state.log;
  state.commitTo(logIndex(Math.min(heartbeat.commit, lastIndex)));
  if (heartbeat.commit > lastIndex) {
    // The leader counts on what our disk has lost: it has to begin with us anew.
    refuse(state, heartbeat.from, NO_SESSION, heartbeat.commit, lastIndex, state.log.lastTerm);
  }
  if (heartbeat.quiesce && state.commit === heartbeat.commit && lastIndex === heartbeat.commit) {
    state.quiesced = true;
    state.persistence.commitIsDue();
    return;
  }
  state.send({
    type: "heartbeat-response",
    from: state.self,
    to: heartbeat.from,
    term: state.term,
    readRound: heartbeat.readRound,
  });
}

/** The whole snapshot has arrived. @see Raft §7 */
export function onInstallSnapshot(state: RaftState, message: InstallSnapshot): void {
  if (!follow(state, message.from)) return;
  const { snapshot } = message;
  if (snapshot.index > state.commit) {
    if (state.log.holds(snapshot.index, snapshot.term)) {
      // Our log leads there as well: nothing to replace, but all of it is committed.
      state.commitTo(snapshot.index);
    } else {
      state.installSnapshot(snapshot);
      state.settleTombstone();
    }
  }
  acknowledge(state, message.from, NO_SESSION, state.commit);
}

/** Answers a leader of an earlier term, so that it learns of ours and steps down. @see Raft §5.1 */
export function refuseStaleLeader(state: RaftState, to: NodeId): void {
  refuse(state, to, NO_SESSION, NO_INDEX, NO_INDEX, NO_TERM);
}

function acknowledge(state: RaftState, to: NodeId, session: number, index: LogIndex): void {
  state.promise({
    type: "append-response",
    from: state.self,
    to,
    term: state.term,
    session,
    rejected: false,
    index,
    hintIndex: NO_INDEX,
    hintTerm: NO_TERM,
  });
}

function refuse(
  state: RaftState,
  to: NodeId,
  session: number,
  index: LogIndex,
  hintIndex: LogIndex,
  hintTerm: Term,
): void {
  state.send({
    type: "append-response",
    from: state.self,
    to,
    term: state.term,
    session,
    rejected: true,
    index,
    hintIndex,
    hintTerm,
  });
}
