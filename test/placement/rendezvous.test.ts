import { describe, expect, it } from "vitest";
import { nodeId } from "../../src/base/ids.ts";
import { nodeSeed, rendezvousScore } from "../../src/placement/rendezvous.ts";

const seeds = Array.from({ length: 10 }, (_, at) =>
  nodeSeed(nodeId((at + 1).toString(16).padStart(16, "0"))),
);

function winner(shard: number, weights: readonly number[]): number {
  const scores = weights.map((weight, at) => rendezvousScore(seeds[at] ?? 0, shard, weight));
  return scores.indexOf(Math.max(...scores));
}

describe("rendezvous hashing", () => {
  it("lets nodes win in proportion to their weights", () => {
    const weights = [1, 1, 2, 4];
    const wins = [0, 0, 0, 0];
    for (let shard = 0; shard < 8_000; shard++) {
      const at = winner(shard, weights);
      wins[at] = (wins[at] ?? 0) + 1;
    }
    for (const [at, weight] of weights.entries()) {
      expect(wins[at]).toBeGreaterThan(weight * 900);
      expect(wins[at]).toBeLessThan(weight * 1_100);
    }
  });

  it("takes from the others only what a new node wins", () => {
    for (let shard = 0; shard < 1_000; shard++) {
      const before = winner(shard, [1, 1, 1, 1]);
      const after = winner(shard, [1, 1, 1, 1, 1]);
      expect([before, 4]).toContain(after);
    }
  });

  it("draws the same on every machine", () => {
    expect(seeds.slice(0, 3).map((seed) => rendezvousScore(seed, 7, 1.5))).toMatchInlineSnapshot(`
      [
        209293,
        313905,
        1238075,
      ]
    `);
  });
});
