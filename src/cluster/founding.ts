/**
 * How a node without a cluster comes to one: alone at once, by joining what its seeds know, or by founding together
 * with a majority of the seed list. A pure state machine: calls, look-ups and time go in, actions come out.
 * Two rules must never break: nothing is founded while a seed says that a cluster exists, and nothing is founded
 * without a majority of the seed list behind one value.
 */
import { type Address, formatAddress, sameAddress } from "../base/address.ts";
import { type ClusterId, randomClusterId } from "../base/ids.ts";
import type { Random } from "../base/random.ts";
import type { MemberIdentity } from "./cluster-map.ts";
import { type AcceptorState, FoundingAcceptor } from "./founding-acceptor.ts";
import {
  compareBallots,
  type FoundingAction,
  type FoundingAnswer,
  type FoundingMessage,
  type FoundingOptions,
  type FoundingResponder,
  type FoundingSender,
  type FoundingValue,
  isVoterOf,
} from "./founding-messages.ts";
import { FoundingProbes, type ProbedAddress } from "./founding-probes.ts";
import { FoundingProposer } from "./founding-proposer.ts";
import { FoundingReports } from "./founding-reports.ts";
import { SeedList, sameSeeds } from "./seed-list.ts";

export { type AcceptorState, EMPTY_ACCEPTOR_STATE } from "./founding-acceptor.ts";
export {
  decodeFoundingAnswer,
  decodeFoundingMessage,
  encodeFoundingAnswer,
  encodeFoundingMessage,
} from "./founding-codec.ts";
export type {
  FoundingAction,
  FoundingAnswer,
  FoundingMessage,
  FoundingOptions,
  FoundingValue,
} from "./founding-messages.ts";

/** Members met by gossip that are asked; one that has told of a cluster stays among them. */
const MET_MAX = 8;
/** Questions of one kind under way to one address. More are not asked: the driver ends every call in bounded time. */
const OPEN_CALLS_MAX = 16;
const JOIN_PAUSE_MIN_MS = 250;
const JOIN_PAUSE_MAX_MS = 5_000;

export interface FoundingStart {
  readonly self: MemberIdentity;
  /** As configured, parsed. */
  readonly seeds: readonly Address[];
  readonly options: FoundingOptions;
  readonly random: Random;
  readonly nowMs: number;
  /** What this node promised before: it must not forget when the seeds change, nor over a restart with the same id. */
  readonly acceptor?: AcceptorState;
  /** Runs before any answer that depends on the state leaves. Must keep it or throw, or hold back answers and actions. */
  readonly onPersist?: (state: AcceptorState) => void;
  /** This node belongs to a cluster since an earlier life: it founds nothing, joins nothing, and only answers. */
  readonly settled?: boolean;
}

/** `probing` asks the seeds; `joining` waits for the driver's attempt; `settled` belongs to a cluster. */
type Phase = "probing" | "joining" | "settled";

interface OpenCall {
  readonly at: string;
  readonly type: FoundingMessage["type"];
}

export class Founding {
  readonly #self: MemberIdentity;
  readonly #options: FoundingOptions;
  readonly #random: Random;
  readonly #seeds: SeedList;
  readonly #probes: FoundingProbes;
  /** Members of some cluster, met by gossip, at addresses that are no seeds': asked whether it is ours, never counted. */
  readonly #met: FoundingProbes;
  readonly #acceptor: FoundingAcceptor;
  readonly #proposer: FoundingProposer;
  readonly #reports: FoundingReports;
  readonly #calls = new Map<number, OpenCall>();
  #actions: FoundingAction[] = [];
  #phase: Phase = "probing";
  #lastCallId = 0;
  /** An answer from this very process arrived once: the seed list names this node. */
  #named = false;
  #joinAtMs = Number.NEGATIVE_INFINITY;
  #joinsTried = 0;
  /** A decided value without this node among its voters: worth one attempt, after which the seeds are asked again. */
  #announced: FoundingValue | null = null;

  constructor(start: FoundingStart) {
    this.#self = start.self;
    this.#options = start.options;
    this.#random = start.random;
    this.#seeds = new SeedList(start.seeds);
    this.#probes = new FoundingProbes(start.random, start.nowMs);
    this.#met = new FoundingProbes(start.random, start.nowMs);
    this.#acceptor = new FoundingAcceptor(start.acceptor, start.onPersist);
    this.#reports = new FoundingReports(start.nowMs, (report) => this.#actions.push(report));
    this.#proposer = new FoundingProposer({
      self: start.self,
      sender: this.#sender,
      seeds: this.#seeds,
      probes: this.#probes,
      acceptor: this.#acceptor,
      options: start.options,
      random: start.random,
      ask: (at, message) => this.#ask(at, message),
      onDecided: (value) => this.#learn(value),
    });
    if (start.settled === true) {
      this.#settle();
    } else if (this.#isAlone) {
      this.#foundAlone();
    } else {
      this.#probes.setAddresses(this.#seeds.addresses, start.nowMs);
    }
  }

  /** Nothing is left to do here unless `joinFailed` is called: this node founded, joined, or is being admitted. */
  get done(): boolean {
    return this.#phase !== "probing";
  }

  /** For a successor of this object, made because the seeds changed. */
  get acceptorState(): AcceptorState {
    return this.#acceptor.state;
  }

  /** The addresses behind `seed` now. Until a name was looked up once, nothing is founded. */
  seedsResolved(seed: Address, addresses: readonly Address[], nowMs: number): void {
    this.#seeds.resolve(seed, addresses);
    if (this.#phase === "settled") return;
    this.#probes.setAddresses(this.#seeds.addresses, nowMs);
    this.advance(nowMs);
  }

  /**
   * Gossip knows living members of some cluster at `addresses`, now. Where all seeds came back empty, they alone can tell that
   * the cluster of these seeds lives: one that was given the same list is believed like a seed.
   */
  membersMet(addresses: readonly Address[], nowMs: number): void {
    if (this.#phase === "settled") return;
    const asked = new Map<string, Address>();
    for (const { text, address, heard } of this.#met.all) if (heard !== null) asked.set(text, address);
    for (const address of addresses) {
      const text = formatAddress(address);
      if (asked.size < MET_MAX && this.#probes.get(text) === null) asked.set(text, address);
    }
    this.#met.setAddresses(asked, nowMs);
  }

  /** To be called at {@link nextDeadlineMs} at the latest. */
  advance(nowMs: number): void {
    if (this.#phase !== "probing") return;
    for (const probes of [this.#probes, this.#met])
      for (const each of probes.takeDue(nowMs)) this.#ask(each, { type: "probe", from: this.#sender });
    this.#step(nowMs);
  }

  nextDeadlineMs(): number {
    if (this.#phase !== "probing") return Number.POSITIVE_INFINITY;
    const joinAtMs = this.#clusterKnown() ? this.#joinAtMs : Number.POSITIVE_INFINITY;
    return Math.min(this.#probes.nextDueMs, this.#met.nextDueMs, this.#proposer.nextDeadlineMs, joinAtMs);
  }

  /** `self`: the connection led to this very process. */
  onAnswer(callId: number, answer: FoundingAnswer, self: boolean, nowMs: number): void {
    const at = this.#endCall(callId);
    if (at === null || this.#phase === "settled") return;
    if (this.#met.get(at.text) === at) {
      this.#met.answered(at, answer, self, nowMs);
      const isOurs = sameSeeds(answer.from.seeds, this.#seeds.texts);
      if (answer.type === "cluster" && isOurs) this.#heardOfCluster(at, answer);
      this.#step(nowMs);
      return;
    }
    const { boot } = answer.from.identity;
    const ourselves = self || boot === this.#self.boot;
    this.#probes.answered(at, answer, ourselves, nowMs);
    this.#reports.reachable(this.#seeds.seedsBehind(at.text));
    if (ourselves) {
      this.#named = true;
    } else {
      this.#probes.noticed(boot, nowMs);
      if (answer.type === "cluster") this.#heardOfCluster(at, answer);
      if (this.#phase === "probing") this.#proposer.onAnswer(at, answer, nowMs);
    }
    this.#step(nowMs);
  }

  onFailure(callId: number, reason: string, nowMs: number): void {
    const at = this.#endCall(callId);
    if (at === null || this.#phase === "settled") return;
    at.failure = reason;
    if (this.#met.get(at.text) === at) return;
    for (const seed of this.#seeds.seedsBehind(at.text)) {
      const failures = this.#seeds.addressesOf(seed).map((text) => this.#probes.get(text)?.failure ?? null);
      if (failures.every((failure) => failure !== null)) this.#reports.unreachable(seed, reason);
    }
    this.#step(nowMs);
  }

  /** Another node asks. `clusterId`: what this node belongs to by now. */
  handle(message: FoundingMessage, clusterId: ClusterId | null, nowMs: number): FoundingAnswer {
    const from = this.#responder;
    const { decided } = this.#acceptor.state;
    if (clusterId !== null) {
      this.#settle();
      const value = decided?.clusterId === clusterId ? decided : null;
      return { type: "cluster", from, clusterId, member: true, value };
    }
    if (this.#phase === "probing" && message.from.boot !== this.#self.boot) {
      this.#probes.noticed(message.from.boot, nowMs);
    }
    const answer = this.#answer(message, from, nowMs);
    this.#step(nowMs);
    return answer;
  }

  /** A `join` did not work out: on with probing, after a jittered pause that grows. */
  joinFailed(reason: string, nowMs: number): void {
    if (this.#phase !== "joining") return;
    this.#phase = "probing";
    this.#announced = null;
    const pauseMs = Math.min(JOIN_PAUSE_MAX_MS, JOIN_PAUSE_MIN_MS * 2 ** Math.min(this.#joinsTried - 1, 10));
    this.#joinAtMs = nowMs + Math.ceil(pauseMs * (0.75 + this.#random.nextFloat() / 2));
    this.#reports.waiting(`a cluster is known but would not admit this node yet: ${reason}`);
    this.advance(nowMs);
  }

  takeActions(): FoundingAction[] {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }

  get #sender(): FoundingSender {
    return { nodeId: this.#self.nodeId, boot: this.#self.boot, seeds: this.#seeds.texts };
  }

  get #responder(): FoundingResponder {
    return { identity: this.#self, seeds: this.#seeds.texts, mayFound: this.#options.bootstrap === "auto" };
  }

  #answer(message: FoundingMessage, from: FoundingResponder, nowMs: number): FoundingAnswer {
    if (message.type === "decided") this.#learn(message.value);
    const { decided, promised } = this.#acceptor.state;
    if (decided !== null) {
      return { type: "cluster", from, clusterId: decided.clusterId, member: false, value: decided };
    }
    if (message.type === "probe" || message.type === "decided") return { type: "none", from };
    if (this.#options.bootstrap !== "auto") return { type: "refused", from, reason: "never", promised };
    if (!sameSeeds(message.from.seeds, this.#seeds.texts)) {
      return { type: "refused", from, reason: "seeds", promised };
    }
    if (this.#phase !== "probing" || this.#clusterKnown()) {
      return { type: "refused", from, reason: "heard", promised };
    }
    const { ballot } = message;
    const agreed =
      message.type === "prepare"
        ? this.#acceptor.prepare(ballot)
        : this.#acceptor.accept(ballot, message.value);
    if (!agreed) return { type: "refused", from, reason: "ballot", promised };
    if (promised === null || compareBallots(ballot, promised) > 0 || message.type === "accept") {
      if (ballot.nodeId !== this.#self.nodeId) this.#proposer.holdBack(ballot, nowMs);
    }
    if (message.type === "accept") return { type: "accepted", from, ballot };
    return { type: "promised", from, ballot, accepted: this.#acceptor.state.accepted };
  }

  /** All that can follow from what is known now. */
  #step(nowMs: number): void {
    if (this.#phase !== "probing") return;
    if (this.#clusterKnown()) {
      this.#proposer.stop();
      this.#enter(nowMs);
      return;
    }
    if (this.#mayPropose) {
      this.#proposer.step(nowMs);
      if (this.#clusterKnown()) {
        this.#enter(nowMs);
        return;
      }
      this.#reports.mismatches(this.#proposer.mismatches(nowMs), this.#seeds.texts);
    }
    this.#reports.waitingAt(nowMs, () => this.#obstacle(nowMs));
  }

  /** Nobody has to be asked; unless this node has accepted a value once, which may be decided elsewhere. */
  get #isAlone(): boolean {
    const { bootstrap } = this.#options;
    const { accepted, decided } = this.#acceptor.state;
    if (bootstrap !== "auto") return bootstrap === "force";
    return this.#seeds.isEmpty && (accepted === null || decided !== null);
  }

  get #mayPropose(): boolean {
    return this.#options.bootstrap === "auto" && this.#named;
  }

  #obstacle(nowMs: number): string | null {
    if (this.#seeds.isEmpty) return "this node may only join a cluster, and has no seeds";
    if (this.#options.bootstrap === "never")
      return "no seed belongs to a cluster, and this node may only join one";
    if (!this.#named) {
      return `no seed belongs to a cluster, and none of ${this.#seeds.texts.join(", ")} is this node: it will only join`;
    }
    return this.#proposer.obstacle(nowMs);
  }

  #clusterKnown(): boolean {
    if (this.#acceptor.state.decided !== null || this.#announced !== null) return true;
    for (const probes of [this.#probes, this.#met])
      for (const { heard } of probes.all) if (heard !== null) return true;
    return false;
  }

  /** Founds when the decided value names this node, else joins, one candidate after the other. */
  #enter(nowMs: number): void {
    const { decided } = this.#acceptor.state;
    if (decided !== null) {
      this.#settle();
      this.#actions.push({ type: "found", value: decided });
      return;
    }
    if (nowMs < this.#joinAtMs) return;
    const candidates = this.#joinCandidates();
    const chosen = candidates[this.#joinsTried % candidates.length];
    if (chosen === undefined) {
      this.#announced = null;
      this.#joinAtMs = nowMs + JOIN_PAUSE_MIN_MS;
      return;
    }
    this.#joinsTried++;
    this.#phase = "joining";
    this.#actions.push({ type: "join", ...chosen });
  }

  #joinCandidates(): { address: Address; clusterId: ClusterId }[] {
    const found = new Map<string, { address: Address; clusterId: ClusterId }>();
    const add = (address: Address, clusterId: ClusterId): void => {
      found.set(formatAddress(address), { address, clusterId });
    };
    for (const probes of [this.#probes, this.#met])
      for (const { address, heard } of probes.all) if (heard !== null) add(address, heard);
    const announced = this.#announced;
    if (announced !== null) for (const { address } of announced.voters) add(address, announced.clusterId);
    return [...found.values()].filter(({ address }) => !sameAddress(address, this.#self.address));
  }

  #heardOfCluster(at: ProbedAddress, answer: Extract<FoundingAnswer, { type: "cluster" }>): void {
    const { clusterId } = answer;
    const { accepted } = this.#acceptor.state;
    at.heard = clusterId;
    // A word that the accepted value's cluster exists proves that the value was decided.
    const value = answer.value ?? (accepted?.value.clusterId === clusterId ? accepted.value : null);
    if (value !== null && isVoterOf(value, this.#self)) this.#acceptor.decide(value);
  }

  /** A value is decided. Only its voters keep it: a list of voters that this node is not in tells where to join now. */
  #learn(value: FoundingValue): void {
    if (isVoterOf(value, this.#self)) this.#acceptor.decide(value);
    else this.#announced = value;
  }

  #foundAlone(): void {
    const { clusterId, voters } = { clusterId: randomClusterId(this.#random), voters: [this.#self] };
    const { shardCount, replicationFactor } = this.#options;
    const value = { clusterId, founder: this.#self.nodeId, voters, shardCount, replicationFactor };
    this.#acceptor.decide(value);
    this.#settle();
    // What an earlier life has decided stands.
    this.#actions.push({ type: "found", value: this.#acceptor.state.decided ?? value });
  }

  #settle(): void {
    this.#phase = "settled";
    this.#proposer.stop();
    this.#probes.setAddresses(new Map(), 0);
    this.#met.setAddresses(new Map(), 0);
    this.#calls.clear();
  }

  #ask(at: ProbedAddress, message: FoundingMessage): void {
    if (at.openCalls >= OPEN_CALLS_MAX) return;
    at.openCalls++;
    const id = ++this.#lastCallId;
    this.#calls.set(id, { at: at.text, type: message.type });
    this.#actions.push({ type: "call", id, to: at.address, message });
  }

  #endCall(callId: number): ProbedAddress | null {
    const call = this.#calls.get(callId);
    if (call === undefined) return null;
    this.#calls.delete(callId);
    const at = this.#probes.get(call.at) ?? this.#met.get(call.at);
    if (at !== null) at.openCalls = Math.max(0, at.openCalls - 1);
    return at;
  }
}
