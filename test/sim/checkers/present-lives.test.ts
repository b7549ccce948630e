/**
 * Which life of a node the map names.
 */
import { expect, test } from "vitest";
import { bootNonce } from "../../../src/base/ids.ts";
import { PresentLives } from "../../../src/sim/checkers/present-lives.ts";
import type { Life } from "../../../src/sim/life.ts";
import { Findings, node } from "./support.ts";

const CLUSTER = "00000000000000cc";

function boot(number: number) {
  return bootNonce(number.toString(16).padStart(16, "b"));
}

/** Node 1 in one of its lives, which knows a map of that version that names the life `named` of node 1. */
function life(number: number, version = 0, named = number, clusterId = CLUSTER): Life {
  const members = [{ nodeId: node(1), boot: boot(named) }];
  const control = { map: version === 0 ? null : { clusterId, version, members } };
  return { name: `m1#${number}`, node: { nodeId: node(1), boot: boot(number), control } } as unknown as Life;
}

class World {
  readonly findings = new Findings();
  readonly checker = new PresentLives(this.findings);

  constructor() {
    for (const number of [1, 2, 3]) this.checker.started(life(number));
  }

  knows(...seen: readonly Life[]): void {
    for (const each of seen) this.checker.after(each);
  }
}

test("a map that names one life after the other is fine, also when one is left out or an old map is looked at again", () => {
  const world = new World();
  world.knows(life(1), life(1, 1), life(1, 2), life(3, 5, 3), life(2, 1, 1), life(3, 6, 3));
  expect(world.findings.all).toEqual([]);
});

test("a newer map that names an earlier life is found", () => {
  const world = new World();
  world.knows(life(1, 1), life(3, 2, 3), life(3, 3, 2));
  expect(world.findings.messages).toEqual(["the map never goes back to a former life of a node"]);
  expect(world.findings.all[0]?.details).toMatchObject({ boots: [boot(3), boot(2)], versions: [2, 3] });
});

test("the map of another cluster proves nothing", () => {
  const world = new World();
  world.knows(life(2, 2, 2), life(1, 3, 1, "00000000000000dd"));
  expect(world.findings.all).toEqual([]);
});
