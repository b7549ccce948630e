/**
 * Fleets that grow and shrink by a multiple. `scale-out-and-in`: three machines become nine, then six leave at once.
 * `lose-six-of-nine`: six of nine lose their power at once and come back later with their disks.
 *
 * Who leaves has 25 s, whoever leaves with it; the factor is whole all the time. A group whose majority is gone answers
 * with an error within a client's time limit, never shrinks its way to a majority, and goes on when its machines are back.
 */
import { CremaError } from "../../base/errors.ts";
import { type GroupId, type NodeId, SYSTEM_GROUP } from "../../base/ids.ts";
import { timedLeave } from "./rolling-replacement.ts";
import type { Scenario } from "./scenario.ts";
import type { ScenarioWorld } from "./scenario-world.ts";

const SMALL = 3;
const LARGE = 9;
const GROWN_LIMIT_MS = 60_000;
const EXIT_LIMIT_MS = 26_000;
const BUDGET_MS = 25_000;
const STARTS_WITHIN_MS = 5_000;
const DARK_MS = 20_000;
const RECOVERED_LIMIT_MS = 30_000;
/** Beyond a client's own time limit: the sweep that enforces it. */
const ANSWER_SLACK_MS = 500;
const ASK_TIMEOUT_MS = 5_000;

export const scaleOutAndIn: Scenario = {
  name: "scale-out-and-in",
  meaning:
    "three machines become nine, then six leave at once: gone in 25 s, no request refused, the factor intact",
  storage: "either",
  async run(world) {
    const { fleet, workload, random } = world;
    await world.found(SMALL);
    workload.start();
    const grownFromMs = world.nowMs;
    for (let count = SMALL; count < LARGE; count++)
      world.later(world.drawMs(STARTS_WITHIN_MS), () => void world.bootNew());
    await world.pass(STARTS_WITHIN_MS);
    await world.whole("a fleet that has grown is whole", GROWN_LIMIT_MS);
    world.measure("grown to nine, after the first start (ms)", world.nowMs - grownFromMs);
    await world.pass(world.drawMs(3_000));
    const leaving = random.shuffle([...fleet.lives]).slice(0, LARGE - SMALL);
    const times = Promise.all(leaving.map((life) => timedLeave(world, life)));
    await world.settled(times, "six machines that leave are gone", EXIT_LIMIT_MS);
    for (const tookMs of await times) {
      world.measure("a leave among six (ms)", tookMs);
      world.demand(tookMs <= BUDGET_MS, "a leave stays within its budget", () => `${tookMs.toFixed(0)} ms`);
    }
    world.measure("whole after six leaves (ms)", await world.whole("the factor is intact", GROWN_LIMIT_MS));
    await world.pass(1_000);
    world.demandNothingRefused(grownFromMs, "clients notice nothing of machines that come and leave");
  },
};

export const loseSixOfNine: Scenario = {
  name: "lose-six-of-nine",
  meaning:
    "six of nine machines lose their power at once: errors, no shrinking, and all is back when they are",
  storage: "disk",
  async run(world) {
    const { fleet, workload, random } = world;
    await world.found(LARGE);
    workload.start();
    await world.pass(2_000 + world.drawMs(3_000));
    const voters = new Map(world.view.groups.map((group) => [group, world.view.votersOf(group)]));
    const lost = random.shuffle([...fleet.lives]).slice(0, LARGE - SMALL);
    const diedAtMs = world.nowMs;
    for (const life of lost) fleet.kill(life, world.drawManner());
    const living = new Set(fleet.lives.map(({ node }) => node.nodeId));
    const halted = [...voters].filter(([, nodes]) => !isMajority(nodes, living)).map(([group]) => group);
    world.say(`groups without a majority: ${halted.join(", ")}`);
    for (const delayMs of [0, 3_000, 6_000 + world.drawMs(DARK_MS)]) {
      await world.pass(delayMs);
      await refusedInTime(world, halted, delayMs);
    }
    notShrunk(world, halted, voters, diedAtMs);
    const backFromMs = world.nowMs;
    for (const { host } of lost)
      world.later(world.drawMs(STARTS_WITHIN_MS), () => void fleet.boot(host, world.livingSeeds()));
    await world.pass(STARTS_WITHIN_MS);
    await world.whole("groups go on when their machines are back", RECOVERED_LIMIT_MS);
    world.measure("whole, after the first machine was back (ms)", world.nowMs - backFromMs);
  },
};

/** A write to every group that has no majority, through every node that runs: it must end, with an error. */
async function refusedInTime(
  world: ScenarioWorld,
  halted: readonly GroupId[],
  afterMs: number,
): Promise<void> {
  const asked: Promise<void>[] = [];
  for (const { node } of world.fleet.lives) {
    for (const group of halted) {
      if (group === SYSTEM_GROUP) continue;
      const key = world.view.keyOf(group);
      const beganMs = world.nowMs;
      const answered = (what: string): void => {
        const tookMs = world.nowMs - beganMs;
        world.measure(`${what} ${afterMs >= 6_000 ? "later" : `${afterMs / 1_000} s later`} (ms)`, tookMs);
      };
      asked.push(
        node.cache.put(key, "never", { timeoutMs: ASK_TIMEOUT_MS }).then(
          () => world.judge.fail("scenario", "a group without a majority acknowledges nothing", key, []),
          (error: unknown) => answered(error instanceof CremaError ? error.code : String(error)),
        ),
      );
    }
  }
  await world.settled(
    Promise.all(asked),
    "a group without a majority answers with an error",
    ASK_TIMEOUT_MS + ANSWER_SLACK_MS,
  );
}

/** Whoever is left has not made a majority of itself. */
function notShrunk(
  world: ScenarioWorld,
  halted: readonly GroupId[],
  voters: ReadonlyMap<GroupId, readonly NodeId[]>,
  sinceMs: number,
): void {
  for (const { event } of world.heard.since(sinceMs, "configuration-changed")) {
    if (!halted.includes(event.group)) continue;
    const before = voters.get(event.group) ?? [];
    const shrunk = before.some((node) => !event.voters.includes(node)) && event.votersOutgoing.length === 0;
    world.demand(!shrunk, "a group without a majority keeps its voters", () => JSON.stringify(event));
  }
}

function isMajority(voters: readonly NodeId[], living: ReadonlySet<NodeId>): boolean {
  return voters.filter((node) => living.has(node)).length * 2 > voters.length;
}
