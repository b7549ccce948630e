/**
 * All checkers over real nodes that suffer: nothing is found, and watching changes nothing. `CHECKER_SEEDS=20` runs more.
 */
import { expect, test } from "vitest";
import { CremaError } from "../../../src/base/errors.ts";
import { Random } from "../../../src/base/random.ts";
import { allCheckers, checkAtEnd } from "../../../src/sim/checkers/all-checkers.ts";
import { Observer } from "../../../src/sim/checkers/observer.ts";
import type { Life } from "../../../src/sim/life.ts";
import { CLOCK_DRIFT_MAX, Findings, WatchedCluster } from "./support.ts";

const SEEDS = Number(process.env.CHECKER_SEEDS ?? 2);
const FIRST = Number(process.env.CHECKER_FIRST ?? 1);
const STEPS = Number(process.env.CHECKER_STEPS ?? 6);
const SHARDS = Number(process.env.CHECKER_SHARDS ?? 4);

interface Told {
  readonly findings: Findings;
  readonly events: number;
  readonly applied: number;
  readonly cpuMs: number;
}

/** One life's clients: increments, keys that expire, and reads. */
async function load(life: Life, random: Random, stopped: () => boolean): Promise<void> {
  const { cache } = life.node;
  while (!stopped() && !life.process.halted) {
    const key = `key:${random.nextBelow(20)}`;
    try {
      const dice = random.nextBelow(10);
      if (dice < 5) await cache.increment(key, 1, { timeoutMs: 3_000 });
      else if (dice < 7) await cache.put(`short:${key}`, key, { ttlMs: 1 + random.nextBelow(900) });
      else await cache.consistentGet(dice < 9 ? key : `short:${key}`);
    } catch (error) {
      if (!(error instanceof CremaError)) throw error;
    }
    await new Promise<void>((resolve) => void life.process.setTimer(random.nextFloat() * 10, resolve));
  }
}

async function suffer(seed: number, watched: boolean): Promise<Told> {
  const findings = new Findings();
  const checkers = watched ? allCheckers(findings, { clockDriftMax: CLOCK_DRIFT_MAX }) : [];
  const observer = watched ? new Observer(findings, checkers) : null;
  const cluster = new WatchedCluster(seed, observer, { shards: SHARDS, deadGraceMs: 3_000 });
  findings.nowMs = () => cluster.clock.nowMs();
  const random = new Random(seed, 0x9e1);
  let stopped = false;
  const join = (machine: number): void => {
    const seeds = cluster.living.map((life) => life.machine);
    void load(cluster.start(machine, seeds), random.fork(), () => stopped);
  };
  const startedUs = process.cpuUsage();
  join(1);
  await cluster.clock.runUntil(() => cluster.settledWith(1), 10_000);
  for (let machine = 2; machine <= 4; machine++) join(machine);
  expect(await cluster.clock.runUntil(() => cluster.settledWith(3), 60_000)).toBe(true);
  for (let step = 0; step < STEPS; step++) {
    const one = cluster.living[random.nextBelow(cluster.living.length)] as Life;
    const other = cluster.living[random.nextBelow(cluster.living.length)] as Life;
    if (step % 4 === 3) {
      cluster.kill(one, random.nextBelow(2) === 0 ? "killed" : "power-lost");
      await cluster.clock.runFor(random.nextBelow(500));
      join(one.machine);
    } else if (step % 4 === 2) {
      one.process.pause();
      cluster.clock.setTimer(random.nextBelow(3_000), () => one.process.resume());
    } else if (one !== other)
      cluster.network.partition(one.address, other.address, random.nextBelow(2) === 0);
    await cluster.clock.runFor(1_000 + random.nextBelow(2_000));
    cluster.network.heal();
    one.process.resume();
    expect(await cluster.clock.runUntil(() => cluster.settledWith(3), 60_000)).toBe(true);
  }
  stopped = true;
  await cluster.clock.runFor(5_000);
  checkAtEnd(checkers, cluster.living);
  const used = process.cpuUsage(startedUs);
  let applied = 0;
  for (const life of cluster.living)
    for (const { raft } of life.node.groups.groups()) applied += raft.applied;
  return { findings, events: cluster.clock.events, applied, cpuMs: (used.user + used.system) / 1_000 };
}

const seeds = Array.from({ length: SEEDS }, (_, at) => FIRST + at);

test.each(seeds)(
  "seed %i: nothing is found where nothing is wrong",
  async (seed) => {
    const watched = await suffer(seed, true);
    expect(watched.findings.all).toEqual([]);
    expect(watched.applied).toBeGreaterThan(1_000);
    if (seed !== FIRST) return;
    const unwatched = await suffer(seed, false);
    expect([watched.events, watched.applied], "watching changes nothing").toEqual([
      unwatched.events,
      unwatched.applied,
    ]);
  },
  120_000,
);

test.runIf(process.env.CHECKER_COST !== undefined)(
  "what watching costs",
  async () => {
    const cost = { unwatched: Number.POSITIVE_INFINITY, watched: Number.POSITIVE_INFINITY };
    let told: Told | null = null;
    for (let round = 0; round < Number(process.env.CHECKER_COST); round++) {
      cost.unwatched = Math.min(cost.unwatched, (await suffer(FIRST, false)).cpuMs);
      told = await suffer(FIRST, true);
      cost.watched = Math.min(cost.watched, told.cpuMs);
    }
    const percent = (cost.watched / cost.unwatched - 1) * 100;
    console.log(
      `${told?.events} events, ${told?.applied} entries applied at the end; ` +
        `CPU ${cost.unwatched.toFixed(0)} ms unwatched, ${cost.watched.toFixed(0)} ms watched: ${percent.toFixed(1)} % more`,
    );
  },
  600_000,
);
