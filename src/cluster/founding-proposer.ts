/**
 * When this node may propose a founding, and how it carries one ballot through: prepare, collect promises, bind to what
 * may be decided already, accept, tell everybody. Proposing again is always safe; it is only made rare, by rank, by
 * holding back while another proposes, and by jittered pauses after a lost ballot.
 *
 * @see Paxos Made Simple §2.2-2.4
 */
import { formatAddress, sameAddress } from "../base/address.ts";
import { assert } from "../base/assert.ts";
import { randomClusterId } from "../base/ids.ts";
import type { Random } from "../base/random.ts";
import type { MemberIdentity } from "./cluster-map.ts";
import type { FoundingAcceptor } from "./founding-acceptor.ts";
import { FoundingBallot } from "./founding-ballot.ts";
import {
  type Ballot,
  compareBallots,
  type FoundingAnswer,
  type FoundingMessage,
  type FoundingOptions,
  type FoundingResponder,
  type FoundingSender,
  type FoundingValue,
} from "./founding-messages.ts";
import type { FoundingProbes, ProbedAddress } from "./founding-probes.ts";
import { type SeedList, sameSeeds } from "./seed-list.ts";

/** A ballot that lacks a majority this long is given up. */
const PHASE_TIMEOUT_MS = 1_500;
const RESEND_INTERVAL_MS = 200;
/** Once a majority promised, the others have this long to become voters too. */
const VOTERS_GRACE_MS = 300;
/** Each living node of lower id that could propose as well delays this one so much. */
const RANK_DELAY_MS = 150;
const RANK_JITTER_MS = 50;
/** Another proposer has this long, and up to twice as long, before this node proposes against it. */
const HOLD_BACK_MS = 500;
const BACKOFF_MS = 200;
const BACKOFF_DOUBLINGS_MAX = 3;

export interface FoundingProposerParts {
  readonly self: MemberIdentity;
  readonly sender: FoundingSender;
  readonly seeds: SeedList;
  readonly probes: FoundingProbes;
  readonly acceptor: FoundingAcceptor;
  readonly options: FoundingOptions;
  readonly random: Random;
  readonly ask: (at: ProbedAddress, message: FoundingMessage) => void;
  /** A majority accepted `value`. */
  readonly onDecided: (value: FoundingValue) => void;
}

export class FoundingProposer {
  readonly #parts: FoundingProposerParts;
  #ballot: FoundingBallot | null = null;
  #proposeAtMs: number | null = null;
  #holdUntilMs = Number.NEGATIVE_INFINITY;
  /** The highest round heard of. */
  #roundSeen = 0;
  #lostBallots = 0;
  #deadValue: string | null = null;

  constructor(parts: FoundingProposerParts) {
    this.#parts = parts;
  }

  /** When {@link step} wants to be called at the latest. */
  get nextDeadlineMs(): number {
    const ballot = this.#ballot;
    if (ballot === null) return this.#proposeAtMs ?? Number.POSITIVE_INFINITY;
    return Math.min(ballot.resendAtMs, ballot.deadlineMs);
  }

  /** Drops whatever is under way: a cluster is known. */
  stop(): void {
    this.#ballot = null;
    this.#proposeAtMs = null;
  }

  /** Another proposer is at work. */
  holdBack(ballot: Ballot, nowMs: number): void {
    this.#roundSeen = Math.max(this.#roundSeen, ballot.round);
    const { random } = this.#parts;
    this.#holdUntilMs = Math.max(
      this.#holdUntilMs,
      nowMs + random.nextBetween(HOLD_BACK_MS, 2 * HOLD_BACK_MS),
    );
    if (this.#proposeAtMs !== null) this.#proposeAtMs = Math.max(this.#proposeAtMs, this.#holdUntilMs);
    const mine = this.#ballot;
    if (mine !== null && compareBallots(ballot, mine.ballot) > 0) this.#lose(nowMs);
  }

  /** Why nothing may be proposed now, for people; null when something may. */
  obstacle(nowMs: number): string | null {
    const { seeds, probes, options, acceptor } = this.#parts;
    if (this.#deadValue !== null) return this.#deadValue;
    if (!seeds.isResolved) return "the names of the seeds have not been looked up yet";
    const founders = this.#founders(nowMs);
    const mismatch = this.mismatches(nowMs)[0];
    if (mismatch !== undefined)
      return `seed lists differ from that of ${formatAddress(mismatch.identity.address)}`;
    // What may be decided already is finished by any majority; only something new waits for all that are expected.
    const wanted = acceptor.state.accepted === null ? this.#wanted : this.#quorum;
    if (founders.length < wanted) {
      return `${founders.length} of ${seeds.slotCount} seeds can take part in founding a cluster, ${wanted} are needed`;
    }
    const silent = seeds.unanswered((text) => probes.processAt(text, nowMs));
    if (!this.#silentLongEnough(silent, nowMs)) {
      return `${silent.join(", ")} may still answer: waiting ${options.foundingDelayMs} ms before founding without`;
    }
    return null;
  }

  /** Those who would found by another list. Nothing is proposed while there are any. */
  mismatches(nowMs: number): FoundingResponder[] {
    const { seeds, probes } = this.#parts;
    return [...probes.responders(nowMs).values()].filter(
      (responder) => responder.mayFound && !sameSeeds(responder.seeds, seeds.texts),
    );
  }

  /** Begins a ballot when the time has come, and pushes the one under way. */
  step(nowMs: number): void {
    if (this.#ballot === null) this.#consider(nowMs);
    if (this.#ballot !== null) this.#drive(this.#ballot, nowMs);
  }

  onAnswer(at: ProbedAddress, answer: FoundingAnswer, nowMs: number): void {
    const ballot = this.#ballot;
    if (ballot === null) return;
    const { identity } = answer.from;
    switch (answer.type) {
      case "promised":
        if (ballot.phase !== "prepare" || compareBallots(answer.ballot, ballot.ballot) !== 0) return;
        ballot.promised(identity, answer.accepted);
        ballot.answeredAt(at.text, identity.boot);
        return;
      case "accepted":
        if (ballot.phase !== "accept" || compareBallots(answer.ballot, ballot.ballot) !== 0) return;
        ballot.accepted(identity);
        ballot.answeredAt(at.text, identity.boot);
        return;
      case "refused":
        if (answer.promised !== null && compareBallots(answer.promised, ballot.ballot) > 0) {
          this.#roundSeen = Math.max(this.#roundSeen, answer.promised.round);
          this.#lose(nowMs);
        } else if (answer.reason !== "ballot") {
          ballot.answeredAt(at.text, identity.boot);
        }
        return;
      case "none":
      case "cluster":
        return;
    }
  }

  /** A majority of the seed list. */
  get #quorum(): number {
    const { seeds, options } = this.#parts;
    return Math.floor(Math.max(seeds.slotCount, options.bootstrapExpect) / 2) + 1;
  }

  get #wanted(): number {
    return Math.max(this.#quorum, this.#parts.options.bootstrapExpect);
  }

  /** The living processes that would take part, this one included. */
  #founders(nowMs: number): FoundingResponder[] {
    const { self, seeds, probes } = this.#parts;
    const responders = probes.responders(nowMs);
    responders.set(self.boot, { identity: self, seeds: seeds.texts, mayFound: true });
    return [...responders.values()].filter(({ mayFound }) => mayFound);
  }

  #silentLongEnough(addresses: readonly string[], nowMs: number): boolean {
    const { probes, options } = this.#parts;
    return addresses.every((text) => probes.silentForMs(text, nowMs) >= options.foundingDelayMs);
  }

  #consider(nowMs: number): void {
    if (this.#deadValue !== null && nowMs >= this.#holdUntilMs) this.#deadValue = null;
    if (this.obstacle(nowMs) !== null) {
      this.#proposeAtMs = this.#deadValue === null ? null : this.#holdUntilMs;
      return;
    }
    const { self, random, acceptor } = this.#parts;
    if (this.#proposeAtMs === null) {
      const rank = this.#founders(nowMs).filter(({ identity }) => identity.nodeId < self.nodeId).length;
      const delayMs = rank === 0 ? 0 : rank * RANK_DELAY_MS + random.nextBelow(RANK_JITTER_MS);
      this.#proposeAtMs = Math.max(nowMs + delayMs, this.#holdUntilMs);
    }
    if (nowMs < this.#proposeAtMs) return;
    this.#proposeAtMs = null;
    this.#roundSeen = Math.max(this.#roundSeen, acceptor.state.promised?.round ?? 0) + 1;
    const ballot = { round: this.#roundSeen, nodeId: self.nodeId };
    const promised = acceptor.prepare(ballot);
    assert(promised, "a proposer's own ballot is above all it has promised", { round: ballot.round });
    this.#ballot = new FoundingBallot(ballot, nowMs, PHASE_TIMEOUT_MS);
    this.#ballot.promised(self, acceptor.state.accepted);
  }

  #drive(ballot: FoundingBallot, nowMs: number): void {
    const { self, acceptor, sender } = this.#parts;
    if (ballot.phase === "prepare") {
      const wanted = ballot.boundValue === null ? this.#wanted : this.#quorum;
      if (ballot.promiseCount >= wanted && ballot.enoughSinceMs === null) {
        ballot.enoughSinceMs = nowMs;
        ballot.deadlineMs = nowMs + PHASE_TIMEOUT_MS + this.#parts.options.foundingDelayMs;
      }
      if (this.#isPrepared(ballot, nowMs)) {
        const value = this.#choose(ballot, nowMs);
        if (value === null) return;
        ballot.propose(value, nowMs, PHASE_TIMEOUT_MS);
        const accepted = acceptor.accept(ballot.ballot, value);
        assert(accepted, "a proposer accepts its own ballot unless it promised a higher one");
        ballot.accepted(self);
      } else {
        this.#ask(ballot, { type: "prepare", from: sender, ballot: ballot.ballot }, nowMs);
      }
    }
    const { value } = ballot;
    if (value !== null) {
      if (ballot.acceptCount >= this.#quorum) {
        this.#decided(value);
        return;
      }
      this.#ask(ballot, { type: "accept", from: sender, ballot: ballot.ballot, value }, nowMs);
    }
    if (nowMs >= ballot.deadlineMs) this.#lose(nowMs);
  }

  /** Enough promised, and nobody who lives is left out of the voters without a chance. */
  #isPrepared(ballot: FoundingBallot, nowMs: number): boolean {
    if (ballot.enoughSinceMs === null) return false;
    const { seeds, probes, self } = this.#parts;
    const open = seeds.unanswered(
      (text) => ballot.processAt(text) ?? (probes.get(text)?.self ? self.boot : null),
    );
    if (open.length === 0) return true;
    return nowMs >= ballot.enoughSinceMs + VOTERS_GRACE_MS && this.#silentLongEnough(open, nowMs);
  }

  /** Null when the ballot is bound to a value that cannot live: then this node waits and says so. */
  #choose(ballot: FoundingBallot, nowMs: number): FoundingValue | null {
    const { self, options, random } = this.#parts;
    const bound = ballot.boundValue;
    if (bound === null) {
      return {
        clusterId: randomClusterId(random),
        founder: self.nodeId,
        voters: ballot.voters(self),
        shardCount: options.shardCount,
        replicationFactor: options.replicationFactor,
      };
    }
    const living = this.#founders(nowMs).map(({ identity }) => identity);
    const gone = bound.voters.filter((voter) =>
      living.some(({ address, nodeId }) => sameAddress(address, voter.address) && nodeId !== voter.nodeId),
    );
    if (bound.voters.length - gone.length > bound.voters.length / 2) return bound;
    this.#lose(nowMs);
    this.#deadValue =
      `the founding of cluster ${bound.clusterId} was begun by nodes of which a majority has restarted since ` +
      `(${gone.map(({ address }) => formatAddress(address)).join(", ")}): restart the other nodes of the seed list too`;
    return null;
  }

  #ask(ballot: FoundingBallot, message: FoundingMessage, nowMs: number): void {
    if (nowMs < ballot.resendAtMs) return;
    ballot.resendAtMs = nowMs + RESEND_INTERVAL_MS;
    for (const each of this.#parts.probes.all) {
      if (!each.self && ballot.processAt(each.text) === null) this.#parts.ask(each, message);
    }
  }

  #decided(value: FoundingValue): void {
    const { probes, sender, onDecided } = this.#parts;
    this.stop();
    for (const each of probes.all) {
      if (!each.self) this.#parts.ask(each, { type: "decided", from: sender, value });
    }
    onDecided(value);
  }

  #lose(nowMs: number): void {
    this.stop();
    const { random } = this.#parts;
    const pauseMs = BACKOFF_MS * 2 ** Math.min(this.#lostBallots, BACKOFF_DOUBLINGS_MAX);
    this.#lostBallots++;
    this.#holdUntilMs = Math.max(this.#holdUntilMs, nowMs + pauseMs + random.nextBelow(pauseMs));
  }
}
