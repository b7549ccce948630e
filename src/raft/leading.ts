/**
 * What only a leader knows: volatile, made at its election, thrown away when it steps down.
 * @see Raft Figure 2, Volatile state on leaders
 */
import type { LogIndex, NodeId } from "../base/ids.ts";
import { type Configuration, isVoter } from "./configuration.ts";
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
  /** Everybody else in the configuration in force. */
  readonly peers: Progress[] = [];
  /** How far this leader's own log is durable: what it may count for itself. */
  selfMatch: LogIndex;
  transfer: Transfer | null = null;
  heartbeatElapsedTicks = 0;
  /** Heartbeats since anything happened. */
  idleHeartbeats = 0;
  /** Something has to be sent at the next `ready()`: see {@link Progress.due}, {@link broadcastDue}, {@link heartbeatDue}. */
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

  /** Makes the book fit `configuration`: newcomers are probed at `next`, whoever left is forgotten. */
  reconfigure(configuration: Configuration, next: LogIndex, nowTick: number): void {
    this.#admit(configuration.voters, false, next, nowTick);
    this.#admit(configuration.votersOutgoing, false, next, nowTick);
    this.#admit(configuration.learners, true, next, nowTick);
    for (const node of this.#byNode.keys()) {
      if (!isVoter(configuration, node) && !configuration.learners.includes(node)) this.#byNode.delete(node);
    }
    this.peers.length = 0;
    for (const peer of this.#byNode.values()) this.peers.push(peer);
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
      const known = this.#byNode.get(node);
      if (known === undefined) {
        this.#byNode.set(node, new Progress(node, learner, next, nowTick, this.#options));
      } else {
        known.learner = learner;
      }
    }
  }
}
