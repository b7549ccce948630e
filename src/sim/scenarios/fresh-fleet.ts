/**
 * Machines that nobody has prepared start within half a minute, in any order, some more than once, and know nothing but a
 * list of seeds: they must become one cluster, once.
 *
 * When the last of them has started and a majority of the seeds is up: the seeds ask each other, wait for those that are
 * silent (the founding delay, 3 s), and vote; whoever hears of the cluster joins. A call to a machine that is off takes
 * 2 s to fail, and pauses between attempts grow to 5 s: 15 s in all.
 */
import type { Address } from "../../base/address.ts";
import { couldLoseOne } from "../calm.ts";
import type { FleetLife, Machine } from "../fleet.ts";
import type { Scenario } from "./scenario.ts";
import type { ScenarioWorld } from "./scenario-world.ts";

const SIZES = [1, 3, 5, 9] as const;
const SEEDS_FEW = 3;
const STARTS_WITHIN_MS = 30_000;
const DOWN_MS = 3_000;
const JOINED_LIMIT_MS = 15_000;
const WHOLE_LIMIT_MS = 30_000;
const LOOK_MS = 20;
/** Share of machines that are started again, before or after they belong to the cluster. */
const RESTART_RATE = 0.4;

export const freshFleet: Scenario = {
  name: "fresh-fleet",
  meaning: "1, 3, 5 or 9 machines that know only seeds start in any order, some twice: one cluster, soon",
  storage: "either",
  async run(world) {
    const { fleet, workload, random } = world;
    const count = world.pick(SIZES);
    for (let number = 0; number < count; number++) fleet.addMachine();
    const few = random.nextBelow(2) === 0;
    const seeds = fleet.machines.slice(0, few ? SEEDS_FEW : count).map(({ address }) => address);
    const withinMs = world.drawMs(STARTS_WITHIN_MS);
    for (const machine of fleet.machines) {
      world.later(world.drawMs(withinMs), () => fleet.boot(machine, seeds));
      if (random.nextFloat() < RESTART_RATE)
        world.later(world.drawMs(withinMs + DOWN_MS), () => restart(world, machine, seeds));
    }
    new Arrivals(world, fleet.machines.slice(0, seeds.length)).look();
    workload.start();
    await world.pass(withinMs + DOWN_MS);
    await world.until("all machines are members of the cluster", DOWN_MS + JOINED_LIMIT_MS, () => {
      const stranger = fleet.lives.find(({ node }) => !node.control.isListed);
      if (fleet.lives.length < count) return `${fleet.lives.length} of ${count} run`;
      return stranger === undefined ? null : `${stranger.name}: ${stranger.node.waitingFor}`;
    });
    const clusters = new Set(world.heard.since(0, "founded").map(({ event }) => event.clusterId));
    world.demand(clusters.size === 1, "one cluster is founded", () => [...clusters].join(" "));
    await world.whole("a fresh fleet becomes whole", WHOLE_LIMIT_MS);
    await world.pass(world.drawMs(5_000));
  },
};

/** Who has arrived, and how long that took since it ran and enough seeds did. */
class Arrivals {
  readonly #world: ScenarioWorld;
  readonly #seeds: readonly Machine[];
  readonly #startedAtMs = new Map<FleetLife, number>();
  readonly #arrived = new Set<FleetLife>();
  /** Since when a majority of the seeds runs; null while none does. */
  #enoughSinceMs: number | null = null;

  constructor(world: ScenarioWorld, seeds: readonly Machine[]) {
    this.#world = world;
    this.#seeds = seeds;
  }

  /** Looks now and from then on. */
  look(): void {
    const { nowMs, fleet } = this.#world;
    this.#world.later(LOOK_MS, () => this.look());
    const up = this.#seeds.filter(({ life }) => life !== null).length;
    if (up * 2 <= this.#seeds.length) this.#enoughSinceMs = null;
    else this.#enoughSinceMs ??= nowMs;
    for (const life of fleet.lives) if (!this.#arrived.has(life)) this.#lookAt(life);
  }

  #lookAt(life: FleetLife): void {
    const { nowMs } = this.#world;
    const startedAtMs = this.#startedAtMs.get(life) ?? nowMs;
    this.#startedAtMs.set(life, startedAtMs);
    const isMember = life.node.control.isListed;
    if (isMember) this.#arrived.add(life);
    if (this.#enoughSinceMs === null) return;
    const tookMs = nowMs - Math.max(startedAtMs, this.#enoughSinceMs);
    if (isMember) this.#world.measure("a member, after its start and that of enough seeds (ms)", tookMs);
    if (tookMs <= JOINED_LIMIT_MS) return;
    const promise = `a machine is a member ${JOINED_LIMIT_MS / 1_000} s after its start and that of enough seeds`;
    this.#world.judge.fail("scenario", promise, life.node.waitingFor, [life.name]);
  }
}

/**
 * Without a disk a restart is the loss of a replica once the cluster is founded, so it waits its turn: it does not happen while
 * another one would take a majority away.
 */
function restart(world: ScenarioWorld, machine: Machine, seeds: readonly Address[]): void {
  const { fleet } = world;
  const { life } = machine;
  if (life === null) return;
  const founded = fleet.lives.some(({ node }) => node.clusterId !== null);
  if (!world.durable && founded && !couldLoseOne(fleet)) return;
  fleet.kill(life, world.drawManner());
  world.later(world.drawMs(DOWN_MS), () => {
    if (machine.life === null) fleet.boot(machine, seeds);
  });
}
