/**
 * What happens to the ways between machines: cut in both directions, in one, around a bridge that still reaches both
 * sides, or around one machine; and connections that break, heard of by both ends or by one.
 * While a way is cut datagrams vanish and streams stall: their bytes arrive when it heals. Streams may also stall alone.
 */
import type { FleetLife } from "../fleet.ts";
import { drawDurationMs, drawTwo, type Fault, type FaultTools } from "./fault.ts";

const TYPICAL_MS = 2_500;
const LONGEST_MS = 12_000;
/** When the first ways are there, and how much later the others: most machines have started, and some waited long enough to found. */
const HUB_MS = { min: 2_000, max: 7_000 };
const REST_TYPICAL_MS = 1_500;
const REST_LONGEST_MS = 4_000;

/** Cuts what `cut` names, and heals just that after a while. Answers for how long, in words. */
function cutForAWhile(
  tools: FaultTools,
  pairs: readonly (readonly [FleetLife, FleetLife])[],
  oneWay: boolean,
): string {
  const { network } = tools.fleet;
  for (const [from, to] of pairs) network.partition(from.address, to.address, oneWay);
  const durationMs = drawDurationMs(tools.random, TYPICAL_MS, LONGEST_MS);
  tools.later(durationMs, () => {
    for (const [from, to] of pairs) network.heal(from.address, to.address);
  });
  return `for ${durationMs.toFixed(0)} ms`;
}

/** Every pair across two sides. */
function across(
  one: readonly FleetLife[],
  other: readonly FleetLife[],
): readonly (readonly [FleetLife, FleetLife])[] {
  return one.flatMap((left) => other.map((right) => [left, right] as const));
}

const partition: Fault = {
  kind: "partition",
  inject(tools) {
    const lives = tools.random.shuffle([...tools.fleet.lives]);
    if (lives.length < 2) return null;
    const size = tools.random.nextBetween(1, lives.length - 1);
    const [one, other] = [lives.slice(0, size), lives.slice(size)];
    return `${names(one)} from ${names(other)} ${cutForAWhile(tools, across(one, other), false)}`;
  },
};

const oneWayPartition: Fault = {
  kind: "one-way-partition",
  inject(tools) {
    const pair = drawTwo(tools);
    if (pair === null) return null;
    const [from, to] = pair;
    // Sometimes nobody hears one machine any more, which itself hears everybody.
    const others = tools.random.nextBelow(2) === 0 ? tools.fleet.lives.filter((life) => life !== from) : [to];
    return `${from.name} is not heard by ${names(others)} ${cutForAWhile(tools, across([from], others), true)}`;
  },
};

const bridgePartition: Fault = {
  kind: "bridge-partition",
  inject(tools) {
    const lives = tools.random.shuffle([...tools.fleet.lives]);
    const [bridge, ...rest] = lives;
    if (bridge === undefined || rest.length < 2) return null;
    const half = rest.length >> 1;
    const [one, other] = [rest.slice(0, half), rest.slice(half)];
    const duration = cutForAWhile(tools, across(one, other), false);
    return `${names(one)} from ${names(other)}, only ${bridge.name} reaches both, ${duration}`;
  },
};

const isolation: Fault = {
  kind: "isolation",
  inject(tools) {
    const pair = drawTwo(tools);
    if (pair === null) return null;
    const [lone] = pair;
    const others = tools.fleet.lives.filter((life) => life !== lone);
    return `${lone.name} ${cutForAWhile(tools, across([lone], others), false)}`;
  },
};

const streamStall: Fault = {
  kind: "stream-stall",
  inject(tools) {
    const pair = drawTwo(tools);
    if (pair === null) return null;
    const [one, other] = pair;
    const { network } = tools.fleet;
    network.stallStreams(one.address, other.address);
    const durationMs = drawDurationMs(tools.random, TYPICAL_MS, LONGEST_MS);
    tools.later(durationMs, () => network.heal(one.address, other.address));
    return `between ${one.name} and ${other.name} for ${durationMs.toFixed(0)} ms; datagrams pass`;
  },
};

function streamFault(kind: "stream-reset" | "half-open-stream"): Fault {
  return {
    kind,
    inject(tools) {
      const pair = drawTwo(tools);
      if (pair === null) return null;
      const [near, far] = pair;
      tools.fleet.network.breakStreams(
        near.address,
        far.address,
        kind === "stream-reset" ? "reset" : "half-open",
      );
      return `between ${near.name} and ${far.name}`;
    },
  };
}

function names(lives: readonly FleetLife[]): string {
  return lives.map(({ name }) => name).join("+");
}

/**
 * Machines are up before their network is: at first none hears another, then one hears all others, and only later everybody
 * everybody. So those who are to found a cluster wait for each other, until all may ask the same one at the same time.
 */
const lateNetwork: Fault = {
  kind: "late-network",
  begin(tools) {
    const { fleet, random } = tools;
    const [hub, ...others] = random.shuffle([...fleet.machines]);
    if (hub === undefined) return;
    const ways = others.flatMap((other, at) => others.slice(at + 1).map((next) => [other, next] as const));
    for (const [one, other] of ways) fleet.network.partition(one.address, other.address);
    for (const other of others) fleet.network.partition(hub.address, other.address);
    const hubMs = random.nextBetween(HUB_MS.min, HUB_MS.max);
    tools.later(hubMs, () => {
      for (const other of others) fleet.network.heal(hub.address, other.address);
    });
    tools.later(hubMs + drawDurationMs(random, REST_TYPICAL_MS, REST_LONGEST_MS), () => {
      for (const [one, other] of ways) fleet.network.heal(one.address, other.address);
    });
    tools.count("late-network");
  },
};

export const WAY_FAULTS: readonly Fault[] = Object.freeze([
  partition,
  oneWayPartition,
  bridgePartition,
  isolation,
  streamStall,
  streamFault("stream-reset"),
  streamFault("half-open-stream"),
  lateNetwork,
]);
