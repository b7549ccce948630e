/**
 * One seed, one history: founds a fleet, lets it suffer under load, heals it, and tells what came of it. Everything that
 * is not in the options is drawn from the seed, in one order, so that equal options give equal histories.
 */
import type { Address } from "../base/address.ts";
import { Random } from "../base/random.ts";
import { loadKeyHash } from "../placement/key-hash.ts";
import type { Eviction } from "./checkers/evictions.ts";
import { drawHost, drawWays } from "./drawn-surroundings.ts";
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
import { describeThrown, Judge } from "./judge.ts";
import { becomesWhole, keepsLimits, servesEverywhere } from "./liveness.ts";
import type { RunOptions } from "./run-options.ts";
import type { RunReport } from "./run-report.ts";
import { drawSmallLimits, type LimitOptions } from "./small-limits.ts";
import type { TraceListener } from "./trace.ts";
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
const LATER_KINDS: ReadonlySet<FaultKind> = new Set(["late-network", "crash-loop"]);
const LATER_KINDS_SALT = 0x1a7e5;
/** Clients are done this long after they were told to stop: their longest deadline, and the sweep that enforces it. */
const CLIENTS_LIMIT_MS = 10_000;
const RECKONING_LIMIT_MS = 30_000;
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
  readonly #judge: Judge;
  readonly #books = new LoadBooks();
  /** null: nodes hold whatever comes. */
  readonly #limits: LimitOptions | null;
  /** Keys that a leader has chosen for removal, ever. */
  readonly #evicted = new Set<string>();
  readonly #evictions = { memory: 0, idle: 0 };

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
    this.#judge = new Judge(this.#fleet, "storm");
    this.#fleet.network.setConditions(drawWays(random));
    this.#fleet.trace.onLine = hooks.onLine ?? null;
    this.#workload = new Workload(this.#fleet, options.clients, random.fork(), (key, value, life) =>
      this.#judge.fail(
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
    this.#watch();
  }

  async run(): Promise<RunReport> {
    try {
      await this.#phases();
    } catch (error) {
      this.#judge.fail(
        "crash",
        "no code of a node throws outside of a group",
        describeThrown(error),
        this.#judge.everybody(),
      );
    }
    const { history } = this.#workload;
    return {
      options: this.#options,
      failure: this.#judge.failure,
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
    if (this.#judge.failure !== null) return;
    await this.#during(this.#options.chaosMs);
    this.#storm.end();
    this.#workload.stop();
    if (this.#judge.failure !== null) return;
    await this.#becomeWhole("after the storm a fleet becomes whole again");
    if (this.#judge.failure !== null) return;
    await this.#fleet.clock.runUntil(
      () => this.#workload.idle || this.#judge.failure !== null,
      CLIENTS_LIMIT_MS,
    );
    await this.#serve();
    if (this.#judge.failure !== null) return;
    if (this.#limits !== null) await this.#keepLimits(this.#limits);
    if (this.#judge.failure !== null) return;
    await this.#reckon();
    this.#judge.compareAtEnd();
    if (this.#judge.failure !== null) return;
    this.#judge.judgeHistory(this.#workload.history, this.#drifts ? EXPIRY_TOLERANCE_MS : 0);
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
    if (missing !== null) this.#judge.fail("liveness", promise, missing, this.#judge.everybody());
  }

  async #serve(): Promise<void> {
    const wrong = await servesEverywhere(this.#fleet, {
      evicted: (key) => this.#evicted.has(key),
      refuses: this.#limits?.evictionPolicy === "none",
    });
    if (wrong !== null)
      this.#judge.fail(
        "liveness",
        "a whole fleet answers every shard through every node",
        wrong,
        this.#judge.everybody(),
      );
  }

  /** With the policy `none` a replica that moves may bring a node beyond its limits, and nothing takes it away. */
  async #keepLimits({ evictionPolicy }: LimitOptions): Promise<void> {
    if (evictionPolicy === "none") return;
    const wrong = await keepsLimits(this.#fleet);
    if (wrong !== null)
      this.#judge.fail("liveness", "a node comes back within its limits", wrong, this.#judge.everybody());
  }

  async #reckon(): Promise<void> {
    const life = this.#fleet.lives[0];
    if (life === undefined) return;
    const reckoning = this.#books.reckon(life);
    const ended = await this.#fleet.settle(reckoning, RECKONING_LIMIT_MS);
    const wrong = ended ? await reckoning : "the reading back does not end";
    if (wrong !== null)
      this.#judge.fail("counters", "what was acknowledged is there, once", wrong, this.#judge.everybody());
  }

  /** Lets time pass, until something is found. */
  async #during(ms: number): Promise<void> {
    await this.#fleet.clock.runUntil(() => this.#judge.failure !== null, ms);
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
  #watch(): void {
    const options = {
      clockDriftMax: this.#drifts ? CLOCK_DRIFT_MAX : 0,
      evictions: {
        expected: this.#limits !== null,
        idleTtlMs: this.#limits?.idleTtlMs ?? 0,
        onEviction: (eviction: Eviction) => this.#keyEvicted(eviction),
      },
    };
    this.#judge.watch(options, (life) => this.#workload.lifeEnded(life));
  }

  #keyEvicted(eviction: Eviction): void {
    this.#evictions[eviction.reason]++;
    this.#evicted.add(eviction.key);
    this.#books.evicted(eviction.key);
    this.#workload.evicted(eviction);
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
