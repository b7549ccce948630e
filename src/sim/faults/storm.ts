/**
 * Lets faults happen, one after the other, as the seed says: which kinds are switched on at all, how often something
 * happens, and what comes next. Faults that take a replica away for good wait until the fleet is whole again; so that
 * this ever comes, the storm pauses now and then and lets everything heal.
 */
import type { Address } from "../../base/address.ts";
import type { Random } from "../../base/random.ts";
import { couldLoseOne } from "../calm.ts";
import type { FaultKind } from "../fault-kind.ts";
import type { Fleet, Machine } from "../fleet.ts";
import { DEFAULT_NETWORK_CONDITIONS } from "../virtual-network.ts";
import type { Fault, FaultTools } from "./fault.ts";

/** The mean pause between two faults, by run. */
const PAUSE_MS = { min: 150, max: 2_500 };
/** Between two lulls. */
const LULL_EVERY_MS = { min: 4_000, max: 15_000 };
/** Longest lull: it ends as soon as what waited for it has happened. */
const LULL_MS = 8_000;
const LOOK_MS = 100;
/** After the end somebody looks after the processes for a while. */
const SUPERVISED_MS = 10_000;
const SUPERVISE_MS = 500;

export interface StormParts {
  readonly fleet: Fleet;
  readonly random: Random;
  readonly faults: readonly Fault[];
  readonly nodes: number;
  readonly replicationFactor: number;
  readonly durable: boolean;
  readonly seedsFor: (machine: Machine) => readonly Address[];
}

export class Storm {
  readonly injected: Partial<Record<FaultKind, number>> = {};
  readonly #parts: StormParts;
  readonly #tools: FaultTools;
  readonly #ordinary: readonly Fault[];
  readonly #final: readonly Fault[];
  readonly #pauseMs: number;
  #over = true;
  #lull = false;
  #waiting: Fault | null = null;

  constructor(parts: StormParts) {
    const { fleet, random, nodes, replicationFactor, durable, seedsFor } = parts;
    this.#parts = parts;
    this.#ordinary = parts.faults.filter(({ final, inject }) => final !== true && inject !== undefined);
    this.#final = parts.faults.filter(({ final, inject }) => final === true && inject !== undefined);
    this.#pauseMs = random.nextBetween(PAUSE_MS.min, PAUSE_MS.max);
    this.#tools = {
      fleet,
      random,
      nodes,
      replicationFactor,
      durable,
      later: (delayMs, callback) => this.#later(delayMs, callback),
      seedsFor,
      count: (kind, count = 1) => this.#count(kind, count),
    };
  }

  /** What is there from the beginning. Before any process starts. */
  prepare(): void {
    for (const fault of this.#parts.faults) fault.begin?.(this.#tools);
  }

  begin(): void {
    this.#over = false;
    this.#next();
    this.#nextLull();
  }

  /** Nothing happens any more, and everything that passes is undone: ways, rates, pauses; what is down starts. */
  end(): void {
    const { fleet } = this.#parts;
    this.#over = true;
    this.#heal();
    for (const life of fleet.lives) fleet.resume(life);
    for (const { disk } of fleet.machines) disk?.recover();
    this.#superviseFor(SUPERVISED_MS);
    const { lost, duplicated, heldBack, tail } = fleet.network.counters;
    this.#count("loss", lost);
    this.#count("duplication", duplicated);
    this.#count("reordering", heldBack);
    this.#count("heavy-tail", tail);
  }

  #next(): void {
    const pauseMs = -Math.log(1 - this.#parts.random.nextFloat()) * this.#pauseMs;
    this.#later(pauseMs, () => {
      this.#next();
      if (!this.#lull) this.#happen();
    });
  }

  /**
   * Starts what does not run, again what could not write (its disk may tell it of that a little later), and others for those
   * that leave: what was asked of them before the end may reach them after it.
   */
  #superviseFor(durationMs: number): void {
    const { fleet, nodes, seedsFor } = this.#parts;
    while (fleet.staying < nodes) fleet.addMachine();
    for (const life of fleet.lives) {
      const { groups, storeFailure } = life.node;
      if (groups.failedGroups.size > 0 || storeFailure !== null) fleet.kill(life, "killed");
    }
    for (const machine of fleet.machines) {
      if (machine.life === null && !machine.lost) fleet.boot(machine, seedsFor(machine));
    }
    if (durationMs > 0)
      fleet.clock.setTimer(SUPERVISE_MS, () => this.#superviseFor(durationMs - SUPERVISE_MS));
  }

  #happen(): void {
    const { random } = this.#parts;
    const fault = draw(random, [...this.#ordinary, ...this.#final]);
    if (fault === null) return;
    if (fault.final !== true) this.#inject(fault);
    else if (this.#waiting === null) {
      this.#waiting = fault;
      this.#look();
    }
  }

  /** A final fault happens once the fleet is whole. */
  #look(): void {
    const fault = this.#waiting;
    if (fault === null) return;
    if (!couldLoseOne(this.#parts.fleet)) {
      this.#later(LOOK_MS, () => this.#look());
      return;
    }
    this.#waiting = null;
    this.#lull = false;
    this.#inject(fault);
  }

  #inject(fault: Fault): void {
    const what = fault.inject?.(this.#tools);
    if (what === null || what === undefined) return;
    if (!COUNTED_BY_MESSAGE.has(fault.kind)) this.#count(fault.kind, 1);
    this.#say(`${fault.kind}: ${what}`);
  }

  #nextLull(): void {
    const { random } = this.#parts;
    this.#later(random.nextBetween(LULL_EVERY_MS.min, LULL_EVERY_MS.max), () => {
      this.#nextLull();
      if (this.#waiting === null || this.#lull) return;
      this.#lull = true;
      this.#say("a lull: everything heals");
      this.#heal();
      this.#later(LULL_MS, () => {
        this.#lull = false;
      });
    });
  }

  #heal(): void {
    const { network } = this.#parts.fleet;
    const { lossRate, duplicateRate, reorderRate, tailRate } = DEFAULT_NETWORK_CONDITIONS;
    network.heal();
    network.setConditions({ lossRate, duplicateRate, reorderRate, tailRate });
  }

  #later(delayMs: number, callback: () => void): void {
    this.#parts.fleet.clock.setTimer(delayMs, () => {
      if (!this.#over) callback();
    });
  }

  #count(kind: FaultKind, count: number): void {
    if (count > 0) this.injected[kind] = (this.injected[kind] ?? 0) + count;
  }

  #say(text: string): void {
    const { fleet } = this.#parts;
    fleet.trace.say(fleet.nowMs, "storm", text);
  }
}

/** Kinds of which every message is counted, not every time they are switched on. */
const COUNTED_BY_MESSAGE: ReadonlySet<FaultKind> = new Set([
  "loss",
  "duplication",
  "reordering",
  "heavy-tail",
]);

function draw<T>(random: Random, items: readonly T[]): T | null {
  return items[random.nextBelow(Math.max(1, items.length))] ?? null;
}
