/**
 * One name for a whole fleet (a headless service, a record that machines add themselves to) shows whom it knows so far,
 * and not the same to everybody. What the manifests of `examples/` rely on, under the worst that such a name can do.
 */
import { describe, expect, it } from "vitest";
import { addressOf, FoundingWorld, type Process } from "./founding-world.ts";

const FLEET = { host: "crema-peers.example", port: 7946 };

const everybodyIn = (world: FoundingWorld) => (): boolean =>
  world.living.every(({ clusterId }) => clusterId !== null);

/** `process` finds the machines of `slots` behind the name. */
function shows(world: FoundingWorld, process: Process, slots: readonly number[]): void {
  process.founding.seedsResolved(FLEET, slots.map(addressOf), world.nowMs);
  world.drive(process);
}

describe("a name that shows every node only itself at first", () => {
  it("makes each of them found alone: it looks like a list of one", () => {
    const world = new FoundingWorld(2, { seed: 1 });
    for (const slot of [0, 1]) shows(world, world.start(slot, { seeds: [FLEET] }), [slot]);
    expect(world.runUntil(everybodyIn(world), 1_500)).toBe(true);
    expect(world.founded.size).toBe(2);
  });

  it("founds nothing below the number that is expected, and one cluster once the name is whole", () => {
    const world = new FoundingWorld(3, { seed: 2 });
    for (const slot of [0, 1, 2]) {
      shows(world, world.start(slot, { seeds: [FLEET], bootstrapExpect: 3 }), [slot]);
    }
    world.runFor(600_000);
    expect(world.founded.size).toBe(0);
    for (const process of world.living) shows(world, process, [0, 1, 2]);
    expect(world.runUntil(everybodyIn(world), 5_000)).toBe(true);
    expect(world.founded.size).toBe(1);
  });
});

describe("a name that shows everybody another part of the fleet", () => {
  it.each([3, 5])(
    "makes one cluster of %i nodes that all expect each other, whatever it shows when",
    (size) => {
      for (let seed = 0; seed < 300; seed++) {
        const world = new FoundingWorld(size, { seed, lossRate: (seed % 4) * 0.1, delayMaxMs: 20 });
        const slots = Array.from({ length: size }, (_, slot) => slot);
        for (const slot of slots) {
          world.after(world.random.nextBelow(5_000), () => {
            const process = world.start(slot, { seeds: [FLEET], bootstrapExpect: size });
            const look = (): void => {
              const isWhole = world.nowMs > 60_000;
              const shown = slots.filter(
                (other) => other === slot || isWhole || world.random.nextBelow(2) === 0,
              );
              shows(world, process, shown);
              world.after(2_000, look);
            };
            look();
          });
        }
        world.runFor(5_000);
        expect(world.runUntil(everybodyIn(world), 180_000), `schedule ${seed} ends`).toBe(true);
        expect(world.founded.size, `schedule ${seed}`).toBe(1);
      }
    },
  );

  it("lets two halves of four found apart when they expect no more than a half", () => {
    const world = new FoundingWorld(4, { seed: 3 });
    for (const slot of [0, 1, 2, 3]) {
      const half = slot < 2 ? [0, 1] : [2, 3];
      shows(world, world.start(slot, { seeds: [FLEET], bootstrapExpect: 2 }), half);
    }
    expect(world.runUntil(everybodyIn(world), 5_000)).toBe(true);
    expect(world.founded.size).toBe(2);
  });
});

describe("one name for each node", () => {
  it("makes one cluster although each of them finds only its own name at first", () => {
    const names = ["node-1.example", "node-2.example", "node-3.example"].map((host) => ({
      host,
      port: 7946,
    }));
    const world = new FoundingWorld(3, { seed: 4 });
    for (const slot of [0, 1, 2]) {
      const process = world.start(slot, { seeds: names });
      for (const [at, name] of names.entries()) {
        process.founding.seedsResolved(name, at === slot ? [addressOf(slot)] : [], world.nowMs);
      }
      world.drive(process);
    }
    expect(world.runUntil(everybodyIn(world), 5_000)).toBe(true);
    expect(world.founded.size).toBe(1);
  });
});
