/**
 * Hit ratios of the eviction policies against exact LRU (`lru-cache`), and what choosing costs.
 *
 *     npx vitest bench --run test/bench/hit-ratio.bench.ts
 *
 * prints the table of docs/decisions/0012-eviction.md. Equal in every run, except for the times.
 */
import { bench, describe } from "vitest";
import { type Cache, exactLru, hitRatio, PATTERNS, shardOf } from "../cache/access-patterns.ts";

const ACCESSES = 1_000_000;
const KEYS_MAX = [1_000, 10_000];

const CACHES: Readonly<Record<string, (keysMax: number) => Cache>> = {
  "exact LRU": exactLru,
  lru: (keysMax) => shardOf("lru", keysMax, 1),
  "lru, 100 at a time": (keysMax) => shardOf("lru", keysMax, 100),
  lfu: (keysMax) => shardOf("lfu", keysMax, 1),
  "lfu, 100 at a time": (keysMax) => shardOf("lfu", keysMax, 100),
};

describe("hit ratios", () => {
  bench(
    "all policies, all patterns",
    () => {
      const names = Object.keys(CACHES);
      const lines = KEYS_MAX.flatMap((keysMax) =>
        Object.entries(PATTERNS).map(([pattern, accesses]) => {
          const cells = names.map((name) => {
            const cache = CACHES[name]?.(keysMax) as Cache;
            return (100 * hitRatio(cache, accesses, ACCESSES)).toFixed(2);
          });
          return `| ${pattern} | ${keysMax.toLocaleString("en")} | ${cells.join(" | ")} |`;
        }),
      );
      const rule = names.map(() => "---:").join(" | ");
      console.log(
        [`| pattern | keys held | ${names.join(" | ")} |`, `| --- | ---: | ${rule} |`, ...lines].join("\n"),
      );
    },
    { iterations: 1, warmupIterations: 0, time: 0, warmupTime: 0 },
  );
});
