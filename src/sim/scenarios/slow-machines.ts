/**
 * Machines that are slow, not dead. `paused-process`: one stands still for 1 to 20 s (a long collection of garbage, a machine
 * that is moved, SIGSTOP). `slow-disk`: a disk syncs nothing for as long, or syncs slowly.
 *
 * Of a process that stands still, its peers must notice and elect others: as after a death without a word. Whoever runs is
 * never taken for dead, not even by the one that stood still, whose timers all come due at once. A slow disk is no death at
 * all: a majority of the others commits without it. What its machine leads waits for it, as a leader applies what its own disk
 * has confirmed: so one that confirms nothing for an election timeout costs its machine what it leads.
 */
import type { FleetLife } from "../fleet.ts";
import { newLeaders } from "./new-leaders.ts";
import type { Scenario } from "./scenario.ts";
import type { ScenarioWorld } from "./scenario-world.ts";

const SHORTEST_MS = 1_000;
const LONGEST_MS = 20_000;
/** As after a death of which no connection tells: see `voter-dies`. */
const LEADERS_LIMIT_MS = 3_000;
/** An election timeout until the stall is noticed, and a handing over. */
const LEADERS_STALLED_LIMIT_MS = 3_000;
const WHOLE_LIMIT_MS = 60_000;
const AFTERWARDS_MS = 10_000;
const SLOW_SYNC_MS = { min: 20, max: 300 };

export const pausedProcess: Scenario = {
  name: "paused-process",
  meaning:
    "a process stands still for 1 to 20 s: others lead meanwhile, and nobody who runs is taken for dead",
  storage: "either",
  async run(world) {
    const { fleet, workload } = world;
    await world.found(world.pick([3, 5, 6] as const));
    workload.start();
    await world.pass(1_000 + world.drawMs(2_000));
    const victim = world.pick(fleet.lives);
    const { nodeId } = victim.node;
    const led = world.view.groups.filter((group) => world.view.leaderOf(group) === victim);
    const pausedAtMs = world.nowMs;
    const durationMs = SHORTEST_MS + world.drawMs(LONGEST_MS - SHORTEST_MS);
    const terms = world.view.terms();
    fleet.pause(victim, durationMs);
    const others = fleet.lives.filter((life) => life !== victim);
    // One that goes on before anybody minds may well lead as before.
    const electedMs = await newLeaders(world, "groups led by one that stands still get other leaders", {
      groups: led,
      terms,
      limitMs: LEADERS_LIMIT_MS,
      among: others,
      unless: () => !victim.process.paused,
    });
    if (victim.process.paused) world.measure("other leaders (ms)", electedMs);
    await world.pass(Math.max(0, pausedAtMs + durationMs - world.nowMs) + AFTERWARDS_MS);
    onlyThatOneDied(world, pausedAtMs, [victim]);
    world.measure(
      world.heard.diedSince(pausedAtMs).has(nodeId) ? "whole, after it was given up (ms)" : "whole (ms)",
      AFTERWARDS_MS + (await world.whole("a fleet is whole after a pause", WHOLE_LIMIT_MS)),
    );
    onlyThatOneDied(world, pausedAtMs, [victim]);
  },
};

export const slowDisk: Scenario = {
  name: "slow-disk",
  meaning:
    "a disk stalls for 1 to 20 s, or syncs slowly: nobody is taken for dead, others lead, every request is answered",
  storage: "disk",
  async run(world) {
    const { fleet, workload, random } = world;
    await world.found(world.pick([3, 5] as const));
    workload.start();
    await world.pass(1_000 + world.drawMs(2_000));
    const victim = world.pick(fleet.lives);
    const durationMs = SHORTEST_MS + world.drawMs(LONGEST_MS - SHORTEST_MS);
    const beganMs = world.nowMs;
    const led = world.view.groups.filter((group) => world.view.leaderOf(group) === victim);
    const terms = world.view.terms();
    const { disk } = victim.host;
    const stalls = random.nextBelow(2) === 0;
    if (stalls) disk?.stallFor(durationMs);
    else
      disk?.setConditions({
        syncMeanMs: random.nextBetween(SLOW_SYNC_MS.min, SLOW_SYNC_MS.max),
        slowRate: 0,
      });
    world.say(`the disk of ${victim.name} is slow for ${durationMs.toFixed(0)} ms`);
    const others = fleet.lives.filter((life) => life !== victim);
    const isOver = (): boolean => world.nowMs >= beganMs + durationMs;
    if (stalls) {
      const electedMs = await newLeaders(world, "groups led by one whose disk stalls get other leaders", {
        groups: led,
        terms,
        limitMs: LEADERS_STALLED_LIMIT_MS,
        among: others,
        unless: isOver,
      });
      if (!isOver()) world.measure("other leaders (ms)", electedMs);
    }
    await world.pass(Math.max(0, beganMs + durationMs - world.nowMs));
    disk?.recover();
    await world.pass(AFTERWARDS_MS);
    onlyThatOneDied(world, beganMs, []);
    world.demandNothingRefused(beganMs, "a slow disk costs no request");
    world.measure(
      "whole (ms)",
      AFTERWARDS_MS + (await world.whole("a fleet is whole when its disks are", WHOLE_LIMIT_MS)),
    );
  },
};

function onlyThatOneDied(world: ScenarioWorld, sinceMs: number, allowed: readonly FleetLife[]): void {
  for (const { event, life, atMs } of world.heard.since(sinceMs, "member-died")) {
    world.demand(
      allowed.some(({ node }) => node.nodeId === event.nodeId),
      "nobody who runs is taken for dead",
      () => `${life.name} takes node ${event.nodeId} for dead at ${atMs.toFixed(0)} ms`,
    );
  }
}
