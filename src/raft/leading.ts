/**
 * What only a leader knows: volatile, made at its election, thrown away when it steps down.
 * @see Raft Figure 2, Volatile state on leaders
 */
import type { LogIndex, NodeId } from "../base/ids.ts";
import { type Configuration, isMember } from "./configuration.ts";
import { LeaderLease } from "./lease.ts";
import type { RaftOptions } from "./options.ts";
import { Progress } from "./progress.ts";
import type { QuorumMeasure } from "./quorum.ts";
import { ReadRounds } from "./read-rounds.ts";

/** Leadership being handed over. */
export interface Transfer {
  readonly to: NodeId;
  /** Given up at this tick. */
  readonly deadlineTick: number;
}

/** The leader's book on its members, by everything that is counted by majority. */
export class Leading {
  readonly self: NodeId;
  /** The no-op that opened the term. Once it is committed, so is everything before it. @see Raft §5.4.2, §8 */
  readonly termStart: LogIndex;
  readonly reads = new ReadRounds();
  readonly lease: LeaderLease;
  /** Everybody else in the configuration in force, and those who are leaving it. */
  readonly peers: Progress[] = [];
  /** How far this leader's own log is durable: what it may count for itself. */
  selfMatch: LogIndex;
  transfer: Transfer | null = null;
  heartbeatElapsedTicks = 0;
  /** Heartbeats since anything happened. */
  idleHeartbeats = 0;
  /**
   * Something has to be sent at the next `ready()`: see {@link Progress.due}, {@link broadcastDue}, {@link
   * heartbeatDue}.
   */
  flushDue = true;
  /** Every peer gets what it lacks. */
  broadcastDue = true;
  heartbeatDue = false;

  /** Log index up to which each voter is known to hold our log. */
  readonly matches: QuorumMeasure;
  /** Tick at which each voter last answered. */
  readonly contacts: QuorumMeasure;
  /** Latest read round each voter answered. */
  readonly rounds: QuorumMeasure;

  readonly #options: RaftOptions;
  readonly #byNode = new Map<NodeId, Progress>();
  #lastSession = 0;

  constructor(self: NodeId, options: RaftOptions, termStart: LogIndex, selfMatch: LogIndex) {
    this.self = self;
    this.termStart = termStart;
    this.selfMatch = selfMatch;
    this.lease = new LeaderLease(options.electionTimeoutTicks);
    this.#options = options;
    const byNode = this.#byNode;
    this.matches = {
      of: (node) => (node === self ? this.selfMatch : (byNode.get(node)?.match ?? 0)),
    };
    this.contacts = {
      of: (node) => (node === self ? Number.POSITIVE_INFINITY : (byNode.get(node)?.contactTick ?? 0)),
    };
    this.rounds = {
      of: (node) => (node === self ? Number.POSITIVE_INFINITY : (byNode.get(node)?.readRound ?? 0)),
    };
  }

  /** The peer's progress; undefined for ourselves and for whoever is not a member. */
  peer(node: NodeId): Progress | undefined {
    return this.#byNode.get(node);
  }

  /**
   * Makes the book fit `configuration`. Newcomers are probed at `next`; those it leaves out stay until they know,
   * so that they do not go on campaigning for a group that is not theirs any more.
   */
  reconfigure(configuration: Configuration, next: LogIndex, nowTick: number): void {
    this.#admit(configuration.voters, false, next, nowTick);
    this.#admit(configuration.votersOutgoing, false, next, nowTick);
    this.#admit(configuration.learners, true, next, nowTick);
    for (const peer of this.#byNode.values()) peer.departing = !isMember(configuration, peer.node);
    this.#listPeers();
  }

  /**
   * The member does not hold what it had acknowledged: its disk lost it. Everything about its log begins anew, under another
   * session, at `next`. What was committed with its help stays committed: it votes by its tombstone for nobody who lacks it.
   */
  reacquaint(peer: Progress, next: LogIndex): void {
    const { node, learner, contactTick, readRound } = peer;
    this.#lastSession++;
    const fresh = new Progress(node, this.#lastSession, next, contactTick, this.#options);
    fresh.learner = learner;
    fresh.readRound = readRound;
    this.#byNode.set(node, fresh);
    this.#listPeers();
    this.mark(fresh);
  }

  /** Forgets members that left. Their messages are ignored from here on. */
  dismiss(departed: (peer: Progress) => boolean): void {
    for (const peer of this.peers) if (peer.departing && departed(peer)) this.#byNode.delete(peer.node);
    if (this.#byNode.size < this.peers.length) this.#listPeers();
  }

  /** Every peer gets what it lacks at the next `ready()`. */
  markAll(): void {
    this.broadcastDue = true;
    this.flushDue = true;
  }

  mark(peer: Progress): void {
    peer.due = true;
    this.flushDue = true;
  }

  markHeartbeat(): void {
    this.heartbeatDue = true;
    this.flushDue = true;
  }

  #admit(nodes: readonly NodeId[], learner: boolean, next: LogIndex, nowTick: number): void {
    for (const node of nodes) {
      if (node === this.self) continue;
      let peer = this.#byNode.get(node);
      if (peer === undefined || peer.departing) {
        this.#lastSession++;
        peer = new Progress(node, this.#lastSession, next, nowTick, this.#options);
        this.#byNode.set(node, peer);
      }
      peer.learner = learner;
    }
  }

  #listPeers(): void {
    this.peers.length = 0;
    for (const peer of this.#byNode.values()) this.peers.push(peer);
  }
}
