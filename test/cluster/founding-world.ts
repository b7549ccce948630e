/**
 * A world of processes that only found and join, in virtual time: messages are lost, delayed and reordered, processes
 * crash and come back without memory. It plays the driver, and the part of the control plane that admits members.
 */
import type { Address } from "../../src/base/address.ts";
import { bootNonce, type ClusterId, nodeId } from "../../src/base/ids.ts";
import { Random } from "../../src/base/random.ts";
import type { MemberIdentity } from "../../src/cluster/cluster-map.ts";
import {
  type AcceptorState,
  decodeFoundingAnswer,
  decodeFoundingMessage,
  EMPTY_ACCEPTOR_STATE,
  encodeFoundingAnswer,
  encodeFoundingMessage,
  Founding,
  type FoundingAction,
  type FoundingMessage,
  type FoundingOptions,
  type FoundingValue,
} from "../../src/cluster/founding.ts";
import { EventQueue } from "../../src/sim/event-queue.ts";

const CALL_TIMEOUT_MS = 2_000;
const JOIN_TIMEOUT_MS = 1_000;

export interface WorldOptions {
  readonly seed: number;
  /** Chance that a call is lost, either way. It then ends by its timeout. */
  readonly lossRate?: number;
  readonly delayMinMs?: number;
  readonly delayMaxMs?: number;
}

export interface StartOptions extends Partial<FoundingOptions> {
  /** Default: the addresses of all slots of the world. */
  readonly seeds?: readonly Address[];
  /** What the process promised in an earlier life. */
  readonly acceptor?: AcceptorState;
}

type Report = Extract<FoundingAction, { type: "report" }>;

/** One life of a process. */
export interface Process {
  readonly slot: number;
  readonly identity: MemberIdentity;
  readonly founding: Founding;
  readonly reports: Report[];
  readonly questions: FoundingMessage["type"][];
  alive: boolean;
  /** The value it founded with; null when it joined or has no cluster. */
  founded: FoundingValue | null;
  clusterId: ClusterId | null;
  wakeAtMs: number;
}

/** Where slot number `slot` lives. */
export function addressOf(slot: number): Address {
  return { host: `10.1.0.${slot + 1}`, port: 7946 };
}

/** The slot that lives at `address`, `node-1.example` being slot 0; -1 for one that nobody lives at. */
function slotOf({ host }: Address): number {
  return Number(/^(?:10\.1\.0\.|node-)(\d+)(?:\.example)?$/.exec(host)?.[1] ?? 0) - 1;
}

export class FoundingWorld {
  readonly random: Random;
  readonly slots: number;
  nowMs = 0;
  /** Every life there was, the newest last. */
  readonly processes: Process[] = [];
  /** Every value some process founded with, by cluster id. */
  readonly founded = new Map<ClusterId, FoundingValue>();
  /** Runs before an action is carried out; false drops it. For tests that interfere. */
  onAction: (process: Process, action: FoundingAction) => boolean = () => true;
  readonly #options: Required<WorldOptions>;
  readonly #queue = new EventQueue();
  readonly #cuts = new Set<string>();
  #lossRate: number;

  constructor(slots: number, options: WorldOptions) {
    this.slots = slots;
    this.#options = { lossRate: 0, delayMinMs: 1, delayMaxMs: 5, ...options };
    this.#lossRate = this.#options.lossRate;
    this.random = new Random(options.seed, 0xf0d);
  }

  get seeds(): Address[] {
    return Array.from({ length: this.slots }, (_, slot) => addressOf(slot));
  }

  get living(): Process[] {
    return this.processes.filter(({ alive }) => alive);
  }

  /** Cluster ids that living processes belong to. */
  get clusterIds(): Set<ClusterId> {
    return new Set(this.living.map(({ clusterId }) => clusterId).filter((id) => id !== null));
  }

  /** The life that runs at `slot`; throws when none does. */
  at(slot: number): Process {
    const found = this.living.find((process) => process.slot === slot);
    if (found === undefined) throw new Error(`nothing runs at slot ${slot}`);
    return found;
  }

  start(
    slot: number,
    { seeds = this.seeds, acceptor = EMPTY_ACCEPTOR_STATE, ...changes }: StartOptions = {},
  ): Process {
    const hex = (): string => this.random.nextU32().toString(16).padStart(8, "0");
    const identity: MemberIdentity = {
      nodeId: nodeId(hex() + hex()),
      boot: bootNonce(hex() + hex()),
      address: addressOf(slot),
      name: `slot-${slot}`,
      zone: "",
      weight: 1,
      respPort: 0,
      httpPort: 0,
    };
    const options: FoundingOptions = {
      bootstrap: "auto",
      bootstrapExpect: 0,
      foundingDelayMs: 3_000,
      shardCount: 16,
      replicationFactor: 3,
      ...changes,
    };
    const founding = new Founding({
      self: identity,
      seeds,
      options,
      random: this.random.fork(),
      nowMs: this.nowMs,
      acceptor,
    });
    const process: Process = {
      slot,
      identity,
      founding,
      reports: [],
      questions: [],
      alive: true,
      founded: null,
      clusterId: null,
      wakeAtMs: Number.POSITIVE_INFINITY,
    };
    this.processes.push(process);
    this.drive(process);
    return process;
  }

  crash(slot: number): void {
    this.at(slot).alive = false;
  }

  /** The slots of `left` and of `right` do not hear each other; calls between them time out. */
  cut(left: readonly number[], right: readonly number[]): void {
    for (const a of left) {
      for (const b of right) {
        this.#cuts.add(`${a}-${b}`);
        this.#cuts.add(`${b}-${a}`);
      }
    }
  }

  /** No cuts and no losses any more. */
  heal(): void {
    this.#cuts.clear();
    this.#lossRate = 0;
  }

  after(delayMs: number, run: () => void): void {
    this.#queue.add(this.nowMs + delayMs, run);
  }

  runFor(durationMs: number): void {
    this.runUntil(() => false, durationMs);
  }

  /** False when `limitMs` passed first. */
  runUntil(predicate: () => boolean, limitMs: number): boolean {
    const endMs = this.nowMs + limitMs;
    while (!predicate()) {
      const event = this.#queue.nextAtMs() > endMs ? undefined : this.#queue.take();
      this.nowMs = event === undefined ? endMs : Math.max(this.nowMs, event.atMs);
      if (event === undefined) return predicate();
      event.run();
    }
    return true;
  }

  drive(process: Process): void {
    if (!process.alive) return;
    process.founding.advance(this.nowMs);
    for (const action of process.founding.takeActions()) {
      if (process.alive && this.onAction(process, action)) this.#act(process, action);
    }
    const atMs = process.founding.nextDeadlineMs();
    if (!Number.isFinite(atMs) || (process.wakeAtMs <= atMs && process.wakeAtMs > this.nowMs)) return;
    const wakeAtMs = Math.max(atMs, this.nowMs + 1);
    process.wakeAtMs = wakeAtMs;
    this.#queue.add(wakeAtMs, () => {
      if (process.wakeAtMs === wakeAtMs) this.drive(process);
    });
  }

  #act(process: Process, action: FoundingAction): void {
    switch (action.type) {
      case "call":
        this.#call(process, action);
        return;
      case "found":
        process.founded = action.value;
        process.clusterId = action.value.clusterId;
        this.founded.set(action.value.clusterId, action.value);
        return;
      case "join":
        this.#join(process, action.address, action.clusterId);
        return;
      case "report":
        process.reports.push(action);
    }
  }

  #call(from: Process, call: Extract<FoundingAction, { type: "call" }>): void {
    from.questions.push(call.message.type);
    const question = JSON.stringify(encodeFoundingMessage(call.message));
    const fail = (delayMs: number, reason: string): void =>
      this.after(delayMs, () => {
        from.founding.onFailure(call.id, reason, this.nowMs);
        this.drive(from);
      });
    if (this.#isLost(from, call.to)) {
      fail(CALL_TIMEOUT_MS, "no answer in time");
      return;
    }
    this.after(this.#delayMs(), () => {
      const to = this.#processAt(call.to);
      if (to === null) {
        fail(this.#delayMs(), "connection refused");
        return;
      }
      const message = decodeFoundingMessage(JSON.parse(question));
      const answer = JSON.stringify(
        encodeFoundingAnswer(to.founding.handle(message, to.clusterId, this.nowMs)),
      );
      this.drive(to);
      if (this.#isLost(from, call.to)) {
        fail(CALL_TIMEOUT_MS, "no answer in time");
        return;
      }
      this.after(this.#delayMs(), () => {
        if (!from.alive) return;
        from.founding.onAnswer(call.id, decodeFoundingAnswer(JSON.parse(answer)), to === from, this.nowMs);
        this.drive(from);
      });
    });
  }

  /** Admitted when the other belongs to the cluster, and a majority of those who founded it runs it. */
  #join(process: Process, address: Address, clusterId: ClusterId): void {
    const other = this.#processAt(address);
    const reachable = other !== null && !this.#isLost(process, address);
    const admitted = reachable && other.clusterId === clusterId && this.hasQuorum(clusterId);
    this.after(reachable ? this.#delayMs() : JOIN_TIMEOUT_MS, () => {
      if (!process.alive) return;
      if (admitted) process.clusterId = clusterId;
      else process.founding.joinFailed("it did not admit this node", this.nowMs);
      this.drive(process);
    });
  }

  /** A majority of the voters of `clusterId` lives and runs it. */
  hasQuorum(clusterId: ClusterId): boolean {
    const voters = this.founded.get(clusterId)?.voters ?? [];
    const running = this.living.filter(
      ({ founded, identity }) =>
        founded?.clusterId === clusterId && voters.some(({ boot }) => boot === identity.boot),
    );
    return running.length > voters.length / 2;
  }

  #processAt(address: Address): Process | null {
    const slot = slotOf(address);
    return this.processes.findLast((process) => process.alive && process.slot === slot) ?? null;
  }

  #isLost(from: Process, to: Address): boolean {
    const slot = slotOf(to);
    if (this.#cuts.has(`${from.slot}-${slot}`)) return true;
    return slot !== from.slot && this.random.nextFloat() < this.#lossRate;
  }

  #delayMs(): number {
    return this.random.nextBetween(this.#options.delayMinMs, this.#options.delayMaxMs);
  }
}
