/**
 * Foundings under thousands of random schedules. Each is one number, which a failure names.
 */
import { describe, expect, it } from "vitest";
import { FoundingWorld } from "./founding-world.ts";

/** Seed list length, and how many times a hundred schedules it gets: a world of nine costs as much as twenty of three. */
const SIZES: readonly (readonly [size: number, hundreds: number])[] = [
  [1, 1],
  [3, 10],
  [5, 4],
  [9, 1],
];

const everybodyIn = (world: FoundingWorld) => (): boolean =>
  world.living.every(({ clusterId }) => clusterId !== null);

/** A lossy world of `size` slots, all drawn from `seed`. */
function lossyWorld(size: number, seed: number): FoundingWorld {
  const delayMaxMs = [2, 20, 150][seed % 3] ?? 2;
  return new FoundingWorld(size, { seed, lossRate: (seed % 4) * 0.1, delayMinMs: 1, delayMaxMs });
}

/** Starts the slots in random order within `withinMs`. */
function startAll(world: FoundingWorld, slots: readonly number[], withinMs: number): void {
  for (const slot of world.random.shuffle([...slots])) {
    world.after(world.random.nextBelow(withinMs + 1), () => world.start(slot));
  }
  world.runFor(withinMs);
}

describe.each(SIZES)("%i seeds", (size, hundreds) => {
  const slots = Array.from({ length: size }, (_, slot) => slot);
  const majority = Math.floor(size / 2) + 1;

  it("end in exactly one cluster, whatever is lost, late or out of order", () => {
    for (let seed = 0; seed < 100 * hundreds; seed++) {
      const world = lossyWorld(size, seed);
      startAll(world, slots, [0, 50, 1_000, 8_000][seed % 4] ?? 0);
      expect(world.runUntil(everybodyIn(world), 120_000), `schedule ${seed} ends`).toBe(true);
      expect(world.founded.size, `schedule ${seed}`).toBe(1);
      expect(world.clusterIds.size, `schedule ${seed}`).toBe(1);
      const [value] = world.founded.values();
      expect(value?.voters.length, `schedule ${seed}`).toBeGreaterThanOrEqual(majority);
    }
  });

  it("end in exactly one cluster although a minority dies at any moment", () => {
    for (let seed = 0; seed < 50 * hundreds; seed++) {
      const world = lossyWorld(size, seed);
      const dying = world.random.shuffle([...slots]).slice(0, size - majority);
      for (const slot of dying) {
        world.after(300 + world.random.nextBelow(seed % 2 === 0 ? 100 : 1_500), () => world.crash(slot));
      }
      startAll(world, slots, 300);
      world.runFor(1_500);
      expect(world.runUntil(everybodyIn(world), 120_000), `schedule ${seed} ends`).toBe(true);
      expect(world.founded.size, `schedule ${seed}`).toBe(1);
    }
  });

  it("never have two clusters although a minority restarts without memory at any moment", () => {
    for (let seed = 0; seed < 50 * hundreds; seed++) {
      const world = lossyWorld(size, seed);
      const restarting = world.random.shuffle([...slots]).slice(0, size - majority);
      for (const slot of restarting) {
        const diesAtMs = 200 + world.random.nextBelow(1_500);
        world.after(diesAtMs, () => world.crash(slot));
        world.after(diesAtMs + world.random.nextBelow(3_000), () => world.start(slot));
      }
      startAll(world, slots, 200);
      world.runFor(4_700);
      world.heal();
      world.runFor(60_000);
      expect(world.founded.size, `schedule ${seed}`).toBeLessThanOrEqual(1);
      expect(world.clusterIds.size, `schedule ${seed}`).toBeLessThanOrEqual(1);
    }
  });

  it.runIf(size > 1)("found nothing in a minority, and one cluster when it is healed", () => {
    for (let seed = 0; seed < 20 * hundreds; seed++) {
      const world = lossyWorld(size, seed);
      const minority = world.random.shuffle([...slots]).slice(0, size - majority);
      const others = slots.filter((slot) => !minority.includes(slot));
      world.cut(minority, others);
      startAll(world, slots, 1_000);
      world.runFor(60_000);
      for (const process of world.living) {
        if (minority.includes(process.slot)) expect(process.clusterId, `schedule ${seed}`).toBeNull();
      }
      world.heal();
      expect(world.runUntil(everybodyIn(world), 60_000), `schedule ${seed} ends`).toBe(true);
      expect(world.founded.size, `schedule ${seed}`).toBe(1);
    }
  });

  it.runIf(size > 1)("found nothing while any of them answers with a cluster id", () => {
    for (let seed = 0; seed < 20 * hundreds; seed++) {
      const world = lossyWorld(size, seed);
      const old = world.start(0, { bootstrap: "force" });
      startAll(world, slots.slice(1), 3_000);
      expect(world.runUntil(everybodyIn(world), 120_000), `schedule ${seed} ends`).toBe(true);
      expect(world.clusterIds, `schedule ${seed}`).toEqual(new Set([old.clusterId]));
    }
  });
});
