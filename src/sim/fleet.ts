/**
 * Machines that run nodes, in virtual time. What runs in them is the production code of every room above the adapters;
 * this file does what an operating system, a supervisor and `open-node.ts` do around it: it binds addresses, starts
 * and kills processes, and lets a node that the cluster has given up come back under a new id.
 *
 * Nothing here injects faults or checks anything: `faults/` and `checkers/` do, through what is offered here.
 */
import { type Address, formatAddress } from "../base/address.ts";
import { CremaError } from "../base/errors.ts";
import { Random } from "../base/random.ts";
import type { HostOptions } from "../host/options.ts";
import type { Resolver } from "../host/ports.ts";
import type { HostProbe } from "../host/probe.ts";
import { VolatileLogStore } from "../host/volatile-log-store.ts";
import { ClusterNode, type LogLevel, type NodePorts } from "../node/cluster-node.ts";
import type { NodeEvent } from "../node/door.ts";
import { describeEvent } from "../node/event-text.ts";
import { type NodeOptions, resolveNodeOptions } from "../node/options.ts";
import type { KeyHash } from "../placement/key-hash.ts";
import type { Life } from "./life.ts";
import { Trace } from "./trace.ts";
import { VirtualClock } from "./virtual-clock.ts";
import { type CrashDamage, VirtualDisk } from "./virtual-disk.ts";
import { VirtualLogStore } from "./virtual-log-store.ts";
import { type CrashManner, VirtualNetwork } from "./virtual-network.ts";
import type { ProcessClockOptions, VirtualProcess } from "./virtual-process.ts";

const PORT = 7_946;
/** Small, so that files are rewritten now and then. */
const REWRITE_BYTES_MIN = 256 * 1024;
const NO_DAMAGE: CrashDamage = Object.freeze({ loses: false, tears: false });
const RESOLVER: Resolver = { resolve: async (seed) => [seed] };

/** Who watches the lives of a fleet. */
export interface FleetObserver {
  probeFor(life: () => Life): HostProbe;
  started(life: Life): void;
  ended(life: Life): void;
  after(life: Life): void;
}

/** A place where processes run, one after the other. */
export interface Machine {
  readonly number: number;
  /** Where its next life listens. */
  address: Address;
  /** The process that runs or is paused here now. */
  life: FleetLife | null;
  lives: number;
  /** Nothing will run here any more: the machine is gone, or its node has left. */
  lost: boolean;
  /** null in a world without disks. Outlives every process; replaced when what is on it is worth nothing any more. */
  disk: VirtualDisk | null;
  /** How its clocks go; obeyed by lives that begin afterwards. */
  clocks: ProcessClockOptions;
}

export interface FleetLife extends Life {
  readonly host: Machine;
  /** Asked to leave; it ends by itself. */
  leaving: boolean;
}

/** What one command line says beyond that of all the others. */
export type BootOptions = Partial<Pick<NodeOptions, "bootstrap" | "zone" | "weight">>;

export interface FleetParts {
  readonly seed: bigint;
  readonly keyHash: KeyHash;
  /** For every node; seeds and names are added. */
  readonly nodeOptions: Partial<NodeOptions>;
  readonly host?: Partial<HostOptions>;
  /** Whether machines have disks, and so nodes a memory. Default false. */
  readonly durable?: boolean;
  /** Default: a seed is an address. */
  readonly resolver?: Resolver;
}

export class Fleet {
  readonly clock = new VirtualClock();
  readonly trace = new Trace();
  readonly network: VirtualNetwork;
  readonly random: Random;
  readonly machines: Machine[] = [];
  observer: FleetObserver | null = null;
  /** Every event of every node. */
  onEvent: (life: FleetLife, event: NodeEvent) => void = () => {};
  /** Every line for people that a node logs. */
  onLog: (message: string) => void = () => {};
  /** What a run cannot survive: code of a node threw outside of any group. */
  onCrash: (life: Life | null, error: unknown) => void = (_, error) => {
    throw error;
  };
  readonly #parts: FleetParts;
  readonly #byProcess = new Map<number, FleetLife>();
  #addresses = 0;
  #touched: FleetLife | null = null;
  #alsoTouched: FleetLife[] = [];

  constructor(parts: FleetParts) {
    this.#parts = parts;
    this.random = new Random(Number(parts.seed >> 32n), Number(parts.seed & 0xffff_ffffn));
    this.network = new VirtualNetwork(this.clock, this.random.fork());
    this.clock.onEntered = (process, entry, detail) => this.#entered(process, entry, detail);
    this.clock.onSettled = () => this.#settled();
  }

  get nowMs(): number {
    return this.clock.nowMs();
  }

  /** Adds a machine, with nothing running on it. */
  addMachine(clocks: ProcessClockOptions = {}): Machine {
    const number = this.machines.length + 1;
    const address = this.#newAddress();
    const disk = this.#newDisk();
    const machine: Machine = { number, address, life: null, lives: 0, lost: false, disk, clocks };
    this.machines.push(machine);
    return machine;
  }

  /** What runs on `machine` from now on listens at an address that nobody had before. */
  readdress(machine: Machine): void {
    if (machine.life !== null) throw new Error(`machine ${machine.number} runs a process`);
    machine.address = this.#newAddress();
  }

  /** Somebody puts an empty disk into `machine`, if it has one at all. */
  replaceDisk(machine: Machine): void {
    machine.disk = this.#newDisk();
  }

  /** Machines that run a process which stays, or will run one again. */
  get staying(): number {
    return this.machines.filter(({ lost, life }) => !lost && life?.leaving !== true).length;
  }

  /** Lives that have not ended, paused ones among them. */
  get lives(): readonly FleetLife[] {
    return this.machines.flatMap(({ life }) => (life === null ? [] : [life]));
  }

  /** Lives that the cluster counts on: running, members, not on their way out. */
  get members(): readonly FleetLife[] {
    return this.lives.filter(({ node, leaving }) => !leaving && !node.removed && node.control.isListed);
  }

  /** Starts a process on `machine`. `seeds`: what its command line names; none founds a cluster of its own. */
  boot(machine: Machine, seeds: readonly Address[], options: BootOptions = {}): FleetLife {
    if (machine.life !== null) throw new Error(`machine ${machine.number} runs a process already`);
    const process = this.clock.process(machine.clocks);
    machine.lives++;
    const name = machine.lives === 1 ? `m${machine.number}` : `m${machine.number}#${machine.lives}`;
    const resolved = resolveNodeOptions({
      ...this.#parts.nodeOptions,
      ...options,
      seeds: seeds.map(formatAddress),
      insecure: true,
      name,
    });
    const holder: { life: FleetLife | null } = { life: null };
    const probe = this.observer?.probeFor(() => holder.life as FleetLife);
    const node = new ClusterNode(
      {
        clock: process,
        random: this.random.fork(),
        datagrams: this.network.datagrams(machine.address, process),
        streams: this.network.streams(machine.address, process),
        resolver: this.#parts.resolver ?? RESOLVER,
        ...this.#memoryOf(machine, process, name),
        keyHash: this.#parts.keyHash,
        ...(this.#parts.host === undefined ? {} : { host: this.#parts.host }),
        ...(probe === undefined ? {} : { probe }),
      },
      resolved,
      (level, message) => this.#logged(name, level, message),
    );
    const life: FleetLife = {
      name,
      machine: machine.number,
      address: machine.address,
      process,
      node,
      host: machine,
      leaving: false,
    };
    holder.life = life;
    machine.life = life;
    this.#byProcess.set(process.number, life);
    this.trace.say(this.nowMs, name, `starts as node ${node.nodeId}, seeds ${seedsText(seeds)}`);
    this.observer?.started(life);
    node.events.add((event) => this.#heard(life, event));
    node.onRemoved = (addresses) => this.#comeBack(life, addresses);
    node.onGiveUp = (address) => this.#comeBack(life, [address]);
    node.onDrainAsked = () => void this.leave(life);
    node.onDisplaced = () => this.#exit(life);
    node.doorsOpened(0, 0);
    node.start();
    return life;
  }

  /**
   * Ends the process at once: nothing of it runs any more, and nobody is told but by its kernel. `damage`: what becomes of
   * writes that are not synced, where the machine has a disk.
   */
  kill(life: FleetLife, manner: CrashManner, damage: CrashDamage = NO_DAMAGE): void {
    if (life.host.life !== life) return;
    this.trace.say(this.nowMs, life.name, manner === "killed" ? "is killed" : "loses its power");
    this.network.crash(life.address, manner);
    life.host.disk?.crash(damage);
    this.#end(life);
  }

  /**
   * SIGTERM: the node hands over and leaves, within its budget. Resolves when its process has ended. `closeDoors`: lets its
   * clients go.
   */
  async leave(life: FleetLife, closeDoors: () => Promise<void> = async () => {}): Promise<void> {
    if (life.leaving || life.host.life !== life) return;
    life.leaving = true;
    this.trace.say(this.nowMs, life.name, "is asked to leave");
    await life.node.leave(closeDoors);
    if (life.host.life !== life) return;
    life.host.lost = true;
    this.#end(life);
  }

  /** Nothing of the process runs for so long. */
  pause(life: FleetLife, durationMs: number): void {
    if (!life.process.running) return;
    this.trace.say(this.nowMs, life.name, `pauses for ${durationMs.toFixed(0)} ms`);
    life.process.pause();
    this.clock.setTimer(durationMs, () => this.resume(life));
  }

  resume(life: FleetLife): void {
    if (!life.process.paused) return;
    this.trace.say(this.nowMs, life.name, "goes on");
    life.process.resume();
  }

  /** Waits in virtual time for what `work` promises; false when it takes longer. */
  async settle(work: Promise<unknown>, limitMs: number): Promise<boolean> {
    let done = false;
    const mark = (): void => {
      done = true;
    };
    work.then(mark, mark);
    return this.clock.runUntil(() => done, limitMs);
  }

  #end(life: FleetLife): void {
    life.process.halt();
    life.host.life = null;
    this.#byProcess.delete(life.process.number);
    this.observer?.ended(life);
    this.trace.say(this.nowMs, life.name, "has ended");
  }

  /** What `open-node.ts` does when the cluster went on without a node: the same machine, a new id. */
  #comeBack(life: FleetLife, addresses: readonly Address[]): void {
    if (life.leaving || life.host.life !== life) return;
    life.leaving = true;
    this.trace.say(this.nowMs, life.name, `comes back under a new id, to join ${seedsText(addresses)}`);
    void life.node.close().then(() => {
      if (life.host.life !== life) return;
      this.#end(life);
      life.host.disk = this.#newDisk();
      this.boot(life.host, addresses, { bootstrap: "never" });
    });
  }

  /** The node has closed itself for good, and its process ends. */
  #exit(life: FleetLife): void {
    if (life.host.life !== life) return;
    life.leaving = true;
    life.host.lost = true;
    this.#end(life);
  }

  #newAddress(): Address {
    const number = ++this.#addresses;
    return { host: `10.0.${number >> 8}.${number & 255}`, port: PORT };
  }

  #newDisk(): VirtualDisk | null {
    return this.#parts.durable === true ? new VirtualDisk(this.clock, this.random.fork()) : null;
  }

  /** What a process finds when it starts. A disk that cannot be read is of no use: somebody puts in another one. */
  #memoryOf(machine: Machine, process: VirtualProcess, name: string): Pick<NodePorts, "store" | "past"> {
    if (machine.disk === null) return { store: new VolatileLogStore() };
    try {
      const store = new VirtualLogStore(machine.disk, process, REWRITE_BYTES_MIN, process);
      return { store, past: store.past() };
    } catch (error) {
      if (!(error instanceof CremaError) || error.code !== "CREMA_STORE_DAMAGED") throw error;
      this.trace.say(this.nowMs, name, `${error.message}: it gets a new disk`);
      machine.disk = this.#newDisk();
      return this.#memoryOf(machine, process, name);
    }
  }

  #heard(life: FleetLife, event: NodeEvent): void {
    this.trace.say(this.nowMs, life.name, describeEvent(event));
    this.onEvent(life, event);
  }

  #logged(name: string, level: LogLevel, message: string): void {
    this.trace.say(this.nowMs, name, level === "debug" ? message : `${level}: ${message}`);
    this.onLog(message);
  }

  #entered(process: VirtualProcess, entry: number, detail: number): void {
    this.trace.entered(this.clock.nowMs(), process.number, entry, detail);
    const life = this.#byProcess.get(process.number);
    if (life === undefined || life === this.#touched) return;
    if (this.#touched === null) this.#touched = life;
    else this.#alsoTouched.push(life);
  }

  #settled(): void {
    const first = this.#touched;
    if (first === null || this.observer === null) return;
    this.#touched = null;
    if (first.host.life === first) this.observer.after(first);
    if (this.#alsoTouched.length === 0) return;
    for (const life of this.#alsoTouched) if (life.host.life === life) this.observer.after(life);
    this.#alsoTouched = [];
  }
}

function seedsText(seeds: readonly Address[]): string {
  return seeds.length === 0 ? "none" : seeds.map(formatAddress).join(", ");
}
