/**
 * One seed, one history: founds a fleet, lets it suffer under load, heals it, and tells what came of it. Everything that
 * is not in the options is drawn from the seed, in one order, so that equal options give equal histories.
 */
import type { Address } from "../base/address.ts";
import { Random } from "../base/random.ts";
import type { HostOptions } from "../host/options.ts";
import { loadKeyHash } from "../placement/key-hash.ts";
import { allCheckers, checkAtEnd } from "./checkers/all-checkers.ts";
import type { Eviction } from "./checkers/evictions.ts";
import { Observer } from "./checkers/observer.ts";
import { FAULT_KINDS, type FaultKind } from "./fault-kind.ts";
import { CLOCK_DRIFT_MAX, CLOCK_FAULTS } from "./faults/clock-faults.ts";
import { diskFaults } from "./faults/disk-faults.ts";
import type { Fault } from "./faults/fault.ts";
import { FLEET_FAULTS } from "./faults/fleet-faults.ts";
import { LoadBooks, loadFaults } from "./faults/load-faults.ts";
import { MESSAGE_FAULTS } from "./faults/message-faults.ts";
import { processFaults } from "./faults/process-faults.ts";
import { Storm } from "./faults/storm.ts";
import { WAY_FAULTS } from "./faults/way-faults.ts";
import { Fleet, type Machine } from "./fleet.ts";
import type { Life } from "./life.ts";
import { checkHistory } from "./linearizability/check-history.ts";
import { becomesWhole, keepsLimits, servesEverywhere } from "./liveness.ts";
import type { RunOptions } from "./run-options.ts";
import type { RunFailure, RunReport } from "./run-report.ts";
import { drawSmallLimits, type LimitOptions } from "./small-limits.ts";
import type { TraceListener } from "./trace.ts";
import type { NetworkConditions } from "./virtual-network.ts";
import { Workload } from "./workload/workload.ts";

export interface RunHooks {
  /** Hears every line of the story as it happens: what faults are injected, what nodes say, what clients get. */
  readonly onLine?: TraceListener;
}

const keyHash = await loadKeyHash();

/** A fleet that nothing disturbs is whole within this. */
const FOUNDING_LIMIT_MS = 60_000;
/** Machines that start at the same time do so within this. */
const STARTS_WITHIN_MS = 3_000;
const SEEDS_MAX = 3;
/** Kinds of faults that came later have coins from a source of their own: where they do not happen, a seed keeps its history. */
const LATER_KINDS: ReadonlySet<FaultKind> = new Set(["late-network"]);
const LATER_KINDS_SALT = 0x1a7e5;
/** Clients are done this long after they were told to stop: their longest deadline, and the sweep that enforces it. */
const CLIENTS_LIMIT_MS = 10_000;
const RECKONING_LIMIT_MS = 30_000;
const LAST_EVENTS = 120;
/** A clock that drifts ends the longest time-to-live of the workload so much too early, at most. */
const EXPIRY_TOLERANCE_MS = 10;

/** Runs `options` to the end. Equal options give equal reports. Rejects only when the simulator itself is at fault. */
export async function runSeed(options: RunOptions, hooks: RunHooks = {}): Promise<RunReport> {
  return new Run(options, hooks).run();
}

class Run {
  readonly #options: RunOptions;
  readonly #fleet: Fleet;
  readonly #random: Random;
  readonly #durable: boolean;
  readonly #enabled: readonly FaultKind[];
  readonly #storm: Storm;
  readonly #workload: Workload;
  readonly #observer: Observer;
  readonly #books = new LoadBooks();
  /** null: nodes hold whatever comes. */
  readonly #limits: LimitOptions | null;
  /** Keys that a leader has chosen for removal, ever. */
  readonly #evicted = new Set<string>();
  readonly #evictions = { memory: 0, idle: 0 };
  #failure: RunFailure | null = null;

  constructor(options: RunOptions, hooks: RunHooks) {
    this.#options = options;
    this.#random = new Random(Number(options.seed & 0xffff_ffffn), Number(options.seed >> 32n));
    const random = this.#random;
    const hasDisks = random.nextBelow(2) === 0;
    this.#durable = options.storage === "disk" || (options.storage === "either" && hasDisks);
    this.#enabled = drawFaults(random, options);
    this.#limits = options.limits === "small" ? drawSmallLimits(options.seed) : null;
    this.#fleet = new Fleet({
      seed: options.seed,
      keyHash,
      nodeOptions: {
        shards: options.shards,
        replicationFactor: options.replicationFactor,
        deadGraceMs: random.nextBetween(500, 5_000),
        gossip: random.nextBelow(2) === 0 ? "lan" : "local",
        tickMs: random.nextBetween(5, 10) * 10,
        // Nobody goes before its replicas have: in a world without disks that would be one more loss.
        drainTimeoutMs: 3_600_000,
        ...this.#limits,
      },
      host: drawHost(random),
      durable: this.#durable,
    });
    this.#fleet.network.setConditions(drawWays(random));
    this.#fleet.trace.onLine = hooks.onLine ?? null;
    this.#workload = new Workload(this.#fleet, options.clients, random.fork(), (key, value, life) =>
      this.#fail(
        "local-reads",
        "a local read shows only what was written",
        `${life.name} read ${value} from ${key}`,
        [life.name],
      ),
    );
    this.#storm = new Storm({
      fleet: this.#fleet,
      random: random.fork(),
      faults: this.#faults(),
      nodes: options.nodes,
      replicationFactor: options.replicationFactor,
      durable: this.#durable,
      seedsFor: (machine) => this.#seedsFor(machine),
    });
    for (let machine = 0; machine < options.nodes; machine++) this.#fleet.addMachine();
    this.#observer = this.#observe();
  }

  async run(): Promise<RunReport> {
    try {
      await this.#phases();
    } catch (error) {
      this.#fail("crash", "no code of a node throws outside of a group", describe(error), this.#everybody());
    }
    const { history } = this.#workload;
    return {
      options: this.#options,
      failure: this.#failure,
      traceHash: this.#fleet.trace.hash,
      durable: this.#durable,
      enabled: this.#enabled,
      injected: this.#storm.injected,
      virtualMs: this.#fleet.nowMs,
      events: this.#fleet.clock.events,
      evictions: this.#evictions,
      operations: {
        acknowledged: history.acknowledged,
        failed: history.failed,
        ambiguous: history.ambiguous,
      },
    };
  }

  async #phases(): Promise<void> {
    await this.#found();
    if (this.#failure !== null) return;
    await this.#during(this.#options.chaosMs);
    this.#storm.end();
    this.#workload.stop();
    if (this.#failure !== null) return;
    await this.#becomeWhole("after the storm a fleet becomes whole again");
    if (this.#failure !== null) return;
    await this.#fleet.clock.runUntil(() => this.#workload.idle || this.#failure !== null, CLIENTS_LIMIT_MS);
    await this.#serve();
    if (this.#failure !== null) return;
    if (this.#limits !== null) await this.#keepLimits(this.#limits);
    if (this.#failure !== null) return;
    await this.#reckon();
    checkAtEnd(this.#observer.checkers, this.#fleet.lives);
    if (this.#failure === null) this.#checkHistory();
  }

  async #found(): Promise<void> {
    const { machines } = this.#fleet;
    this.#storm.prepare();
    if (this.#enabled.includes("simultaneous-founding")) {
      for (const machine of this.#random.shuffle([...machines])) {
        this.#fleet.clock.setTimer(this.#random.nextFloat() * STARTS_WITHIN_MS, () => {
          if (machine.life === null) this.#fleet.boot(machine, this.#foundingSeeds());
        });
      }
      this.#begin();
      return;
    }
    const [first, ...others] = machines;
    if (first === undefined) return;
    this.#fleet.boot(first, []);
    for (const machine of others) this.#fleet.boot(machine, [first.address]);
    await this.#becomeWhole("a fleet that nothing disturbs becomes whole", FOUNDING_LIMIT_MS);
    this.#begin();
  }

  #begin(): void {
    this.#storm.begin();
    this.#workload.start();
  }

  async #becomeWhole(promise: string, limitMs?: number): Promise<void> {
    const missing = await becomesWhole(this.#fleet, limitMs);
    if (missing !== null) this.#fail("liveness", promise, missing, this.#everybody());
  }

  async #serve(): Promise<void> {
    const wrong = await servesEverywhere(this.#fleet, {
      evicted: (key) => this.#evicted.has(key),
      refuses: this.#limits?.evictionPolicy === "none",
    });
    if (wrong !== null)
      this.#fail(
        "liveness",
        "a whole fleet answers every shard through every node",
        wrong,
        this.#everybody(),
      );
  }

  /** With the policy `none` a replica that moves may bring a node beyond its limits, and nothing takes it away. */
  async #keepLimits({ evictionPolicy }: LimitOptions): Promise<void> {
    if (evictionPolicy === "none") return;
    const wrong = await keepsLimits(this.#fleet);
    if (wrong !== null)
      this.#fail("liveness", "a node comes back within its limits", wrong, this.#everybody());
  }

  async #reckon(): Promise<void> {
    const life = this.#fleet.lives[0];
    if (life === undefined) return;
    const reckoning = this.#books.reckon(life);
    const ended = await this.#fleet.settle(reckoning, RECKONING_LIMIT_MS);
    const wrong = ended ? await reckoning : "the reading back does not end";
    if (wrong !== null)
      this.#fail("counters", "what was acknowledged is there, once", wrong, this.#everybody());
  }

  #checkHistory(): void {
    const toleranceMs = this.#drifts ? EXPIRY_TOLERANCE_MS : 0;
    const verdict = checkHistory(this.#workload.history.operations(), { toleranceMs });
    if (verdict.type === "violation")
      this.#fail("linearizability", `the history of ${verdict.key} is linearizable`, verdict.explanation, []);
    else if (verdict.type === "undecided")
      this.#fail(
        "linearizability",
        `the history of ${verdict.key} can be judged`,
        "too many possibilities",
        [],
      );
  }

  /** Lets time pass, until something is found. */
  async #during(ms: number): Promise<void> {
    await this.#fleet.clock.runUntil(() => this.#failure !== null, ms);
  }

  #faults(): readonly Fault[] {
    const all = [
      ...MESSAGE_FAULTS,
      ...WAY_FAULTS,
      ...processFaults(this.#durable),
      ...diskFaults(this.#durable),
      ...CLOCK_FAULTS,
      ...FLEET_FAULTS,
      ...loadFaults(this.#books),
    ];
    return all.filter(({ kind }) => this.#enabled.includes(kind));
  }

  #foundingSeeds(): readonly Address[] {
    return this.#fleet.machines.slice(0, SEEDS_MAX).map(({ address }) => address);
  }

  /** An operator names the machines that run; before there is a cluster, those that are to found it. */
  #seedsFor(machine: Machine): readonly Address[] {
    const { lives } = this.#fleet;
    if (!lives.some(({ node }) => node.clusterId !== null)) return this.#foundingSeeds();
    return lives.filter(({ host }) => host !== machine).map(({ address }) => address);
  }

  get #drifts(): boolean {
    return this.#enabled.includes("clock-drift");
  }

  /** Every checker listens to every life. */
  #observe(): Observer {
    const contextOf = (checker: string) => ({
      nowMs: () => this.#fleet.nowMs,
      report: (message: string, details: Readonly<Record<string, unknown>>, lives: readonly Life[]) =>
        this.#fail(
          checker,
          message,
          JSON.stringify(details),
          lives.map(({ name }) => name),
        ),
    });
    const options = {
      clockDriftMax: this.#drifts ? CLOCK_DRIFT_MAX : 0,
      evictions: {
        expected: this.#limits !== null,
        idleTtlMs: this.#limits?.idleTtlMs ?? 0,
        onEviction: (eviction: Eviction) => this.#keyEvicted(eviction),
      },
    };
    const observer = new Observer(contextOf("checkers"), allCheckers(contextOf, options));
    this.#fleet.observer = {
      probeFor: (life) => observer.probeFor(life),
      started: (life) => observer.started(life),
      ended: (life) => {
        observer.ended(life);
        this.#workload.lifeEnded(life);
      },
      after: (life) => observer.after(life),
    };
    return observer;
  }

  #keyEvicted(eviction: Eviction): void {
    this.#evictions[eviction.reason]++;
    this.#evicted.add(eviction.key);
    this.#books.evicted(eviction.key);
    this.#workload.evicted(eviction);
  }

  #fail(checker: string, message: string, details: string, lives: readonly string[]): void {
    const { trace, nowMs } = this.#fleet;
    const lastEvents = trace.lastLines(["storm", ...lives], LAST_EVENTS);
    this.#failure ??= { checker, message, details, atMs: nowMs, lastEvents };
  }

  #everybody(): readonly string[] {
    return this.#fleet.lives.map(({ name }) => name);
  }
}

/**
 * A coin for every kind there is, whether or not it may be used: so that leaving one out changes nothing else. A network is late
 * only for those who found on it together.
 */
function drawFaults(random: Random, { seed, faults, swarm }: RunOptions): readonly FaultKind[] {
  const later = new Random(Number(seed & 0xffff_ffffn) ^ LATER_KINDS_SALT, Number(seed >> 32n));
  const enabled = FAULT_KINDS.filter((kind) => {
    const heads = (LATER_KINDS.has(kind) ? later : random).nextBelow(2) === 0;
    return faults.includes(kind) && (heads || !swarm);
  });
  return enabled.includes("simultaneous-founding")
    ? enabled
    : enabled.filter((kind) => kind !== "late-network");
}

/** One data centre or several: a tenth of a millisecond one way, to twenty. */
function drawWays(random: Random): Pick<NetworkConditions, "delayMs" | "jitterMs"> {
  const delayMs = 0.1 * 200 ** random.nextFloat();
  return { delayMs, jitterMs: delayMs * random.nextFloat() * 2 };
}

/** Logs are short in every other world, so that checkpoints and snapshots are common. */
function drawHost(random: Random): Partial<HostOptions> {
  const logEntriesMax = random.nextBetween(10, 200);
  const checkpointLogBytes = random.nextBetween(256, 8_192);
  const checkpointIntervalMs = random.nextBetween(300, 3_000);
  return random.nextBelow(2) === 0 ? { logEntriesMax, checkpointLogBytes, checkpointIntervalMs } : {};
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
