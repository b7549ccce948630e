/**
 * The state of one replica and the few ways in which it may change. The rules of the protocol live in the files
 * beside this one (`election`, `following`, `replication`, ...); whatever they do goes through here, where the
 * invariants are checked: term, vote and commit index never go back, one vote per term, `applied <= commit <=
 * lastIndex`.
 * @see Raft Figure 2, State
 */
import { assert } from "../base/assert.ts";
import { type LogIndex, logIndex, type NodeId, type Term, term as toTerm } from "../base/ids.ts";
import type { Random } from "../base/random.ts";
import { type Configuration, isVoter } from "./configuration.ts";
import { ConfigurationHistory } from "./configuration-history.ts";
import type { Entry } from "./entry.ts";
import { Leading } from "./leading.ts";
import { isAtLeast, RaftLog } from "./log.ts";
import type { RaftMessage, SnapshotMetadata } from "./messages.ts";
import type { RaftOptions } from "./options.ts";
import { Outbox } from "./outbox.ts";
import { Persistence } from "./persistence.ts";
import type { HardState, ReadGrant, Role } from "./ready.ts";
import { startingVote, type Tombstone } from "./tombstone.ts";

/** Elections that are given up sooner than others. */
const SHORT_ELECTIONS = 2;

/** Everything a replica starts from. */
export interface RaftStart {
  readonly self: NodeId;
  readonly options: RaftOptions;
  /** Election jitter only. */
  readonly random: Random;
  /** The state machine already holds everything up to `index`. */
  readonly base: {
    readonly index: LogIndex;
    readonly term: Term;
    readonly configuration: Configuration;
  };
  /** `{ term: 0, vote: null, commit: base.index }` for a fresh replica. */
  readonly hardState: HardState;
  /** The durable entries after the base. */
  readonly entries: readonly Entry[];
  /** What is remembered of an earlier replica of this group on this node. */
  readonly tombstone?: Tombstone | null;
}

/** One replica. */
export class RaftState {
  readonly self: NodeId;
  readonly options: RaftOptions;
  readonly log: RaftLog;
  readonly configurations: ConfigurationHistory;
  readonly outbox = new Outbox();
  readonly persistence: Persistence;

  readonly #random: Random;
  #term: Term;
  #vote: NodeId | null;
  #role: Role = "follower";
  #leader: NodeId | null = null;
  #leading: Leading | null = null;
  #commit: LogIndex;
  #applied: LogIndex;

  /** Committed entries up to here have been handed out. */
  handedOut: LogIndex;
  /** See `tombstone.ts`; null once our own log has caught up with it. */
  tombstone: Tombstone | null;
  /** Ticks counted by this replica; it stands still while quiesced. */
  tick = 0;
  /** Ticks since the leader was heard, or a vote granted, or an election begun. */
  electionElapsedTicks = 0;
  /** The silence after which an election begins. */
  electionWaitTicks = 0;
  /** Elections this replica has begun since it last heard a leader, or voted for somebody else. */
  #electionsBegun = 0;
  /** Until this tick votes are refused though no leader is known: with lease reads, a leader may still count on us. */
  leaseUntilTick = 0;
  /** Nothing is sent and no time passes until something happens. */
  quiesced = false;
  /** Answers to the (pre-)candidate we are. */
  readonly votes = new Map<NodeId, boolean>();
  /** The receipt that makes our vote for ourselves durable; 0 when there is none to wait for. */
  ownVoteReceipt = 0;
  /** The leader asked for this candidacy: whoever hears it still may vote. */
  handedOver = false;

  readsGranted: ReadGrant[] = [];
  readsLost: number[] = [];
  snapshotsWanted: NodeId[] = [];
  leadershipChanged = false;
  configurationChanged = false;

  constructor(start: RaftStart) {
    this.self = start.self;
    this.options = start.options;
    this.#random = start.random;
    this.log = new RaftLog(start.base.index, start.base.term);
    this.configurations = new ConfigurationHistory(start.base.index, start.base.configuration);
    for (const entry of start.entries) {
      this.log.append(entry);
      if (entry.kind === "membership") this.configurations.append(entry.index, entry.configuration);
    }
    this.persistence = new Persistence(this.log);
    this.tombstone = start.tombstone ?? null;
    const { term, vote } = startingVote(start.hardState, this.tombstone);
    this.settleTombstone();
    this.#term = term;
    this.#vote = vote;
    if (term !== start.hardState.term || vote !== start.hardState.vote) this.persistence.voteChanged();
    this.#commit = logIndex(Math.max(start.hardState.commit, start.base.index));
    this.#applied = start.base.index;
    this.handedOut = start.base.index;
    assert(this.#commit <= this.log.lastIndex, "the log reaches the stored commit index", {
      commit: this.#commit,
      lastIndex: this.log.lastIndex,
    });
    assert(this.log.lastTerm <= this.#term, "no entry is of a later term than the stored one", {
      lastTerm: this.log.lastTerm,
      term: this.#term,
    });
    if (this.options.leaseReads && this.#term > 0) this.leaseUntilTick = this.options.electionTimeoutTicks;
    this.restartElectionTimer();
  }

  get term(): Term {
    return this.#term;
  }

  get vote(): NodeId | null {
    return this.#vote;
  }

  get role(): Role {
    return this.#role;
  }

  get leader(): NodeId | null {
    return this.#leader;
  }

  /** The leader's book; null unless this replica leads. */
  get leading(): Leading | null {
    return this.#leading;
  }

  get commit(): LogIndex {
    return this.#commit;
  }

  get applied(): LogIndex {
    return this.#applied;
  }

  get configuration(): Configuration {
    return this.configurations.current;
  }

  /**
   * May campaign: a voter of the configuration in force, or of the committed one while the one in force is not
   * known to be committed. The latter because a removed replica may be the only one that holds the entry which
   * removes it, and so refuse its vote to all others: it has to lead once more, not counting itself, to finish its
   * own removal. Learners, strangers, the not yet configured and those who have a former life to catch up with
   * never campaign. @see Raft dissertation §4.2.2
   */
  get promotable(): boolean {
    const { configurations } = this;
    if (this.tombstone !== null) return false;
    if (isVoter(configurations.current, this.self)) return true;
    return configurations.currentIndex > this.#commit && isVoter(configurations.at(this.#commit), this.self);
  }

  /**
   * A live leader is known, so votes are refused: nobody who merely lost his own link can depose it.
   * @see Raft §6, Raft dissertation §4.2.3
   */
  get leaseHeld(): boolean {
    if (this.#role === "leader") return true;
    if (this.tick < this.leaseUntilTick) return true;
    return this.#leader !== null && this.electionElapsedTicks < this.options.electionTimeoutTicks;
  }

  /** Queues a message that promises nothing. */
  send(message: RaftMessage): void {
    this.outbox.send(message);
  }

  /** Queues a message that promises the present term, vote and log: it leaves once they are durable. */
  promise(message: RaftMessage): void {
    this.outbox.hold(message, this.persistence.receiptToAwait);
  }

  /** Follows `leader` (or nobody yet) in `term`. Also how a leader or candidate steps down. */
  becomeFollower(term: Term, leader: NodeId | null): void {
    assert(term >= this.#term, "a term never goes back", { from: this.#term, to: term });
    if (term > this.#term) this.#enterTerm(term, null);
    this.#take("follower", leader);
    this.restartElectionTimer();
  }

  /** Asks around whether an election could be won. Changes neither term nor vote. @see Raft dissertation §9.6 */
  becomePreCandidate(): void {
    assert(this.#role !== "leader", "a leader does not campaign");
    this.#take("pre-candidate", null);
    this.#electionsBegun++;
    this.waitForElection();
  }

  /** Enters a new term and votes for itself. @see Raft §5.2 */
  becomeCandidate(): void {
    assert(this.#role !== "leader", "a leader does not campaign");
    this.#enterTerm(toTerm(this.#term + 1), this.self);
    this.#take("candidate", null);
    this.waitForElection();
  }

  /** A candidate by an operator's word, `steps` terms further, whatever its configuration says. @see forced.ts */
  standByForce(steps: number): void {
    assert(this.#role !== "leader", "a leader does not campaign");
    this.#enterTerm(toTerm(this.#term + steps), this.self);
    this.#take("candidate", null);
    this.restartElectionTimer();
  }

  /** Won the election; the no-op that opens the term is not appended yet. */
  becomeLeader(): Leading {
    assert(this.#role === "candidate", "only a candidate becomes leader", { role: this.#role });
    const termStart = logIndex(this.log.lastIndex + 1);
    const leading = new Leading(this.self, this.options, termStart, this.persistence.stableIndex);
    leading.reconfigure(this.configuration, termStart, this.tick);
    this.#take("leader", this.self);
    this.#leading = leading;
    this.#electionsBegun = 0;
    this.restartElectionTimer();
    return leading;
  }

  /** The leader is heard, for the first time or again. */
  hearLeader(leader: NodeId): void {
    if (this.#role !== "follower" || this.#leader !== leader) this.#take("follower", leader);
    this.#electionsBegun = 0;
    this.restartElectionTimer();
  }

  /** A follower treats its leader as unknown. */
  loseLeader(): void {
    assert(this.#role === "follower", "only a follower loses its leader", { role: this.#role });
    this.#take("follower", null);
  }

  /** Gives the vote of this term to `candidate`. @see Raft Figure 2, RequestVote */
  grantVote(candidate: NodeId): void {
    assert(this.#vote === null || this.#vote === candidate, "one vote per term", {
      term: this.#term,
      vote: this.#vote,
      candidate,
    });
    if (this.#vote === null) this.persistence.voteChanged();
    this.#vote = candidate;
    this.#electionsBegun = 0;
    this.restartElectionTimer();
  }

  /** Draws a fresh wait from [n, 2n), so that two candidates rarely collide twice. @see Raft §5.2 */
  restartElectionTimer(): void {
    const timeout = this.options.electionTimeoutTicks;
    this.electionElapsedTicks = 0;
    this.electionWaitTicks = timeout + this.#random.nextBelow(timeout);
  }

  /**
   * How long an election that has begun may take before the next one. The first two since a leader was heard end after
   * [n/2, n), all further ones after [n, 2n): who shared the votes with another candidate need not wait for the silence of a
   * leader, because there is none, but for the votes, and those take a few round trips and two writes to a disk. Where they
   * take longer than that, the third election has all the time the first used to have, so none is cut short for ever.
   * A leader that was elected meanwhile is in no danger: the next election, too, begins with a pre-vote.
   */
  waitForElection(): void {
    if (this.#electionsBegun > SHORT_ELECTIONS) {
      this.restartElectionTimer();
      return;
    }
    const timeout = this.options.electionTimeoutTicks;
    const least = (timeout + 1) >> 1;
    this.electionElapsedTicks = 0;
    this.electionWaitTicks = least + this.#random.nextBelow(Math.max(1, timeout - least));
  }

  /** Campaigns soon: within 1 .. half an election timeout after `leaseTicks`. */
  hastenElection(leaseTicks: number): void {
    const most = Math.max(1, this.options.electionTimeoutTicks >> 1);
    this.electionElapsedTicks = 0;
    this.electionWaitTicks = leaseTicks + 1 + this.#random.nextBelow(most);
  }

  /** Everything up to `index` is committed. */
  commitTo(index: LogIndex): void {
    if (index <= this.#commit) return;
    assert(index <= this.log.lastIndex, "what is committed is in the log", {
      index,
      lastIndex: this.log.lastIndex,
    });
    this.#commit = index;
    this.persistence.commitChanged();
  }

  appliedTo(index: LogIndex): void {
    assert(index <= this.handedOut, "only what was handed out is applied", {
      index,
      handedOut: this.handedOut,
    });
    if (index > this.#applied) this.#applied = index;
  }

  /** Adds an entry to the log; a configuration is in force from here on. @see Raft §6 */
  appendEntry(entry: Entry): void {
    this.log.append(entry);
    if (entry.kind !== "membership") return;
    this.configurations.append(entry.index, entry.configuration);
    this.configurationChanged = true;
  }

  /** Removes the entries at and above `index`, and with them the configurations they brought. */
  truncateFrom(index: LogIndex): void {
    assert(index > this.#commit, "what is committed is never overwritten", { index, commit: this.#commit });
    assert(this.#leading === null, "a leader never overwrites its log", { index });
    this.log.truncateFrom(index);
    this.persistence.truncatedFrom(index, this.log.lastIndex);
    if (this.configurations.truncateFrom(index)) this.configurationChanged = true;
  }

  /** Replaces everything by `snapshot`, which is ahead of all we have committed. @see Raft §7 */
  installSnapshot(snapshot: SnapshotMetadata): void {
    assert(snapshot.index > this.#commit, "a snapshot never takes the commit index back", {
      index: snapshot.index,
      commit: this.#commit,
    });
    this.log.reset(snapshot.index, snapshot.term);
    this.persistence.snapshotInstalled(snapshot, logIndex(0));
    this.configurations.reset(snapshot.index, snapshot.configuration);
    this.configurationChanged = true;
    this.#commit = snapshot.index;
    this.#applied = snapshot.index;
    this.handedOut = snapshot.index;
    this.persistence.commitChanged();
  }

  /** Drops the log up to `index`, which is applied. */
  compactTo(index: LogIndex): void {
    assert(index <= this.#applied, "only what is applied is compacted", { index, applied: this.#applied });
    if (index <= this.log.baseIndex) return;
    this.log.compactTo(index);
    this.configurations.compactTo(index);
  }

  /** Forgets the tombstone once our own log holds all that the former life could have acknowledged. */
  settleTombstone(): void {
    const { tombstone, log } = this;
    if (tombstone === null) return;
    if (isAtLeast(log.lastTerm, log.lastIndex, tombstone.lastTerm, tombstone.lastIndex))
      this.tombstone = null;
  }

  #enterTerm(term: Term, vote: NodeId | null): void {
    assert(term > this.#term, "a term never goes back", { from: this.#term, to: term });
    this.#term = term;
    this.#vote = vote;
    this.leadershipChanged = true;
    this.persistence.voteChanged();
  }

  #take(role: Role, leader: NodeId | null): void {
    if (this.#leading !== null) {
      this.#leading.reads.drop(this.readsLost);
      this.snapshotsWanted.length = 0;
      this.#leading = null;
    }
    if (this.#role !== role || this.#leader !== leader) this.leadershipChanged = true;
    this.#role = role;
    this.#leader = leader;
    this.quiesced = false;
    this.ownVoteReceipt = 0;
    this.votes.clear();
  }
}
