import { describe, expect, it } from "vitest";
import { logIndex } from "../../src/base/ids.ts";
import { CacheMachine } from "../../src/cache/cache-machine.ts";
import { HeatMeter, USES_MAX } from "../../src/cache/heat.ts";
import { ENTRY_OVERHEAD_BYTES, EXPIRY_OVERHEAD_BYTES, entryBytes } from "../../src/cache/memory-cost.ts";
import { BOOT, NODE, outside, setCommand } from "./shard-driver.ts";

/** A shard whose leader counts use, and a clock to count by. */
class Leader {
  nowMs = 1_000_000;
  readonly machine: CacheMachine;
  #index = 1;
  #sequence = 0;

  constructor(policy: keyof typeof USES_MAX = "lru") {
    this.machine = new CacheMachine({}, new HeatMeter(USES_MAX[policy], () => this.nowMs));
    this.machine.apply(logIndex(1), 0, [outside({ type: "open-session", node: NODE, boot: BOOT })]);
  }

  set(key: string, value = "v", ttlMs = 0): void {
    const sequence = ++this.#sequence;
    const command = setCommand(key, value, { ttlMs });
    this.machine.apply(logIndex(++this.#index), 1, [{ session: 1, sequence, lowWater: sequence, command }]);
  }

  get(...keys: string[]): void {
    for (const key of keys) this.machine.query({ type: "get", key }, null);
  }

  /** Chooses and commits the removal; answers the keys that went. */
  evict(entries: number): string[] {
    const items = this.machine.coldest({ bytes: 0, entries }, 1_000);
    this.machine.apply(logIndex(++this.#index), 1, [outside({ type: "evict", reason: "memory", items })]);
    return items.map(({ key }) => key);
  }
}

function filled(count: number, policy?: keyof typeof USES_MAX): Leader {
  const leader = new Leader(policy);
  for (let at = 0; at < count; at++) leader.set(`key:${at}`);
  return leader;
}

describe("the choice of victims", () => {
  it("passes over keys that were read since the hand came by, and takes the others in order of age", () => {
    const leader = filled(6);
    leader.get("key:0", "key:2");
    expect(leader.evict(3)).toEqual(["key:1", "key:3", "key:4"]);
  });

  it("counts a write as a use, and what another replica has read", () => {
    const leader = filled(4);
    leader.set("key:0", "again");
    leader.machine.noteUse("key:1");
    leader.machine.noteUse("absent");
    expect(leader.evict(2)).toEqual(["key:2", "key:3"]);
  });

  it("takes a key that was used only before the last lap of the hand", () => {
    const leader = filled(3);
    leader.get("key:0");
    expect(leader.evict(2)).toEqual(["key:1", "key:2"]);
    leader.set("new");
    expect(leader.evict(1)).toEqual(["key:0"]);
  });

  it("does not run along with the newest keys: a lap ends where it began", () => {
    const leader = filled(10);
    expect(leader.evict(1)).toEqual(["key:0"]);
    leader.get(...Array.from({ length: 9 }, (_, at) => `key:${at + 1}`));
    // All old keys were used: the hand passes them, and goes back to them before it comes to any of these.
    for (let at = 0; at < 5; at++) leader.set(`new:${at}`);
    expect(leader.evict(1)).toEqual(["key:1"]);
  });

  it("fades at followers as the leader's hand goes round, so that a new leader knows what was used lately", () => {
    const follower = filled(40);
    for (let at = 0; at < 40; at++) follower.set(`key:${at}`, "again");
    // Twenty victims chosen elsewhere: the hand there has been round about once.
    const gone = Array.from({ length: 20 }, (_, at) => ({ key: `gone:${at}`, version: 1 }));
    follower.machine.apply(logIndex(1_000), 1, [outside({ type: "evict", reason: "memory", items: gone })]);
    follower.machine.noteUse("key:0");
    expect(follower.machine.coldest({ bytes: 0, entries: 3 }, 3).map(({ key }) => key)).toEqual([
      "key:1",
      "key:2",
      "key:3",
    ]);
    // Without that all forty would count as used, and the first in line would go.
    const unmoved = filled(40);
    for (let at = 0; at < 40; at++) unmoved.set(`key:${at}`, "again");
    expect(unmoved.machine.coldest({ bytes: 0, entries: 1 }, 1)).toMatchObject([{ key: "key:0" }]);
  });

  it("under lfu prefers what was used once to what was used often, for as many laps as it was", () => {
    const leader = filled(4, "lfu");
    for (let round = 0; round < 3; round++) leader.get("key:0");
    leader.get("key:1");
    expect(leader.evict(2)).toEqual(["key:2", "key:3"]);
    expect(leader.evict(1)).toEqual(["key:1"]);
  });

  it("finds one also when every key is in use, in a bounded number of steps", () => {
    const leader = filled(10_000);
    for (let at = 0; at < 10_000; at++) leader.get(`key:${at}`);
    const began = performance.now();
    expect(leader.evict(1)).toHaveLength(1);
    expect(performance.now() - began).toBeLessThan(50);
    // Each victim costs 32 steps at most, so the hand cannot have looked at all keys.
    expect(leader.evict(200)).toHaveLength(200);
  });

  it("names no key twice, and stops when there is none left", () => {
    const leader = filled(50);
    const items = leader.machine.coldest({ bytes: 0, entries: 1_000 }, 1_000);
    expect(new Set(items.map(({ key }) => key)).size).toBe(50);
    expect(new Leader().machine.coldest({ bytes: 1, entries: 1 }, 10)).toEqual([]);
  });

  it("frees the bytes that are wanted, as they are accounted, and not many more", () => {
    const leader = filled(100);
    const before = leader.machine.accountedBytes;
    const items = leader.machine.coldest({ bytes: 1_000, entries: 0 }, 1_000);
    leader.machine.apply(logIndex(1_000), 1, [outside({ type: "evict", reason: "memory", items })]);
    const freed = before - leader.machine.accountedBytes;
    expect(freed).toBeGreaterThanOrEqual(1_000);
    expect(freed).toBeLessThan(1_000 + ENTRY_OVERHEAD_BYTES + 10);
  });

  it("names at most as many keys as it is told, and as many bytes of keys as fit an entry well", () => {
    const leader = filled(100);
    expect(leader.machine.coldest({ bytes: 0, entries: 100 }, 7)).toHaveLength(7);
    const long = new Leader();
    for (let at = 0; at < 20; at++) long.set(String(at).padEnd(60_000, "."));
    expect(long.machine.coldest({ bytes: 0, entries: 20 }, 1_000)).toHaveLength(5);
  });

  it("goes on with the keys of another keyspace after all were cleared", () => {
    const leader = filled(10);
    leader.evict(2);
    leader.machine.apply(logIndex(100), 1, [
      { session: 1, sequence: 100, lowWater: 100, command: { type: "clear" } },
    ]);
    const command = setCommand("new", "1");
    leader.machine.apply(logIndex(101), 1, [{ session: 1, sequence: 101, lowWater: 101, command }]);
    expect(leader.machine.coldest({ bytes: 0, entries: 5 }, 10)).toEqual([{ key: "new", version: 14 }]);
  });
});

describe("idle keys", () => {
  it("are those without any use for the whole time, and never earlier", () => {
    const leader = filled(3);
    leader.nowMs += 900;
    leader.get("key:1");
    leader.nowMs += 150;
    const idle = () => leader.machine.idle(1_000, 100, 100).map(({ key }) => key);
    expect(idle()).toEqual([]);
    leader.nowMs += 100;
    expect(idle()).toEqual(["key:0", "key:2"]);
    leader.nowMs += 1_000;
    expect(idle()).toEqual(["key:0", "key:1", "key:2"]);
  });

  it.each([0, 37, 99, 100])("are not removed early wherever in a tick they were used (%i ms)", (offsetMs) => {
    const leader = new Leader();
    leader.nowMs += offsetMs;
    leader.set("key");
    const usedAtMs = leader.nowMs;
    while (leader.machine.idle(1_000, 10, 10).length === 0) leader.nowMs += 1;
    expect(leader.nowMs - usedAtMs).toBeGreaterThanOrEqual(1_000);
    expect(leader.nowMs - usedAtMs).toBeLessThanOrEqual(1_200);
  });

  it("are come by a few at a time, all of them in the end", () => {
    const leader = filled(100);
    leader.nowMs += 5_000;
    const found = new Set<string>();
    for (let call = 0; call < 10; call++)
      for (const { key } of leader.machine.idle(1_000, 10, 100)) found.add(key);
    expect(found.size).toBe(100);
  });

  it("survive the turn of the counter of ticks: disuse is not forgotten nor made up", () => {
    const leader = new Leader();
    leader.nowMs = 2 ** 28 * 100 - 250;
    leader.set("key");
    leader.nowMs += 500;
    expect(leader.machine.idle(1_000, 10, 10)).toEqual([]);
    leader.nowMs += 1_000;
    expect(leader.machine.idle(1_000, 10, 10)).toHaveLength(1);
  });

  it("are none where nobody counts use", () => {
    const machine = new CacheMachine();
    expect(machine.idle(1_000, 10, 10)).toEqual([]);
  });
});

describe("what a command would add", () => {
  const leader = new Leader();
  leader.set("key", "12345");
  leader.set("n", "1");
  const whole = (key: string, value: string) => entryBytes(key, value, false);

  it.each([
    [setCommand("new", "1234"), { bytes: whole("new", "1234"), entries: 1 }],
    [setCommand("new", "1", { ttlMs: 5 }), { bytes: entryBytes("new", "1", true), entries: 1 }],
    [setCommand("key", "1234567"), { bytes: 2, entries: 0 }],
    [setCommand("key", ""), { bytes: -5, entries: 0 }],
    [
      {
        type: "set-many",
        pairs: [
          ["key", "123456"],
          ["x", ""],
        ],
        onlyIfAllAbsent: false,
      },
      { bytes: 1 + whole("x", ""), entries: 1 },
    ],
    [
      { type: "append", key: "key", value: "67" },
      { bytes: 2, entries: 0 },
    ],
    [
      { type: "set-range", key: "key", offset: 1, value: "ab" },
      { bytes: 0, entries: 0 },
    ],
    [
      { type: "set-range", key: "key", offset: 8, value: "ab" },
      { bytes: 5, entries: 0 },
    ],
    [
      { type: "increment", key: "n", by: 1 },
      { bytes: 0, entries: 0 },
    ],
    [
      { type: "increment", key: "m", by: 1 },
      { bytes: 24 + whole("m", ""), entries: 1 },
    ],
    [
      { type: "delete", keys: ["key"] },
      { bytes: 0, entries: 0 },
    ],
    [
      { type: "expire", key: "key", ttlMs: 5, condition: "always" },
      { bytes: 0, entries: 0 },
    ],
  ] as const)("%o", (command, growth) => {
    expect(leader.machine.growthOf(command)).toEqual(growth);
  });

  it("is what accounting finds afterwards", () => {
    const other = new Leader();
    const before = other.machine.accountedBytes;
    const command = setCommand("a key", "a value", { ttlMs: 50 });
    const { bytes } = other.machine.growthOf(command);
    other.set("a key", "a value", 50);
    expect(other.machine.accountedBytes - before).toBe(bytes);
    expect(bytes).toBe(5 + 7 + ENTRY_OVERHEAD_BYTES + EXPIRY_OVERHEAD_BYTES);
  });
});
