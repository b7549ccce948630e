/**
 * Who leads. A replica that misses its leader first asks whether it could win (pre-vote, which disturbs nobody),
 * and only with a majority behind it raises its term and asks for votes. Each replica votes once per term, for a
 * candidate whose log is at least as up to date as its own; so a leader holds every committed entry. @see Raft
 * §5.2, §5.4.1
 */
import { type NodeId, term as toTerm } from "../base/ids.ts";
import type { PreVoteRequest, PreVoteResponse, TimeoutNow, VoteRequest, VoteResponse } from "./messages.ts";
import { jointVote } from "./quorum.ts";
import { advanceCommit, appendToLeader } from "./replication.ts";
import type { RaftState } from "./state.ts";
import { satisfiesTombstone } from "./tombstone.ts";

/** One tick of somebody who does not lead. */
export function tickElection(state: RaftState): void {
  state.electionElapsedTicks++;
  if (state.electionElapsedTicks >= state.electionWaitTicks) preCampaign(state);
  else if (state.electionElapsedTicks % (2 * state.options.heartbeatTicks) === 0) askAgain(state);
}

/** Starts an election now, or as soon as no leader can be counting on our lease any more. */
export function campaignSoon(state: RaftState): void {
  if (state.options.leaseReads && state.role === "follower" && state.leaseHeld) forgetLeader(state);
  else preCampaign(state);
}

/** The leader is believed dead: leave its lease (unless it may be reading on it) and campaign before long. */
export function forgetLeader(state: RaftState): void {
  if (state.role !== "follower" || state.leader === null) return;
  let leaseTicks = 0;
  if (state.options.leaseReads) {
    leaseTicks = Math.max(0, state.options.electionTimeoutTicks - state.electionElapsedTicks);
    state.leaseUntilTick = Math.max(state.leaseUntilTick, state.tick + leaseTicks);
  }
  state.loseLeader();
  state.hastenElection(leaseTicks);
}

/** Starts a pre-vote, if this replica may lead at all. */
function preCampaign(state: RaftState): void {
  if (state.role === "leader" || !state.promotable) return;
  state.becomePreCandidate();
  askForPreVotes(state);
  // Our own pre-vote promises nothing, so it counts at once.
  recordPreVote(state, state.self, true);
}

function askForPreVotes(state: RaftState): void {
  const { self, term, log } = state;
  const request = {
    type: "pre-vote-request",
    term,
    lastIndex: log.lastIndex,
    lastTerm: log.lastTerm,
  } as const;
  for (const to of unheardVoters(state)) state.send({ ...request, from: self, to });
}

/**
 * Starts a real election. The requests, too, are held until term, vote and log are durable: they claim a log, and
 * if we lost its tail in a crash, campaigned again in the same term and met the late grants, they would elect a log
 * nobody vouched for.
 */
function campaign(state: RaftState, transfer: boolean): void {
  state.becomeCandidate();
  state.ownVoteReceipt = state.persistence.receiptToAwait;
  state.handedOver = transfer;
  askForVotes(state);
}

function askForVotes(state: RaftState): void {
  const { self, term, log, handedOver: transfer } = state;
  const request = {
    type: "vote-request",
    term,
    lastIndex: log.lastIndex,
    lastTerm: log.lastTerm,
    transfer,
  } as const;
  for (const to of unheardVoters(state)) state.promise({ ...request, from: self, to });
}

/**
 * Asks those who have not answered once more, with the words of the first time: a request that was lost, or for which there was no
 * link yet, would cost the election. Like a duplicate of the network, it can do no harm. @see Raft §5.5
 */
function askAgain(state: RaftState): void {
  if (state.role === "pre-candidate") askForPreVotes(state);
  // Until our own vote is durable the first requests have not left either.
  else if (state.role === "candidate" && state.ownVoteReceipt === 0) askForVotes(state);
}

/** Everything up to `receipt` is durable: our vote for ourselves may count now. */
export function countOwnVote(state: RaftState, receipt: number): void {
  if (state.ownVoteReceipt === 0 || state.ownVoteReceipt > receipt) return;
  state.ownVoteReceipt = 0;
  recordVote(state, state.self, true);
}

/** Changes neither term nor vote nor timer, whatever the answer. */
export function onPreVoteRequest(state: RaftState, request: PreVoteRequest): void {
  if (state.leaseHeld) return;
  const granted = mayVoteFor(state, request);
  state.send({
    type: "pre-vote-response",
    from: state.self,
    to: request.from,
    term: granted ? toTerm(request.term + 1) : state.term,
    granted,
  });
}

export function onPreVoteResponse(state: RaftState, response: PreVoteResponse): void {
  if (state.role !== "pre-candidate") return;
  // A grant names the term it is for; one for another campaign is void.
  if (response.granted && response.term !== state.term + 1) return;
  recordPreVote(state, response.from, response.granted);
}

/** The request is of our term: a higher one has been adopted, a lower one answered. @see Raft Figure 2, RequestVote */
export function onVoteRequest(state: RaftState, request: VoteRequest): void {
  const free = state.vote === request.from || (state.vote === null && state.leader === null);
  const granted = free && mayVoteFor(state, request);
  const response: VoteResponse = {
    type: "vote-response",
    from: state.self,
    to: request.from,
    term: state.term,
    granted,
  };
  if (!granted) {
    state.send(response);
    return;
  }
  state.grantVote(request.from);
  state.promise(response);
}

export function onVoteResponse(state: RaftState, response: VoteResponse): void {
  if (state.role === "candidate") recordVote(state, response.from, response.granted);
}

/** The leader hands over: campaign for real, at once. @see Raft dissertation §3.10 */
export function onTimeoutNow(state: RaftState, message: TimeoutNow): void {
  if (state.role === "leader" || state.role === "candidate" || !state.promotable) return;
  if (state.leader !== null && state.leader !== message.from) return;
  campaign(state, true);
}

function mayVoteFor(state: RaftState, request: PreVoteRequest | VoteRequest): boolean {
  return (
    state.log.isCoveredBy(request.lastIndex, request.lastTerm) &&
    satisfiesTombstone(state.tombstone, request.lastIndex, request.lastTerm)
  );
}

function recordPreVote(state: RaftState, from: NodeId, granted: boolean): void {
  record(state, from, granted);
  const outcome = jointVote(state.configuration, state.votes);
  if (outcome === "won") campaign(state, false);
  else if (outcome === "lost") state.becomeFollower(state.term, null);
}

function recordVote(state: RaftState, from: NodeId, granted: boolean): void {
  record(state, from, granted);
  const outcome = jointVote(state.configuration, state.votes);
  if (outcome === "won") {
    lead(state);
  } else if (outcome === "lost") {
    // Whoever had the other votes will be heard soon. If nobody had enough, nobody will.
    state.becomeFollower(state.term, null);
    state.waitForElection();
  }
}

/** The first answer of a voter in one campaign stands. */
function record(state: RaftState, from: NodeId, granted: boolean): void {
  if (!state.votes.has(from)) state.votes.set(from, granted);
}

/** The no-op lets the leader commit, and so learn what is committed, without waiting for a client. @see Raft §8 */
function lead(state: RaftState): void {
  const leading = state.becomeLeader();
  appendToLeader(state, leading, { kind: "noop", index: leading.termStart, term: state.term });
  advanceCommit(state, leading);
}

/** The other voters that have not answered in this campaign. */
function unheardVoters(state: RaftState): readonly NodeId[] {
  const { voters, votersOutgoing } = state.configuration;
  const others = new Set<NodeId>([...voters, ...votersOutgoing]);
  others.delete(state.self);
  return [...others].filter((node) => !state.votes.has(node));
}
