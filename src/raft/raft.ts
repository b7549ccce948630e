/**
 * Consensus for one group: a pure, synchronous state machine. The host feeds it ticks, messages and wishes, then
 * takes out of `ready()` what is to be persisted, sent, applied and answered. No clock, no I/O, no randomness of
 * its own: equal inputs give equal outputs. The rules live in the files beside this one; this one is the door.
 * @see Raft: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (extended version)
 */
import { assert, unreachable } from "../base/assert.ts";
import type { LogIndex, NodeId, Term } from "../base/ids.ts";
import type { Configuration } from "./configuration.ts";
import type { MembershipChange } from "./configuration-change.ts";
import {
  campaignSoon,
  countOwnVote,
  forgetLeader,
  onPreVoteRequest,
  onPreVoteResponse,
  onTimeoutNow,
  onVoteRequest,
  onVoteResponse,
  tickElection,
} from "./election.ts";
import type { Entry } from "./entry.ts";
import { onAppendRequest, onHeartbeat, onInstallSnapshot } from "./following.ts";
import { type ForceResult, forceAlone } from "./forced.ts";
import { onHeartbeatResponse, tickLeader } from "./heartbeat.ts";
import { proposeConfiguration } from "./membership.ts";
import type { RaftMessage, SnapshotMetadata } from "./messages.ts";
import type { MembershipResult, ProposeResult, ReadResult, TransferResult } from "./outcomes.ts";
import { proposeData } from "./proposing.ts";
import { doubtContact, wake, wakeOn } from "./quiescence.ts";
import { askForRead } from "./reading.ts";
import type { HardState, Ready, Role } from "./ready.ts";
import { flush, onAppendResponse, onOwnLogDurable } from "./replication.ts";
import { type RaftStart, RaftState } from "./state.ts";
import { type RaftStatus, statusOf } from "./status.ts";
import { answerLowerTerm, meetHigherTerm } from "./terms.ts";
import { startTransfer } from "./transfer.ts";

export type { RaftStart } from "./state.ts";

const NOTHING: readonly never[] = Object.freeze([]);

/** One replica of one group. A broken invariant throws `InvariantError`; the host must then stop using this replica. */
export class Raft {
  readonly #state: RaftState;
  readonly #hardState: () => HardState;

  constructor(start: RaftStart) {
    const state = new RaftState(start);
    this.#state = state;
    this.#hardState = () => ({ term: state.term, vote: state.vote, commit: state.commit });
  }

  get self(): NodeId {
    return this.#state.self;
  }

  get role(): Role {
    return this.#state.role;
  }

  get term(): Term {
    return this.#state.term;
  }

  /** The leader of this term, as far as this replica knows. */
  get leader(): NodeId | null {
    return this.#state.leader;
  }

  get commit(): LogIndex {
    return this.#state.commit;
  }

  get applied(): LogIndex {
    return this.#state.applied;
  }

  get lastIndex(): LogIndex {
    return this.#state.log.lastIndex;
  }

  /** The first index that is not compacted away, whether or not it exists yet. */
  get firstIndex(): number {
    return this.#state.log.baseIndex + 1;
  }

  /** Bytes of all entries held; what compaction is for. */
  get logBytes(): number {
    return this.#state.log.bytes;
  }

  /** The last index that every other member is known to hold, learners included; where this replica does not lead, it knows of nobody who lacks anything. */
  get heldByAll(): number {
    const { leading } = this.#state;
    let held = Number.POSITIVE_INFINITY;
    if (leading !== null) {
      for (const peer of leading.peers) if (!peer.departing && peer.match < held) held = peer.match;
    }
    return held;
  }

  /** Leadership is being handed over: nothing can be proposed meanwhile. */
  get transferring(): boolean {
    const { leading } = this.#state;
    return leading !== null && leading.transfer !== null;
  }

  get quiesced(): boolean {
    return this.#state.quiesced;
  }

  /** The configuration in force: the latest one in the log, committed or not. @see Raft §6 */
  get configuration(): Configuration {
    return this.#state.configuration;
  }

  /** Time passes. Near free while quiesced. */
  tick(): void {
    const state = this.#state;
    if (state.quiesced) return;
    state.tick++;
    state.persistence.commitIsDue();
    if (state.leading === null) tickElection(state);
    else tickLeader(state, state.leading);
  }

  /**
   * Takes in what another replica says. Never throws on a well-formed message; ignores what is not for it or is out
   * of date.
   */
  step(message: RaftMessage): void {
    const state = this.#state;
    if (message.to !== state.self || message.from === state.self) return;
    wakeOn(state, message);
    if (message.term < state.term) {
      answerLowerTerm(state, message);
      return;
    }
    if (message.term > state.term && !meetHigherTerm(state, message)) return;
    this.#dispatch(message);
  }

  /**
   * Appends `data`, one entry each, to the leader's log. The bytes are kept by reference: do not change them
   * afterwards.
   */
  propose(data: readonly Uint8Array[]): ProposeResult {
    const { leading } = this.#state;
    if (leading === null) return this.#notLeader();
    wake(this.#state);
    return proposeData(this.#state, leading, data);
  }

  /** Appends a new configuration, in force at once, committed later. */
  proposeMembership(change: MembershipChange): MembershipResult {
    const { leading } = this.#state;
    if (leading === null) return this.#notLeader();
    wake(this.#state);
    return proposeConfiguration(this.#state, leading, change);
  }

  /** Asks for a linearizable read. `context` is the host's number for it; unique and rising. */
  readIndex(context: number): ReadResult {
    const { leading } = this.#state;
    if (leading === null) return "not-leader";
    wake(this.#state);
    return askForRead(this.#state, leading, context);
  }

  /** Begins to hand leadership to `to`. Given up after an election timeout. */
  transferLeader(to: NodeId): TransferResult {
    const { leading } = this.#state;
    if (leading === null) return this.#notLeader();
    wake(this.#state);
    return startTransfer(this.#state, leading, to);
  }

  /**
   * Starts an election without waiting for silence, beginning with a pre-vote. No effect on a leader or a
   * non-voter. With lease reads it waits, like everybody, until the lease of the present leader has run out.
   */
  campaign(): void {
    wake(this.#state);
    campaignSoon(this.#state);
  }

  /**
   * The host believes that the leader is gone. A follower forgets it, may vote for others, and campaigns within
   * half an election timeout. With lease reads it first waits until the lease has run out: the leader counts on
   * that.
   */
  forgetLeader(): void {
    wake(this.#state);
    forgetLeader(this.#state);
  }

  /**
   * Makes this replica the only voter, because the others are lost for good: it will lead with the log it has. Breaks what Raft
   * promises. Only for disaster. @see forced.ts
   */
  forceAlone(): ForceResult {
    wake(this.#state);
    return forceAlone(this.#state);
  }

  /** Leaves quiescence. */
  wake(): void {
    wake(this.#state);
  }

  /** Whether `ready()` has something to hand out. */
  hasReady(): boolean {
    const state = this.#state;
    return (
      state.outbox.hasOpen ||
      state.persistence.due ||
      state.leading?.flushDue === true ||
      state.handedOut < this.#deliverable() ||
      state.readsGranted.length > 0 ||
      state.readsLost.length > 0 ||
      state.snapshotsWanted.length > 0 ||
      state.leadershipChanged ||
      state.configurationChanged
    );
  }

  /** Hands out, exactly once, everything there is to do. */
  ready(): Ready {
    const state = this.#state;
    if (state.leading !== null) flush(state, state.leading);
    const { leadershipChanged, configurationChanged } = state;
    state.leadershipChanged = false;
    state.configurationChanged = false;
    return {
      persist: state.persistence.request(this.#hardState),
      messages: state.outbox.take(),
      committed: this.#takeCommitted(),
      reads: this.#takeReads(),
      readsLost: this.#takeReadsLost(),
      snapshotsWanted: this.#takeSnapshotsWanted(),
      leadership: leadershipChanged ? { role: state.role, term: state.term, leader: state.leader } : null,
      configuration: configurationChanged ? state.configuration : null,
    };
  }

  /** The log store has made the request with `receipt`, and all before it, durable. */
  persisted(receipt: number): void {
    const state = this.#state;
    state.persistence.confirm(receipt);
    state.outbox.release(receipt);
    countOwnVote(state, receipt);
    if (state.leading !== null) onOwnLogDurable(state, state.leading);
  }

  /** The state machine has applied everything up to `index`. */
  appliedTo(index: LogIndex): void {
    this.#state.appliedTo(index);
  }

  /** The link to `node` broke: what was in flight may be lost. */
  reportUnreachable(node: NodeId): void {
    const peer = this.#state.leading?.peer(node);
    if (peer?.state === "replicate") peer.becomeProbe();
  }

  /**
   * Nothing whatever came from `node` for an election timeout or longer. A leader that counts on it wakes, asks it, and counts
   * it as lost unless it answers within a quarter of an election timeout; nothing else changes.
   */
  reportSilent(node: NodeId): void {
    this.reportUnreachable(node);
    doubtContact(this.#state, node);
  }

  /** The host begins to stream `snapshot` to `node`. */
  snapshotStarted(node: NodeId, snapshot: SnapshotMetadata): void {
    this.#state.leading?.peer(node)?.becomeSnapshot(snapshot.index);
  }

  /**
   * The stream to `node` ended; `index` is where the snapshot stood. After a failure the next sign of life starts
   * over.
   */
  snapshotFinished(node: NodeId, delivered: boolean, index: LogIndex): void {
    const { leading } = this.#state;
    const peer = leading?.peer(node);
    if (leading === null || peer?.state !== "snapshot") return;
    if (delivered) {
      peer.becomeProbe(index);
      leading.mark(peer);
    } else {
      peer.becomeProbe();
      peer.probeSent = true;
    }
  }

  /** Drops entries up to `to`, which must be applied; they live on in the state machine's checkpoint. */
  compact(to: LogIndex): void {
    this.#state.compactTo(to);
  }

  /**
   * What describes a snapshot of the state machine at `at`, an index from the base of the log up to the applied
   * one.
   */
  snapshotMetadata(at: LogIndex): SnapshotMetadata {
    const { log, configurations, applied } = this.#state;
    const term = log.termAt(at);
    assert(term !== null && at <= applied, "a snapshot stands between base and applied index", { at });
    return { index: at, term, configuration: configurations.at(at) };
  }

  status(): RaftStatus {
    return statusOf(this.#state);
  }

  /** The message is of our term (or a pre-vote, which belongs to none). */
  #dispatch(message: RaftMessage): void {
    const state = this.#state;
    switch (message.type) {
      case "pre-vote-request":
        onPreVoteRequest(state, message);
        return;
      case "pre-vote-response":
        onPreVoteResponse(state, message);
        return;
      case "vote-request":
        onVoteRequest(state, message);
        return;
      case "vote-response":
        onVoteResponse(state, message);
        return;
      case "append-request":
        onAppendRequest(state, message);
        return;
      case "append-response":
        if (state.leading !== null) onAppendResponse(state, state.leading, message);
        return;
      case "heartbeat":
        onHeartbeat(state, message);
        return;
      case "heartbeat-response":
        if (state.leading !== null) onHeartbeatResponse(state, state.leading, message);
        return;
      case "install-snapshot":
        onInstallSnapshot(state, message);
        return;
      case "timeout-now":
        onTimeoutNow(state, message);
        return;
      default:
        unreachable(message);
    }
  }

  #notLeader(): { readonly type: "not-leader"; readonly leader: NodeId | null } {
    return { type: "not-leader", leader: this.#state.leader };
  }

  /** Committed and durable here: what may be handed out. */
  #deliverable(): number {
    const { commit, persistence } = this.#state;
    return Math.min(commit, persistence.stableIndex);
  }

  #takeCommitted(): readonly Entry[] {
    const state = this.#state;
    const upTo = this.#deliverable();
    if (state.handedOut >= upTo) return NOTHING;
    const entries = state.log.slice(state.handedOut + 1, upTo, state.options.committedBytesPerReadyMax);
    state.handedOut = (entries[entries.length - 1] as Entry).index;
    return entries;
  }

  #takeReads(): Ready["reads"] {
    const { readsGranted } = this.#state;
    if (readsGranted.length === 0) return NOTHING;
    this.#state.readsGranted = [];
    return readsGranted;
  }

  #takeReadsLost(): Ready["readsLost"] {
    const { readsLost } = this.#state;
    if (readsLost.length === 0) return NOTHING;
    this.#state.readsLost = [];
    return readsLost;
  }

  #takeSnapshotsWanted(): Ready["snapshotsWanted"] {
    const { snapshotsWanted } = this.#state;
    if (snapshotsWanted.length === 0) return NOTHING;
    this.#state.snapshotsWanted = [];
    return snapshotsWanted;
  }
}
