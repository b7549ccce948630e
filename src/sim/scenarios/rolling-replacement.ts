/**
 * Every machine of a fleet is replaced under load. `rolling-replacement`: each is told to go as soon as the one before has
 * gone, or even sooner; nobody waits until the fleet is whole. `safe-to-stop`: each is killed the moment it says that this is
 * safe.
 *
 * A leave has a budget of 25 s, and clients notice nothing: replicas and leaderships go elsewhere before doors close.
 */
import type { GroupId } from "../../base/ids.ts";
import type { FleetLife } from "../fleet.ts";
import { newLeaders } from "./new-leaders.ts";
import type { Scenario } from "./scenario.ts";
import type { ScenarioWorld } from "./scenario-world.ts";

const BUDGET_MS = 25_000;
/** A process ends this long after its budget: what it says last is cut off. */
const EXIT_LIMIT_MS = BUDGET_MS + 1_000;
const MEMBER_LIMIT_MS = 30_000;
const WHOLE_LIMIT_MS = 60_000;
const GAP_MS = 5_000;
const ASK_EVERY_MS = 500;
const SAFE_LIMIT_MS = 90_000;
/** Those of groups that sleep too: see `voter-dies`. */
const LEADERS_LIMIT_MS = 3_000;
/** With four, who comes back without a disk is a fifth member, and voter of the system group, until its former life is given up. */
const STOPPED_FLEETS = [3, 4, 5] as const;

export const rollingReplacement: Scenario = {
  name: "rolling-replacement",
  meaning:
    "every machine is told to leave as soon as its successor is a member: gone in 25 s, no request refused",
  storage: "either",
  async run(world) {
    const { fleet, workload, random } = world;
    await world.found(random.nextBetween(3, 5));
    workload.start();
    await world.pass(world.drawMs(3_000));
    const beganMs = world.nowMs;
    // Whether one waits for another to be gone, or only for a moment.
    const patient = random.nextBelow(2) === 0;
    const gapMs = world.drawMs(GAP_MS);
    const leaving: Promise<number>[] = [];
    for (const old of random.shuffle([...fleet.lives])) {
      const successor = world.bootNew();
      await member(world, successor);
      const gone = timedLeave(world, old);
      leaving.push(gone);
      if (patient) await world.settled(gone, "a machine that leaves is gone", EXIT_LIMIT_MS);
      else await world.pass(gapMs);
    }
    await world.settled(Promise.all(leaving), "all that leave are gone", EXIT_LIMIT_MS);
    for (const tookMs of await Promise.all(leaving)) {
      world.measure("a leave (ms)", tookMs);
      world.demand(tookMs <= BUDGET_MS, "a leave stays within its budget", () => `${tookMs.toFixed(0)} ms`);
    }
    await world.pass(1_000);
    world.demandNothingRefused(beganMs, "clients notice nothing of machines that leave");
    world.measure(
      "whole after the last leave (ms)",
      await world.whole("a replaced fleet is whole", WHOLE_LIMIT_MS),
    );
  },
};

export const safeToStop: Scenario = {
  name: "safe-to-stop",
  meaning:
    "every machine is killed at the very moment it says that this is safe: no group loses its majority",
  storage: "either",
  async run(world) {
    const { fleet, workload, random } = world;
    await world.found(world.pick(STOPPED_FLEETS));
    workload.start();
    for (const old of random.shuffle([...fleet.lives])) {
      world.measure("waited until it was safe (ms)", await untilSafe(world, old));
      const terms = world.view.terms();
      fleet.kill(old, world.drawManner());
      for (const group of world.view.groups) {
        const [voting, living] = majorityOf(world, group);
        world.demand(
          living * 2 > voting,
          "no group loses its majority when a machine is stopped that may be",
          () => `group ${group}: ${living} of ${voting} voters live without ${old.name}`,
        );
      }
      const tookMs = await newLeaders(world, "every group has a leader again", {
        groups: world.view.groups,
        terms,
        limitMs: LEADERS_LIMIT_MS,
      });
      world.measure("leaders after a stop (ms)", tookMs);
      await world.pass(world.drawMs(3_000));
      // With a disk the same node, else a new one in its place.
      fleet.boot(old.host, world.livingSeeds());
    }
    await world.whole("a fleet whose machines were all stopped once is whole", WHOLE_LIMIT_MS);
  },
};

async function member(world: ScenarioWorld, life: FleetLife): Promise<void> {
  const tookMs = await world.until("a new machine becomes a member", MEMBER_LIMIT_MS, () =>
    life.node.control.isListed ? null : life.node.waitingFor,
  );
  world.measure("a new machine is a member (ms)", tookMs);
}

/** How long it took until the process was gone. */
export async function timedLeave(world: ScenarioWorld, life: FleetLife): Promise<number> {
  const beganMs = world.nowMs;
  await world.leave(life);
  return world.nowMs - beganMs;
}

/** Asks `life` again and again whether it may be stopped; resolves at the answer. */
async function untilSafe(world: ScenarioWorld, life: FleetLife): Promise<number> {
  const beganMs = world.nowMs;
  for (;;) {
    let reason: string | null = "no answer";
    const answer = life.node.view.unsafeToStopReason().then((given) => {
      reason = given;
    });
    await world.settled(answer, "the question whether a stop is safe is answered", SAFE_LIMIT_MS);
    if (reason === null) return world.nowMs - beganMs;
    world.demand(
      world.nowMs - beganMs < SAFE_LIMIT_MS,
      `within ${SAFE_LIMIT_MS / 1_000} s it is safe to stop a machine`,
      () => `${life.name}: ${reason}`,
    );
    await world.pass(ASK_EVERY_MS);
  }
}

/** Voters of `group`, and how many of them run, as whoever runs and knows most has it. */
function majorityOf(world: ScenarioWorld, group: GroupId): readonly [number, number] {
  const replicas = world.fleet.lives.flatMap((life) => world.view.replica(life, group) ?? []);
  const [latest] = replicas.toSorted((left, right) => right.raft.lastIndex - left.raft.lastIndex);
  const voters = latest?.raft.configuration.voters ?? [];
  const living = new Set(world.fleet.lives.map(({ node }) => node.nodeId));
  return [voters.length, voters.filter((voter) => living.has(voter)).length];
}
