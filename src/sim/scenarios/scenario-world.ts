/**
 * The world of one scenario: a fleet of products with their defaults, clients, a judge, and what scripts say in it: start,
 * lose, wait until, demand. Whatever is demanded and does not hold ends the run.
 */
import type { Address } from "../../base/address.ts";
import type { GroupId } from "../../base/ids.ts";
import { Random } from "../../base/random.ts";
import type { Resolver } from "../../host/ports.ts";
import type { KeyHash } from "../../placement/key-hash.ts";
import { whatIsMissing } from "../calm.ts";
import { drawHost, drawWays } from "../drawn-surroundings.ts";
import { type BootOptions, Fleet, type FleetLife, type Machine } from "../fleet.ts";
import { Judge } from "../judge.ts";
import type { TraceListener } from "../trace.ts";
import type { CrashManner } from "../virtual-network.ts";
import type { Pending } from "../workload/history.ts";
import { Workload } from "../workload/workload.ts";
import { FleetEvents } from "./fleet-events.ts";
import { FleetGroups } from "./fleet-groups.ts";
import type { Scenario } from "./scenario.ts";

/** Who speaks for the script in the trace. */
export const SCRIPT = "script";
/** How often a condition is looked at: what is measured is exact to this. */
const LOOK_MS = 10;
const FOUNDING_LIMIT_MS = 60_000;
const STARTS_WITHIN_MS = 3_000;
const SEEDS_MAX = 3;
const CLIENTS = { min: 3, max: 8 };
/** Long enough that nobody gives up who would be answered: what fails then fails for a reason. */
const CLIENT_TIMEOUT_MS = { min: 5_000, max: 5_000 };
const DOORS_CLOSE_MS = 10_000;
const SHARDS = [4, 8, 16] as const;

/** Thrown when the run is over: the judge knows why. */
export class ScenarioOver extends Error {
  override readonly name = "ScenarioOver";
}

/** A question of a client that was refused, or whose node was gone. */
export interface Unanswered {
  readonly atMs: number;
  readonly operation: Pending;
  /** null: the node is gone. */
  readonly error: unknown;
}

export class ScenarioWorld {
  readonly fleet: Fleet;
  readonly random: Random;
  readonly durable: boolean;
  readonly judge: Judge;
  readonly workload: Workload;
  readonly heard: FleetEvents;
  readonly view: FleetGroups;
  readonly unanswered: Unanswered[] = [];
  /** What names resolve to now; addresses stand for themselves. */
  readonly names = new Map<string, readonly Address[]>();
  /** How often somebody asked for each name. */
  readonly lookUps = new Map<string, number>();
  readonly #measured = new Map<string, number>();
  readonly #admitted = new Set<FleetLife>();
  readonly #closedDoors = new Set<FleetLife>();

  constructor(scenario: Scenario, seed: bigint, keyHash: KeyHash, onLine: TraceListener | null) {
    this.random = new Random(Number(seed & 0xffff_ffffn), Number(seed >> 32n));
    const { random } = this;
    const hasDisks = random.nextBelow(2) === 0;
    this.durable = scenario.storage === "disk" || (scenario.storage === "either" && hasDisks);
    const shards = scenario.shards ?? SHARDS;
    this.fleet = new Fleet({
      seed,
      keyHash,
      nodeOptions: { shards: this.pick(shards), replicationFactor: 3 },
      host: drawHost(random),
      durable: this.durable,
      resolver: this.#resolver(),
    });
    this.fleet.network.setConditions(drawWays(random));
    this.fleet.trace.onLine = onLine;
    this.heard = new FleetEvents(this.fleet);
    this.view = new FleetGroups(this.fleet);
    this.judge = new Judge(this.fleet, SCRIPT);
    const clients = random.nextBetween(CLIENTS.min, CLIENTS.max);
    this.workload = new Workload(
      this.fleet,
      clients,
      random.fork(),
      (key, value, life) =>
        this.judge.fail("local-reads", "a local read shows only what was written", `${key}: ${value}`, [
          life.name,
        ]),
      { timeoutMs: CLIENT_TIMEOUT_MS, mayAsk: (life) => this.#mayAsk(life) },
    );
    this.workload.history.onUnanswered = (operation, error) =>
      void this.unanswered.push({ atMs: this.nowMs, operation, error });
    const { clockDriftMax = 0, oneCluster: expectOne = true } = scenario;
    this.judge.watch({ clockDriftMax, expectOne }, (life) => this.workload.lifeEnded(life));
  }

  get nowMs(): number {
    return this.fleet.nowMs;
  }

  get measured(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#measured);
  }

  /** Keeps the largest of what is measured under `name`. */
  measure(name: string, value: number): void {
    this.#measured.set(name, Math.max(value, this.#measured.get(name) ?? Number.NEGATIVE_INFINITY));
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.random.nextBelow(items.length)];
    if (item === undefined) throw new Error("nothing to choose from");
    return item;
  }

  /** A time in 0 .. `mostMs`. */
  drawMs(mostMs: number): number {
    return this.random.nextFloat() * mostMs;
  }

  say(text: string): void {
    this.fleet.trace.say(this.nowMs, SCRIPT, text);
  }

  /** Lets time pass; ends the run when something is found meanwhile. */
  async pass(durationMs: number): Promise<void> {
    await this.fleet.clock.runUntil(() => this.judge.failure !== null, durationMs);
    this.#goOn();
  }

  /** Runs `action` after `delayMs`, beside the script. */
  later(delayMs: number, action: () => void): void {
    this.fleet.clock.setTimer(delayMs, action);
  }

  /** Ends the run unless it holds. */
  demand(holds: boolean, promise: string, details: () => string = () => ""): void {
    if (!holds) this.fail(promise, details());
  }

  fail(promise: string, details: string): never {
    this.judge.fail("scenario", promise, details, this.judge.everybody());
    throw new ScenarioOver(promise);
  }

  /** Waits for `missing` to answer null; how long that took. What is missing at the end of `limitMs` ends the run. */
  async until(promise: string, limitMs: number, missing: () => string | null): Promise<number> {
    const beganMs = this.nowMs;
    for (;;) {
      const what = missing();
      if (what === null) return this.nowMs - beganMs;
      const leftMs = beganMs + limitMs - this.nowMs;
      if (leftMs <= 0) this.fail(`${promise} within ${(limitMs / 1_000).toFixed(1)} s`, what);
      await this.pass(Math.min(LOOK_MS, leftMs));
    }
  }

  /** Waits until the fleet is whole: every process a ready member, every group with all its voters. */
  whole(promise: string, limitMs: number): Promise<number> {
    return this.until(promise, limitMs, () => whatIsMissing(this.fleet));
  }

  /** Waits for what an operating system would call a process to end, or any other promise. */
  async settled(work: Promise<unknown>, promise: string, limitMs: number): Promise<number> {
    let done = false;
    const mark = (): void => {
      done = true;
    };
    work.then(mark, mark);
    return this.until(promise, limitMs, () => (done ? null : "it goes on"));
  }

  /** `count` machines that start within three seconds, each knowing up to three of them; resolves when they are whole. */
  async found(count: number, options: (machine: Machine) => BootOptions = () => ({})): Promise<void> {
    for (let number = 0; number < count; number++) this.fleet.addMachine();
    const seeds = this.fleet.machines.slice(0, SEEDS_MAX).map(({ address }) => address);
    for (const machine of this.random.shuffle([...this.fleet.machines])) {
      this.later(this.drawMs(STARTS_WITHIN_MS), () => this.fleet.boot(machine, seeds, options(machine)));
    }
    await this.pass(STARTS_WITHIN_MS);
    await this.whole("machines that start together become one whole fleet", FOUNDING_LIMIT_MS);
  }

  /** Some of those that run now, as an operator would write them on a command line. */
  livingSeeds(): readonly Address[] {
    const members = this.fleet.members.filter(({ process }) => process.running);
    return this.random.shuffle(members.map(({ address }) => address)).slice(0, SEEDS_MAX);
  }

  /** A machine more, whose process starts now. */
  bootNew(options: BootOptions = {}): FleetLife {
    return this.fleet.boot(this.fleet.addMachine(), this.livingSeeds(), options);
  }

  drawManner(): CrashManner {
    return this.pick(["killed", "power-lost"] as const);
  }

  /** The machine is gone for good. */
  lose(life: FleetLife, manner: CrashManner = this.drawManner()): void {
    this.fleet.kill(life, manner);
    life.host.lost = true;
  }

  /** SIGTERM; clients of this node finish what they asked and go to another one when its doors close. */
  async leave(life: FleetLife): Promise<void> {
    await this.fleet.leave(life, async () => {
      this.#closedDoors.add(life);
      await life.node.waitFor(() => !this.workload.isAsking(life), DOORS_CLOSE_MS);
    });
  }

  /** Terms of a group that began since `sinceMs`, and that no leader had asked for: elections that somebody lost a leader to. */
  electionsSince(sinceMs: number, before: ReadonlyMap<GroupId, number>): ReadonlyMap<GroupId, number> {
    const elections = new Map<GroupId, number>();
    for (const [group, term] of this.view.terms()) {
      const unasked = term - (before.get(group) ?? term) - this.heard.transfersSince(sinceMs, group);
      if (unasked > 0) elections.set(group, unasked);
    }
    return elections;
  }

  /** What clients asked since `sinceMs` and were not answered; of those whose node had not gone. */
  refusedSince(sinceMs: number): readonly Unanswered[] {
    return this.unanswered.filter(({ operation }) => operation.invokedAtMs >= sinceMs);
  }

  demandNothingRefused(sinceMs: number, promise: string): void {
    const refused = this.refusedSince(sinceMs);
    this.demand(refused.length === 0, promise, () => refused.map(unansweredText).join("\n"));
  }

  #mayAsk(life: FleetLife): boolean {
    if (life.node.control.isListed) this.#admitted.add(life);
    return this.#admitted.has(life) && !this.#closedDoors.has(life);
  }

  #resolver(): Resolver {
    return {
      resolve: async (seed) => {
        const addresses = this.names.get(seed.host);
        if (addresses === undefined) return [seed];
        this.lookUps.set(seed.host, (this.lookUps.get(seed.host) ?? 0) + 1);
        return addresses;
      },
    };
  }

  #goOn(): void {
    if (this.judge.failure !== null) throw new ScenarioOver(this.judge.failure.message);
  }
}

export function unansweredText({ atMs, operation, error }: Unanswered): string {
  const { id, node, key, input, invokedAtMs } = operation;
  const reason = error === null ? "its node is gone" : String(error);
  const tookMs = (atMs - invokedAtMs).toFixed(0);
  return `#${id} ${input.type} ${key} at ${node}, asked at ${invokedAtMs.toFixed(0)} ms: ${reason} (after ${tookMs} ms)`;
}
