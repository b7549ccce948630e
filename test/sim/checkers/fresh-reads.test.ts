/**
 * Reads granted late enough, and too early.
 */
import { expect, test } from "vitest";
import { logIndex } from "../../../src/base/ids.ts";
import { FreshReads } from "../../../src/sim/checkers/fresh-reads.ts";
import { Findings, fakeGroup, fakeLife, ready } from "./support.ts";

class World {
  readonly findings = new Findings();
  readonly checker = new FreshReads(this.findings);
  readonly lives = [fakeLife(1), fakeLife(2)] as const;
  readonly replicas = [fakeGroup(), fakeGroup()] as const;

  constructor() {
    this.checker.opened(this.lives[0], this.replicas[0].group);
    this.checker.opened(this.lives[1], this.replicas[1].group);
  }

  asks(context: number): void {
    this.checker.readAsked(this.lives[0], this.replicas[0].group, context);
  }

  isGranted(context: number, index: number): void {
    const reads = [{ context, index: logIndex(index) }];
    this.checker.ready(this.lives[0], this.replicas[0].group, ready({ reads }));
  }
}

test("a read granted at what was committed when it was asked is fine, whatever came since", () => {
  const world = new World();
  world.replicas[0].commit = 7;
  world.asks(1);
  world.replicas[1].commit = 9;
  world.isGranted(1, 7);
  expect(world.findings.all).toEqual([]);
});

test("a read that misses what another replica knew to be committed is found, also when that one is gone", () => {
  for (const gone of [false, true]) {
    const world = new World();
    world.replicas[1].commit = 9;
    if (gone) world.checker.ended(world.lives[1]);
    if (gone) world.replicas[1].commit = 99;
    world.replicas[0].commit = 7;
    world.asks(1);
    world.asks(2);
    world.isGranted(2, 9);
    expect(world.findings.all).toEqual([]);
    world.isGranted(1, 7);
    expect(world.findings.all[0]).toMatchObject({
      message: "a linearizable read sees all that was committed before it",
      details: { grantedAt: 7, committedWhenAsked: 9 },
    });
  }
});

test("a read that was lost owes nothing", () => {
  const world = new World();
  world.replicas[1].commit = 9;
  world.asks(1);
  world.checker.ready(world.lives[0], world.replicas[0].group, ready({ readsLost: [1] }));
  world.isGranted(1, 7);
  expect(world.findings.all).toEqual([]);
});
