/**
 * Ways that are cut in one direction only, one broken link in a fleet that is whole otherwise, and two halves that only one
 * machine reaches. Wherever some voter still exchanges messages with a majority of its group, the group must have a leader
 * that can commit.
 *
 * The old leader notices within 2 s that it hears no majority; as long as its heartbeats are heard nobody stands. Then
 * somebody does within an election timeout; who cannot win (it hears too few, or its log is behind) may stand first, so a
 * round more: 5 s.
 */
import type { GroupId, NodeId } from "../../base/ids.ts";
import type { FleetLife } from "../fleet.ts";
import type { Scenario } from "./scenario.ts";
import type { ScenarioWorld } from "./scenario-world.ts";

const NOTICED_MS = 2_000;
const ELECTED_LIMIT_MS = 5_000;
const WRITE_LIMIT_MS = 5_000;
const WHOLE_LIMIT_MS = 60_000;
const SIZES = [3, 5] as const;

interface Cut {
  readonly from: FleetLife;
  readonly to: FleetLife;
  readonly oneWay: boolean;
}

export const lopsidedPartitions: Scenario = {
  name: "lopsided-partitions",
  meaning:
    "ways cut in one direction, a single broken link, a bridge: a connected majority always has a leader",
  storage: "either",
  async run(world) {
    const { fleet, workload } = world;
    await world.found(world.pick(SIZES));
    workload.start();
    await world.pass(1_000 + world.drawMs(2_000));
    const { what, cuts } = world.pick([oneIsNotHeard, oneDoesNotHear, oneLinkIsBroken, aBridgeIsLeft])(world);
    for (const { from, to, oneWay } of cuts) fleet.network.partition(from.address, to.address, oneWay);
    world.say(what);
    const connected = world.view.groups.flatMap((group) => {
      const lives = wellConnected(world, group, cuts);
      return lives.length === 0 ? [] : [{ group, lives }];
    });
    // Before, every group still seems to be led.
    await world.pass(NOTICED_MS);
    const electedMs = await world.until(
      "a connected majority has a leader",
      ELECTED_LIMIT_MS - NOTICED_MS,
      () => notLed(world, connected, what),
    );
    world.measure("a connected majority has a leader (ms)", NOTICED_MS + electedMs);
    await commits(world, connected, what);
    const healedAtMs = world.nowMs;
    fleet.network.heal();
    world.say("healed");
    await world.whole("a healed fleet is whole", WHOLE_LIMIT_MS);
    world.measure("whole, after the healing (ms)", world.nowMs - healedAtMs);
  },
};

interface Connected {
  readonly group: GroupId;
  /** Those who reach a majority of its voters. */
  readonly lives: readonly FleetLife[];
}

/** The first group that none of those leads who could, for people; null when all are led. */
function notLed(world: ScenarioWorld, connected: readonly Connected[], what: string): string | null {
  const without = connected.find(({ group, lives }) => world.view.leaderOf(group, lives) === null);
  if (without === undefined) return null;
  const { group, lives } = without;
  const replicas = world.fleet.lives.map(
    (life) => `${life.name} ${world.view.replica(life, group)?.raft.role}`,
  );
  return `${what}; group ${group} with ${lives.map(({ name }) => name).join(", ")}: ${replicas.join(", ")}`;
}

/** Every such group takes a write at its leader. */
async function commits(world: ScenarioWorld, connected: readonly Connected[], what: string): Promise<void> {
  const asked = connected.flatMap(({ group, lives }) => {
    const leader = world.view.leaderOf(group, lives);
    if (leader === null || group === 0) return [];
    const beganMs = world.nowMs;
    const put = leader.node.cache.put(world.view.keyOf(group), what, { timeoutMs: WRITE_LIMIT_MS });
    return [
      put.then(
        () => world.measure("a write at a connected leader (ms)", world.nowMs - beganMs),
        (error: unknown) =>
          world.judge.fail("scenario", "a connected majority commits", `${what}; group ${group}: ${error}`, [
            leader.name,
          ]),
      ),
    ];
  });
  await world.settled(Promise.all(asked), "writes at connected leaders end", WRITE_LIMIT_MS + 500);
}

/** Those of the voters of `group` that exchange messages with a majority of them, themselves included. */
function wellConnected(world: ScenarioWorld, group: GroupId, cuts: readonly Cut[]): readonly FleetLife[] {
  const voters = world.view.votersOf(group);
  const voting = world.fleet.lives.filter(({ node }) => isIn(voters, node.nodeId));
  return voting.filter((life) => {
    const reached = voting.filter(
      (other) => other === life || !cuts.some((cut) => isBetween(cut, life, other)),
    );
    return reached.length * 2 > voters.length;
  });
}

function isIn(voters: readonly NodeId[], node: NodeId): boolean {
  return voters.includes(node);
}

function isBetween({ from, to }: Cut, one: FleetLife, other: FleetLife): boolean {
  return (from === one && to === other) || (from === other && to === one);
}

function oneIsNotHeard(world: ScenarioWorld) {
  const [one, others] = drawOne(world);
  return {
    what: `${one.name} is not heard`,
    cuts: others.map((to): Cut => ({ from: one, to, oneWay: true })),
  };
}

function oneDoesNotHear(world: ScenarioWorld) {
  const [one, others] = drawOne(world);
  return {
    what: `${one.name} does not hear`,
    cuts: others.map((from): Cut => ({ from, to: one, oneWay: true })),
  };
}

function oneLinkIsBroken(world: ScenarioWorld) {
  const [from, [to]] = drawOne(world);
  const oneWay = world.random.nextBelow(2) === 0;
  const what = `${from.name} ${oneWay ? "is not heard by" : "is cut off from"} ${to?.name}`;
  return { what, cuts: to === undefined ? [] : [{ from, to, oneWay }] };
}

function aBridgeIsLeft(world: ScenarioWorld) {
  const [bridge, rest] = drawOne(world);
  const half = rest.length >> 1;
  const cuts = rest
    .slice(0, half)
    .flatMap((from) => rest.slice(half).map((to): Cut => ({ from, to, oneWay: false })));
  return { what: `only ${bridge.name} reaches both halves`, cuts };
}

function drawOne(world: ScenarioWorld): readonly [FleetLife, readonly FleetLife[]] {
  const [one, ...others] = world.random.shuffle([...world.fleet.lives]);
  if (one === undefined) throw new Error("nobody runs");
  return [one, others];
}
