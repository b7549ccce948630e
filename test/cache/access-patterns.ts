/**
 * Ways in which keys are asked for, and what a cache of so many keys makes of them. For measuring hit ratios.
 */
import { LRUCache } from "lru-cache";
import { logIndex } from "../../src/base/ids.ts";
import { Random } from "../../src/base/random.ts";
import { CacheMachine } from "../../src/cache/cache-machine.ts";
import type { SessionCommand } from "../../src/cache/command.ts";
import { HeatMeter, USES_MAX } from "../../src/cache/heat.ts";
import { BOOT, NODE, outside, setCommand } from "./shard-driver.ts";

export type Pattern = (random: Random, accesses: number) => Generator<string, void>;

const KEYS = 100_000;
const RECENT_MAX = 8_000;

/** What web caches see: the key of rank r is asked for in proportion to r^-0.99. */
const zipf: Pattern = function* (random, accesses) {
  const rank = zipfRanks(random, KEYS, 0.99);
  for (let at = 0; at < accesses; at++) yield keyOf(rank());
};

/** The same, flatter, while now and then every other access walks once over keys that nobody asks for again. */
const scan: Pattern = function* (random, accesses) {
  const rank = zipfRanks(random, KEYS, 0.9);
  for (let at = 0; at < accesses; at++)
    yield at % 50_000 >= 35_000 && at % 2 === 1 ? `scan:${at}` : keyOf(rank());
};

/** What is popular changes all the time. */
const shifting: Pattern = function* (random, accesses) {
  const rank = zipfRanks(random, KEYS, 0.9);
  for (let at = 0; at < accesses; at++) yield keyOf(rank() + Math.floor(at / 100_000) * 500);
};

/** New keys, asked for again while they are young: what exact LRU is made for. */
const recency: Pattern = function* (random, accesses) {
  const recent: string[] = [];
  for (let at = 0; at < accesses; at++) {
    if (recent.length > 100 && random.nextFloat() < 0.4) {
      const back = Math.floor(random.nextFloat() * random.nextFloat() * recent.length);
      yield recent[(at + recent.length - 1 - back) % recent.length] ?? "first";
    } else {
      const key = `once:${random.nextBelow(300_000)}`;
      if (recent.length < RECENT_MAX) recent.push(key);
      else recent[at % RECENT_MAX] = key;
      yield key;
    }
  }
};

export const PATTERNS: Readonly<Record<string, Pattern>> = Object.freeze({ zipf, scan, shifting, recency });

/** Looks a key up, and stores it when it is not there. Whether it was. */
export type Cache = (key: string) => boolean;

/** The reference: a list in order of use. */
export function exactLru(keysMax: number): Cache {
  const cache = new LRUCache<string, number>({ max: keysMax });
  return (key) => {
    if (cache.get(key) !== undefined) return true;
    cache.set(key, 1);
    return false;
  };
}

/** One shard that its leader keeps at `keysMax` keys, removing when it is `slack` above. */
export function shardOf(policy: "lru" | "lfu", keysMax: number, slack: number): Cache {
  const machine = new CacheMachine({ changeHistoryMax: 1 }, new HeatMeter(USES_MAX[policy], null));
  let index = 1;
  let sequence = 0;
  machine.apply(logIndex(1), 0, [outside({ type: "open-session", node: NODE, boot: BOOT })]);
  const apply = (command: SessionCommand): void => void machine.apply(logIndex(++index), 0, [command]);
  return (key) => {
    if (machine.query({ type: "get", key }, null) !== null) return true;
    apply({ session: 1, sequence: ++sequence, lowWater: sequence, command: setCommand(key, "v") });
    const tooMany = machine.entryCount - keysMax;
    if (tooMany >= slack) {
      const items = machine.coldest({ bytes: 0, entries: tooMany }, 1_000);
      apply(outside({ type: "evict", reason: "memory", items }));
    }
    return false;
  };
}

/** Share of accesses that find their key. */
export function hitRatio(cache: Cache, pattern: Pattern, accesses: number): number {
  let hits = 0;
  for (const key of pattern(new Random(1, 2), accesses)) if (cache(key)) hits++;
  return hits / accesses;
}

/** Scattered, so that neighbours in rank are not neighbours in anything else. */
function keyOf(rank: number): string {
  return `k${Math.imul(rank, 2_654_435_761) >>> 0}`;
}

/** @see Gray et al., Quickly generating billion-record synthetic databases (1994) */
function zipfRanks(random: Random, count: number, theta: number): () => number {
  let sum = 0;
  for (let rank = 1; rank <= count; rank++) sum += rank ** -theta;
  const two = 1 + 0.5 ** theta;
  const eta = (1 - (2 / count) ** (1 - theta)) / (1 - two / sum);
  return () => {
    const draw = random.nextFloat();
    if (draw * sum < 1) return 0;
    if (draw * sum < two) return 1;
    return Math.floor(count * (eta * draw - eta + 1) ** (1 / (1 - theta)));
  };
}
