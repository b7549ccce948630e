import { describe, expect, it } from "vitest";
import { ENTRY_OVERHEAD_BYTES, EXPIRY_OVERHEAD_BYTES } from "../../src/cache/memory-cost.ts";
import { ShardDriver } from "./shard-driver.ts";

function filled(): ShardDriver {
  const shard = new ShardDriver();
  shard.set("text", "This is a string");
  shard.set("short", "abc", { ttlMs: 500 });
  return shard;
}

describe("queries", () => {
  it("answer value, version and time to live", () => {
    const { machine } = filled();
    expect(machine.query({ type: "get", key: "text" }, null)).toBe("This is a string");
    expect(machine.query({ type: "get", key: "none" }, null)).toBeNull();
    expect(machine.query({ type: "get-versioned", key: "text" }, null)).toEqual(["This is a string", 1, -1]);
    expect(machine.query({ type: "get-versioned", key: "short" }, 1_100)).toEqual(["abc", 2, 400]);
    expect(machine.query({ type: "get-versioned", key: "none" }, null)).toBeNull();
    expect(machine.query({ type: "ttl", key: "text" }, null)).toBe(-1);
    expect(machine.query({ type: "ttl", key: "short" }, 1_200)).toBe(300);
    expect(machine.query({ type: "ttl", key: "short" }, 5)).toBe(500);
    expect(machine.query({ type: "ttl", key: "none" }, null)).toBe(-2);
  });

  it("answer several keys in their order, each mention counted", () => {
    const { machine } = filled();
    const keys = ["short", "none", "text", "short"];
    expect(machine.query({ type: "get-many", keys }, null)).toEqual(["abc", null, "This is a string", "abc"]);
    expect(machine.query({ type: "exists", keys }, null)).toBe(3);
    expect(machine.query({ type: "exists", keys: [] }, null)).toBe(0);
  });

  it("answer length and type", () => {
    const { machine } = filled();
    expect(machine.query({ type: "length", key: "short" }, null)).toBe(3);
    expect(machine.query({ type: "length", key: "none" }, null)).toBe(0);
    expect(machine.query({ type: "type-of", key: "short" }, null)).toBe("string");
    expect(machine.query({ type: "type-of", key: "none" }, null)).toBe("none");
  });

  it.each([
    [0, 3, "This"],
    [-3, -1, "ing"],
    [0, -1, "This is a string"],
    [10, 100, "string"],
    [5, 3, ""],
    [-1, -5, ""],
    [-100, 3, "This"],
    [-100, -90, "T"],
    [16, 20, ""],
    [0, -100, "T"],
    [3, 3, "s"],
  ])("answer bytes %i to %i as GETRANGE does", (first, last, expected) => {
    expect(filled().machine.query({ type: "get-range", key: "text", first, last }, null)).toBe(expected);
  });

  it("answer an empty range of an absent or empty value", () => {
    const shard = filled();
    shard.set("empty", "");
    for (const key of ["none", "empty"]) {
      expect(shard.machine.query({ type: "get-range", key, first: 0, last: -1 }, null)).toBe("");
    }
  });

  it("answer keys by pattern, up to a limit", () => {
    const shard = filled();
    const keys = (pattern: string, limit: number) =>
      shard.machine.query({ type: "keys", pattern, limit }, null);
    expect(keys("*", 10)).toEqual(["text", "short"]);
    expect(keys("*", 1)).toEqual(["text"]);
    expect(keys("s*", 10)).toEqual(["short"]);
    expect(keys("*", 0)).toEqual([]);
  });

  it("answer statistics of the shard", () => {
    const shard = filled();
    expect(shard.machine.query({ type: "stats" }, null)).toEqual([
      2,
      9 + 19,
      2,
      1,
      9 + 19 + 2 * ENTRY_OVERHEAD_BYTES + EXPIRY_OVERHEAD_BYTES,
    ]);
    expect([shard.machine.entryCount, shard.machine.keyBytes, shard.machine.valueBytes]).toEqual([2, 9, 19]);
  });

  it("count hits and misses of named keys", () => {
    const { machine } = filled();
    machine.query({ type: "get", key: "text" }, null);
    machine.query({ type: "get", key: "none" }, null);
    machine.query({ type: "get-many", keys: ["text", "none", "short"] }, null);
    machine.query({ type: "get", key: "short" }, 9_999);
    expect(machine.statistics).toMatchObject({ hits: 3, misses: 2 });
  });
});

describe("random-key", () => {
  const draw = (shard: ShardDriver, pick: number) => shard.machine.query({ type: "random-key", pick }, null);

  it("draws each key of a small shard equally often", () => {
    const shard = filled();
    expect([0, 1, 2, 3].map((pick) => draw(shard, pick))).toEqual(["text", "short", "text", "short"]);
    expect(draw(new ShardDriver(), 5)).toBeNull();
  });

  it("draws no key whose time is over", () => {
    const shard = filled();
    shard.nowMs += 500;
    shard.set("text", "1");
    expect([0, 1, 2, 3].map((pick) => draw(shard, pick))).toEqual(["text", "text", "text", "text"]);
    shard.run({ type: "delete", keys: ["text"] });
    expect(draw(shard, 1)).toBeNull();
  });

  it("wanders over all of a large shard", () => {
    const shard = new ShardDriver();
    for (let key = 0; key < 5_000; key++) shard.set(`key-${key}`, "1");
    const drawn = new Set<unknown>();
    let pick = 12_345;
    for (let turn = 0; turn < 2_000; turn++) {
      pick = (pick * 1_103_515_245 + 12_345) % 2_147_483_648;
      drawn.add(draw(shard, pick));
    }
    expect(drawn.has(null)).toBe(false);
    expect(drawn.size).toBeGreaterThan(1_200);
  });
});
