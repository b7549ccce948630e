/**
 * Choosing is worth its name: what stays in a shard at its limit is what exact LRU would have kept, or better.
 */
import { describe, expect, it } from "vitest";
import { exactLru, hitRatio, PATTERNS, type Pattern, shardOf } from "./access-patterns.ts";

const ACCESSES = 150_000;
const KEYS_MAX = 2_000;
/** Points of a hundred that a policy may be worse than exact LRU: on young keys it is a little, elsewhere it is not. */
const ALLOWANCE: Readonly<Record<string, number>> = { recency: 0.75 };

describe.each(["lru", "lfu"] as const)("the policy %s", (policy) => {
  it.each(Object.keys(PATTERNS))("finds as many keys as exact LRU under the pattern %s", (name) => {
    const pattern = PATTERNS[name] as Pattern;
    const exact = 100 * hitRatio(exactLru(KEYS_MAX), pattern, ACCESSES);
    for (const slack of [1, 100]) {
      const ours = 100 * hitRatio(shardOf(policy, KEYS_MAX, slack), pattern, ACCESSES);
      expect(ours).toBeGreaterThan(exact - (ALLOWANCE[name] ?? 0));
    }
  });
});
