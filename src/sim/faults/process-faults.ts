/**
 * What happens to processes and machines: they die and come back, with or without what they knew, they are lost and
 * replaced, they stand still.
 */
import type { FleetLife, Machine } from "../fleet.ts";
import type { CrashDamage } from "../virtual-disk.ts";
import type { CrashManner } from "../virtual-network.ts";
import { drawDurationMs, drawLife, type Fault, type FaultTools } from "./fault.ts";

const DOWN_TYPICAL_MS = 1_500;
const DOWN_LONGEST_MS = 10_000;
/** How far a disk may be behind when the power goes. */
const BEHIND_MS_MAX = 150;
const LOOP_DEATHS_MAX = 5;
const LOOP_DOWN_MS_MAX = 1_000;
const LOOP_LIFE_MS_MAX = 1_500;
const PAUSE_TYPICAL_MS = 1_500;
const PAUSE_LONGEST_MS = 20_000;

/** What is written reaches the platter all the same: a kernel that lives on sees to it, or a battery. */
const NO_DAMAGE: CrashDamage = Object.freeze({ loses: false, tears: false });

/** Starts a process on `machine` again after a while; the end of the storm does not wait for that. */
export function bootLater(tools: FaultTools, machine: Machine): string {
  const downMs = drawDurationMs(tools.random, DOWN_TYPICAL_MS, DOWN_LONGEST_MS);
  tools.later(downMs, () => {
    if (machine.life === null && !machine.lost) tools.fleet.boot(machine, tools.seedsFor(machine));
  });
  return `down for ${downMs.toFixed(0)} ms`;
}

function kill(tools: FaultTools, life: FleetLife, manner: CrashManner, damage = NO_DAMAGE): string {
  tools.fleet.kill(life, manner, damage);
  return `${life.name} ${bootLater(tools, life.host)}`;
}

/** Power is lost at a bad moment: the disk is behind with its writes, and `damage` may come to them. */
export function losePowerBehind(tools: FaultTools, damage: CrashDamage): string | null {
  const life = drawLife(tools);
  const disk = life?.host.disk ?? null;
  if (life === null || disk === null) return null;
  const behindMs = tools.random.nextFloat() * BEHIND_MS_MAX;
  disk.stallFor(behindMs + 1);
  tools.later(behindMs, () => {
    if (life.host.life === life) kill(tools, life, "power-lost", damage);
  });
  return `${life.name}, whose disk is ${behindMs.toFixed(0)} ms behind`;
}

/** Without a disk a crash is the loss of a replica: the process comes back as another node. */
function crash(kind: "crash" | "power-loss", durable: boolean): Fault {
  return {
    kind,
    final: !durable,
    inject(tools) {
      const life = drawLife(tools);
      return life === null ? null : kill(tools, life, kind === "crash" ? "killed" : "power-lost");
    },
  };
}

/**
 * It dies as soon as it is up, again and again: each life has said something of itself, and none has heard much. Only where it
 * remembers: without a disk each death would be one more loss, and nobody would wait until it is made good.
 */
const crashLoop: Fault = {
  kind: "crash-loop",
  inject(tools) {
    const life = drawLife(tools);
    if (life === null) return null;
    const deaths = tools.random.nextBetween(2, LOOP_DEATHS_MAX);
    dieAgain(tools, life.host, deaths);
    return `${life.name} and its next ${deaths - 1} lives`;
  },
};

function dieAgain(tools: FaultTools, machine: Machine, deaths: number): void {
  const { fleet, random } = tools;
  const { life } = machine;
  if (life === null || life.leaving) return;
  fleet.kill(life, random.nextBelow(2) === 0 ? "killed" : "power-lost");
  tools.later(random.nextFloat() * LOOP_DOWN_MS_MAX, () => {
    if (machine.life !== null || machine.lost) return;
    fleet.boot(machine, tools.seedsFor(machine));
    if (deaths > 1)
      tools.later(random.nextFloat() * LOOP_LIFE_MS_MAX, () => dieAgain(tools, machine, deaths - 1));
  });
}

const machineLoss: Fault = {
  kind: "machine-loss",
  final: true,
  inject(tools) {
    const life = drawLife(tools);
    if (life === null) return null;
    tools.fleet.kill(life, "power-lost");
    life.host.lost = true;
    const next = tools.fleet.addMachine(life.host.clocks);
    return `${life.name} for good; m${next.number} takes its place, ${bootLater(tools, next)}`;
  },
};

const pause: Fault = {
  kind: "pause",
  inject(tools) {
    const life = drawLife(tools, ({ process }) => process.running);
    if (life === null) return null;
    const durationMs = drawDurationMs(tools.random, PAUSE_TYPICAL_MS, PAUSE_LONGEST_MS);
    tools.fleet.pause(life, durationMs);
    return `${life.name} for ${durationMs.toFixed(0)} ms`;
  },
};

export function processFaults(durable: boolean): readonly Fault[] {
  const dying = [crash("crash", durable), crash("power-loss", durable), machineLoss];
  return durable ? [...dying, crashLoop, pause] : [...dying, pause];
}
