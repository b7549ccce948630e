/**
 * A checker that cannot find anything is a defect. Here the production code is broken, one rule at a time, in a real cluster
 * that suffers a little, and the checker of that rule has to say so.
 */
import { afterEach, expect, test } from "vitest";
import { InvariantError } from "../../../src/base/assert.ts";
import { CremaError } from "../../../src/base/errors.ts";
import { Random } from "../../../src/base/random.ts";
import { Session } from "../../../src/cache/session.ts";
import { ShardState } from "../../../src/cache/shard-state.ts";
import { MachineClock } from "../../../src/host/machine-clock.ts";
import { RaftLog } from "../../../src/raft/log.ts";
import { ReadRounds } from "../../../src/raft/read-rounds.ts";
import { RaftState } from "../../../src/raft/state.ts";
import { allCheckers, checkAtEnd } from "../../../src/sim/checkers/all-checkers.ts";
import { Observer } from "../../../src/sim/checkers/observer.ts";
import type { Life } from "../../../src/sim/life.ts";
import { CLOCK_DRIFT_MAX, Findings, WatchedCluster } from "./support.ts";

const undo: (() => void)[] = [];

afterEach(() => {
  for (const each of undo.splice(0)) each();
});

/** Replaces one method or getter of a class until the test is over. */
function breakOne<Class extends object>(
  broken: { readonly prototype: Class },
  name: keyof Class & string,
  instead: (original: PropertyDescriptor) => PropertyDescriptor,
): void {
  const original = Object.getOwnPropertyDescriptor(broken.prototype, name);
  if (original === undefined) throw new Error(`there is no ${name} to break`);
  Object.defineProperty(broken.prototype, name, { ...original, ...instead(original) });
  undo.push(() => Object.defineProperty(broken.prototype, name, original));
}

/** Names of the checkers that found something in a cluster that is partitioned now and then. */
async function whoFinds(seed: number, steps = 12): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  const all = new Findings();
  const checkers = allCheckers(
    (checker) => ({ nowMs: () => all.nowMs(), report: () => void names.add(checker) }),
    { clockDriftMax: CLOCK_DRIFT_MAX },
  );
  const cluster = new WatchedCluster(seed, new Observer(all, checkers), { shards: 2, deadGraceMs: 60_000 });
  all.nowMs = () => cluster.clock.nowMs();
  const random = new Random(seed, 0x2f1);
  for (let machine = 1; machine <= 3; machine++) {
    const life = cluster.start(machine, [1, 2, 3]);
    for (let client = 0; client < 2; client++) void load(life, random.fork());
  }
  await cluster.clock.runUntil(() => cluster.settledWith(3), 20_000);
  for (let step = 0; step < steps && names.size === 0; step++) {
    const cut = cluster.lives[random.nextBelow(3)] as Life;
    for (const other of cluster.lives)
      if (other !== cut) cluster.network.partition(cut.address, other.address);
    await cluster.clock.runFor(500 + random.nextBelow(3_000));
    cluster.network.heal();
    // Sometimes the next one is cut off before this one has caught up.
    if (random.nextBelow(2) === 0) await cluster.clock.runFor(500 + random.nextBelow(2_000));
  }
  checkAtEnd(checkers, cluster.living);
  for (const life of cluster.living) cluster.kill(life);
  expect(all.messages).toEqual([]);
  return names;
}

async function load(life: Life, random: Random): Promise<void> {
  const { cache } = life.node;
  while (!life.process.halted) {
    const key = `key:${random.nextBelow(6)}`;
    try {
      const dice = random.nextBelow(4);
      if (dice < 2) await cache.increment(key, 1, { timeoutMs: 3_000 });
      else if (dice < 3) await cache.put(`short:${key}`, key, { ttlMs: 1 + random.nextBelow(900) });
      else await cache.consistentGet(key);
    } catch (error) {
      // What a broken node answers is of no interest.
      if (!(error instanceof CremaError || error instanceof InvariantError)) throw error;
    }
    await new Promise<void>((resolve) => void life.process.setTimer(random.nextFloat() * 10, resolve));
  }
}

test("as it is, nothing is found", async () => {
  expect([...(await whoFinds(1, 6))]).toEqual([]);
}, 60_000);

test("a vote for a candidate whose log is behind loses what was committed", async () => {
  breakOne(RaftLog, "isCoveredBy", () => ({ value: () => true }));
  expect([...(await whoFinds(1, 40))]).toContain("leader-completeness");
}, 120_000);

test("a commit index that runs ahead meets an invariant of the core, and that is told", async () => {
  breakOne(RaftState, "commitTo", ({ value }) => ({
    value(this: RaftState, index: number) {
      (value as (index: number) => void).call(this, index + 1);
    },
  }));
  expect([...(await whoFinds(1))]).toContain("group-alive");
}, 60_000);

test("a session that remembers nothing applies commands again", async () => {
  breakOne(Session, "replyTo", () => ({ value: () => undefined }));
  expect([...(await whoFinds(1))]).toContain("sessions-applied-once");
}, 60_000);

test("a clock that runs too fast removes keys early", async () => {
  breakOne(MachineClock, "nowMs", ({ value }) => ({
    value(this: MachineClock) {
      return Math.floor((value as () => number).call(this) * 1.02);
    },
  }));
  expect([...(await whoFinds(1))]).toContain("expiry-never-early");
}, 60_000);

test("a read round that is confirmed before anybody answered reads what is stale", async () => {
  breakOne(ReadRounds, "start", ({ value }) => ({
    value(this: ReadRounds, commit: number) {
      return (value as (commit: number) => number).call(this, Math.max(0, commit - 1));
    },
  }));
  expect([...(await whoFinds(1))]).toContain("fresh-reads");
}, 60_000);

test("a replica that drops a change on its own differs from the others", async () => {
  let changes = 0;
  breakOne(ShardState, "setExpiry", ({ value }) => ({
    value(this: ShardState, ...given: Parameters<ShardState["setExpiry"]>) {
      if (++changes % 50 !== 0) (value as ShardState["setExpiry"]).apply(this, given);
    },
  }));
  expect([...(await whoFinds(1))]).toContain("replicas-equal");
}, 60_000);
