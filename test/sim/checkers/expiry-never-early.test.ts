/**
 * Keys that live as long as they were promised, and clocks that cheat them.
 */
import { expect, test } from "vitest";
import { ShardMachine } from "../../../src/node/shard-machine.ts";
import type { DataEntry } from "../../../src/raft/entry.ts";
import {
  ExpiryNeverEarly,
  type ExpiryNeverEarlyOptions,
} from "../../../src/sim/checkers/expiry-never-early.ts";
import { batch, inSession, removeExpired, set } from "./batches.ts";
import { Findings, fakeGroup, fakeLife, noop, persist, ready } from "./support.ts";

class World {
  readonly findings = new Findings();
  readonly checker: ExpiryNeverEarly;
  readonly life = fakeLife(1);
  readonly replica = fakeGroup({ machine: new ShardMachine() });

  constructor(options: ExpiryNeverEarlyOptions = {}) {
    this.checker = new ExpiryNeverEarly(this.findings, options);
    this.checker.applied(this.life, this.replica.group, noop(2, 2));
  }

  proposes(atMs: number, entry: DataEntry): void {
    this.findings.atMs = atMs;
    this.checker.ready(this.life, this.replica.group, ready({ persist: persist({ entries: [entry] }) }));
  }

  applies(entry: DataEntry): void {
    this.checker.applied(this.life, this.replica.group, entry);
    this.replica.applied = Math.max(this.replica.applied, entry.index);
  }

  /** Proposed and applied at once. */
  enters(atMs: number, entry: DataEntry): void {
    this.proposes(atMs, entry);
    this.applies(entry);
  }
}

const FOR_A_SECOND = inSession(1, 1, set("k", 1_000));

test("a key that is removed after its time is fine, also a second time, and after a rename", () => {
  const world = new World();
  world.enters(5_000, batch(3, 100, FOR_A_SECOND));
  world.enters(
    5_500,
    batch(4, 600, inSession(2, 1, { type: "rename", from: "k", to: "l", onlyIfAbsent: false })),
  );
  world.enters(6_000, batch(5, 1_100, removeExpired("l", 1_100)));
  world.enters(6_010, batch(6, 1_105, removeExpired("l", 1_100), removeExpired("k", 1_100)));
  expect(world.findings.all).toEqual([]);
});

test("a removal that is proposed too early is found, whatever the stamps say", () => {
  const world = new World();
  world.enters(5_000, batch(3, 100, FOR_A_SECOND));
  world.proposes(5_900, batch(4, 1_000, removeExpired("k", 1_100)));
  expect(world.findings.all[0]).toMatchObject({
    message: "a key never expires early",
    details: { key: "k", ttlMs: 1_000, livedMs: 900 },
  });
});

test("the same entry, when it reaches a follower, is not a proposal", () => {
  const world = new World();
  world.enters(5_000, batch(3, 100, FOR_A_SECOND));
  world.proposes(5_990, batch(4, 1_090, removeExpired("k", 1_100)));
  expect(world.findings.all).toHaveLength(1);
  world.checker.ready(
    fakeLife(2),
    world.replica.group,
    ready({ persist: persist({ entries: [batch(4, 1_090)] }) }),
  );
  expect(world.findings.all).toHaveLength(1);
});

test("a removal of an expiry that nobody set is found", () => {
  const world = new World();
  world.enters(5_000, batch(3, 100, FOR_A_SECOND));
  world.proposes(9_000, batch(4, 4_000, removeExpired("k", 1_101)));
  expect(world.findings.messages).toEqual(["only an expiry that was set is removed"]);
});

test("of two settings that end at the same moment the earlier is enough", () => {
  const world = new World();
  world.enters(5_000, batch(3, 100, FOR_A_SECOND));
  // Machine time has stood still for 200 ms: real time was 5,700, so this one would last until 6,200.
  world.enters(
    5_700,
    batch(4, 600, inSession(2, 1, { type: "expire", key: "k", ttlMs: 500, condition: "always" })),
  );
  world.proposes(6_000, batch(5, 900, removeExpired("k", 1_100)));
  expect(world.findings.all).toEqual([]);
});

test("machine time that overtakes real time is found, and time that stands still is not", () => {
  const world = new World();
  world.enters(5_000, batch(3, 100));
  world.enters(7_000, batch(4, 1_000));
  world.enters(8_000, batch(5, 2_000));
  expect(world.findings.all).toEqual([]);
  world.proposes(8_100, batch(6, 2_200));
  expect(world.findings.messages).toEqual(["machine time goes no faster than real time"]);
});

test("a leader is held to what it has applied itself: another one may have lost time meanwhile", () => {
  const world = new World();
  world.enters(5_000, batch(3, 1_000));
  world.proposes(6_000, batch(4, 1_500));
  world.checker.applied(fakeLife(2), world.replica.group, batch(4, 1_500));
  world.proposes(6_100, { ...batch(4, 2_100), term: batch(4, 0).term });
  world.proposes(6_200, batch(5, 2_200));
  expect(world.findings.all).toEqual([]);
});

test("clocks may be as fast as was said", () => {
  for (const [clockDriftMax, findings] of [
    [0.01, 0],
    [0.001, 2],
  ] as const) {
    const world = new World({ clockDriftMax });
    world.enters(5_000, batch(3, 100, FOR_A_SECOND));
    world.proposes(5_992, batch(4, 1_100, removeExpired("k", 1_100)));
    expect(world.findings.all).toHaveLength(findings);
  }
});
