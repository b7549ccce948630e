/**
 * Machines of different weights, in zones or not, are added and go, under load. When the fleet is whole again every one holds
 * and leads its share, replicas of a shard share no zone while zones suffice, and at no time were more shards on their way
 * than may move at once.
 */
import { SYSTEM_GROUP } from "../../base/ids.ts";
import { DEFAULT_CONTROL_OPTIONS } from "../../cluster/controller.ts";
import type { BootOptions, FleetLife } from "../fleet.ts";
import type { Scenario } from "./scenario.ts";
import type { ScenarioWorld } from "./scenario-world.ts";

const ZONES = ["a", "b", "c"] as const;
const FACTOR = 3;
const WHOLE_LIMIT_MS = 60_000;
const LOOK_MS = 20;
/** Replicas and leaderships move on for a moment when nobody is missing any more. */
const SETTLED_LIMIT_MS = 30_000;

export const rebalancing: Scenario = {
  name: "rebalancing",
  meaning:
    "machines of all weights and zones come and go: shares are even, zones are spread, few shards move at once",
  storage: "either",
  shards: [32, 48],
  async run(world) {
    const { fleet, workload, random } = world;
    const zoned = random.nextBelow(2) === 0;
    const weighted = random.nextBelow(3) === 0;
    const optionsOf = (number: number): BootOptions => ({
      ...(zoned ? { zone: ZONES[number % ZONES.length] ?? "" } : {}),
      ...(weighted ? { weight: number % 2 === 0 ? 1 : 2 } : {}),
    });
    await world.found(3, ({ number }) => optionsOf(number));
    workload.start();
    const moves = new MovesWatch(world);
    moves.look();
    const beganMs = world.nowMs;
    const added = random.nextBetween(1, 4);
    for (let count = 0; count < added; count++) {
      world.bootNew(optionsOf(fleet.machines.length + 1));
      await world.pass(world.drawMs(3_000));
    }
    await evenlySpread(world, weighted, zoned, "added");
    const removed = random.nextBetween(1, added);
    const leaving = random.shuffle([...fleet.lives]).slice(0, removed);
    await world.settled(
      Promise.all(leaving.map((life) => world.leave(life))),
      "machines that leave are gone",
      26_000,
    );
    await evenlySpread(world, weighted, zoned, "gone");
    world.demandNothingRefused(beganMs, "clients notice nothing of shards that move");
    world.measure("shards on their way at once", moves.most);
  },
};

/** How many shards are on their way at a time. */
class MovesWatch {
  readonly #world: ScenarioWorld;
  most = 0;

  constructor(world: ScenarioWorld) {
    this.#world = world;
  }

  /** Looks now and from then on. */
  look(): void {
    const world = this.#world;
    world.later(LOOK_MS, () => this.look());
    let moving = 0;
    for (const group of world.view.groups) {
      const leader = group === SYSTEM_GROUP ? null : world.view.leaderOf(group);
      const configuration =
        leader === null ? undefined : world.view.replica(leader, group)?.raft.configuration;
      if (configuration === undefined) continue;
      if (configuration.learners.length > 0 || configuration.votersOutgoing.length > 0) moving++;
    }
    this.most = Math.max(this.most, moving);
    const { movesMax } = DEFAULT_CONTROL_OPTIONS;
    if (moving > movesMax)
      world.judge.fail(
        "scenario",
        `at most ${movesMax} shards move at once`,
        `${moving} do`,
        world.judge.everybody(),
      );
  }
}

async function evenlySpread(
  world: ScenarioWorld,
  weighted: boolean,
  zoned: boolean,
  what: string,
): Promise<void> {
  const wholeMs = await world.whole("a fleet that changed is whole", WHOLE_LIMIT_MS);
  const evenMs = await world.until("every machine holds and leads its share", SETTLED_LIMIT_MS, () =>
    weighted ? zonesMissing(world, zoned) : (unevenness(world, zoned) ?? zonesMissing(world, zoned)),
  );
  world.measure(`even, when machines were ${what} (ms)`, wholeMs + evenMs);
}

/** Which machine holds or leads too much or too little, when all weigh the same. */
function unevenness(world: ScenarioWorld, zoned: boolean): string | null {
  const { lives } = world.fleet;
  const shards = world.view.groups.filter((group) => group !== SYSTEM_GROUP);
  const held = (life: FleetLife): number =>
    shards.filter((group) => world.view.votersOf(group).includes(life.node.nodeId)).length;
  const led = (life: FleetLife): number =>
    shards.filter((group) => world.view.leaderOf(group) === life).length;
  // In zones the share of a machine is that of its zone, which holds one replica of every shard.
  for (const life of lives) {
    const replicas = zoned ? null : (shards.length * FACTOR) / lives.length;
    const leaders = shards.length / lives.length;
    const [has, leads] = [held(life), led(life)];
    if (replicas !== null && (has < Math.floor(replicas) - 1 || has > Math.ceil(replicas) + 1))
      return `${life.name} holds ${has} replicas, ${replicas.toFixed(1)} would be its share`;
    if (!zoned && (leads < Math.floor(leaders) - 1 || leads > Math.ceil(leaders) + 1))
      return `${life.name} leads ${leads} shards, ${leaders.toFixed(1)} would be its share`;
  }
  return null;
}

/** Which shard has two replicas in one zone though there are enough zones. */
function zonesMissing(world: ScenarioWorld, zoned: boolean): string | null {
  const { lives } = world.fleet;
  const zones = new Set(lives.map(({ node }) => node.options.zone));
  if (!zoned || zones.size < FACTOR) return null;
  for (const group of world.view.groups) {
    if (group === SYSTEM_GROUP) continue;
    const voters = world.view.votersOf(group);
    const found = new Set(
      lives.filter(({ node }) => voters.includes(node.nodeId)).map(({ node }) => node.options.zone),
    );
    if (found.size < FACTOR) return `group ${group} is in the zones ${[...found].join(", ")} only`;
  }
  return null;
}
