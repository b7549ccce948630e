import { describe, expect, it } from "vitest";
import { VALUE_BYTES_MAX } from "../../src/base/limits.ts";
import { faultOf, ShardDriver } from "./shard-driver.ts";

describe("set", () => {
  it("answers the new version, which is the revision of the change", () => {
    const shard = new ShardDriver();
    expect(shard.set("a", "1")).toBe(1);
    expect(shard.set("b", "1")).toBe(2);
    expect(shard.set("a", "2")).toBe(3);
    expect(shard.get("a")).toBe("2");
  });

  it("removes the old expiry on a plain overwrite", () => {
    const shard = new ShardDriver();
    shard.set("key", "1", { ttlMs: 50 });
    expect(shard.ttl("key")).toBe(50);
    shard.set("key", "2");
    expect(shard.ttl("key")).toBe(-1);
  });

  it("keeps the expiry of an existing key when told to", () => {
    const shard = new ShardDriver();
    shard.set("key", "1", { ttlMs: 50 });
    shard.nowMs += 10;
    shard.set("key", "2", { ttlMs: -1 });
    expect(shard.ttl("key")).toBe(40);
    shard.set("new", "1", { ttlMs: -1 });
    expect(shard.ttl("new")).toBe(-1);
  });

  it.each([
    ["if-absent", "absent", true],
    ["if-absent", "present", false],
    ["if-present", "absent", false],
    ["if-present", "present", true],
  ] as const)("%s on a key that is %s: stored %s", (condition, state, stored) => {
    const shard = new ShardDriver();
    if (state === "present") shard.set("key", "old");
    const reply = shard.set("key", "new", { condition });
    if (stored) expect(reply).toBe(shard.machine.revision);
    else expect(reply).toBeNull();
    expect(shard.get("key")).toBe(stored ? "new" : state === "present" ? "old" : null);
  });

  it("compares versions: 0 means absent", () => {
    const shard = new ShardDriver();
    expect(shard.set("key", "1", { condition: "if-version", expectedVersion: 1 })).toBeNull();
    const version = shard.set("key", "1", { condition: "if-version", expectedVersion: 0 });
    expect(shard.set("key", "2", { condition: "if-version", expectedVersion: 0 })).toBeNull();
    expect(shard.set("key", "2", { condition: "if-version", expectedVersion: 99 })).toBeNull();
    expect(shard.set("key", "2", { condition: "if-version", expectedVersion: version as number })).toBe(2);
    expect(shard.get("key")).toBe("2");
  });

  it("gives a key that was deleted and made again another version", () => {
    const shard = new ShardDriver();
    const version = shard.set("key", "1") as number;
    shard.run({ type: "delete", keys: ["key"] });
    shard.set("key", "1");
    expect(shard.set("key", "2", { condition: "if-version", expectedVersion: version })).toBeNull();
  });

  it("answers the old value beside the version when asked, stored or not", () => {
    const shard = new ShardDriver();
    expect(shard.set("key", "1", { returnOld: true })).toEqual([1, null]);
    expect(shard.set("key", "2", { returnOld: true })).toEqual([2, "1"]);
    expect(shard.set("key", "3", { returnOld: true, condition: "if-absent" })).toEqual([null, "2"]);
  });

  it("refuses a value above the limit", () => {
    const shard = new ShardDriver();
    expect(faultOf(shard.set("key", "x".repeat(VALUE_BYTES_MAX + 1)))).toBe("value-too-large");
    expect(shard.set("key", "x".repeat(VALUE_BYTES_MAX))).toBe(1);
  });

  it("refuses a key beyond the shard's limit and still overwrites", () => {
    const shard = new ShardDriver({ keysMax: 2 });
    shard.set("a", "1");
    shard.set("b", "1");
    expect(faultOf(shard.set("c", "1"))).toBe("shard-full");
    expect(shard.set("a", "2")).toBe(3);
    expect(faultOf(shard.run({ type: "increment", key: "c", by: 1 }))).toBe("shard-full");
    expect(faultOf(shard.run({ type: "increment-float", key: "c", by: 1 }))).toBe("shard-full");
    expect(faultOf(shard.run({ type: "append", key: "c", value: "1" }))).toBe("shard-full");
    expect(faultOf(shard.run({ type: "set-range", key: "c", offset: 0, value: "1" }))).toBe("shard-full");
    const pairs = [["a", "3"] as const, ["c", "3"] as const];
    expect(faultOf(shard.run({ type: "set-many", pairs, onlyIfAllAbsent: false }))).toBe("shard-full");
    expect(shard.get("a")).toBe("2");
    expect(shard.run({ type: "rename", from: "a", to: "c", onlyIfAbsent: false })).toBe(1);
  });
});

describe("set-many", () => {
  it("stores all pairs, the last of equal keys winning, and clears their expiries", () => {
    const shard = new ShardDriver();
    shard.set("a", "0", { ttlMs: 50 });
    const pairs = [["a", "1"] as const, ["b", "1"] as const, ["a", "2"] as const];
    expect(shard.run({ type: "set-many", pairs, onlyIfAllAbsent: false })).toBe(1);
    expect([shard.get("a"), shard.get("b"), shard.ttl("a")]).toEqual(["2", "1", -1]);
  });

  it("stores nothing when one key exists and all must be absent", () => {
    const shard = new ShardDriver();
    shard.set("b", "old");
    const pairs = [["a", "1"] as const, ["b", "1"] as const];
    expect(shard.run({ type: "set-many", pairs, onlyIfAllAbsent: true })).toBe(0);
    expect([shard.get("a"), shard.get("b")]).toEqual([null, "old"]);
  });

  it("counts an expired key as absent", () => {
    const shard = new ShardDriver();
    shard.set("a", "old", { ttlMs: 10 });
    shard.nowMs += 10;
    expect(shard.run({ type: "set-many", pairs: [["a", "1"]], onlyIfAllAbsent: true })).toBe(1);
  });
});

describe("get-delete and get-expire", () => {
  it("read what they remove", () => {
    const shard = new ShardDriver();
    shard.set("key", "value");
    expect(shard.run({ type: "get-delete", key: "key" })).toBe("value");
    expect(shard.run({ type: "get-delete", key: "key" })).toBeNull();
  });

  it("read and set, remove or leave the expiry", () => {
    const shard = new ShardDriver();
    expect(shard.run({ type: "get-expire", key: "key", ttlMs: 10 })).toBeNull();
    shard.set("key", "value");
    expect(shard.run({ type: "get-expire", key: "key", ttlMs: 70 })).toBe("value");
    expect(shard.ttl("key")).toBe(70);
    shard.run({ type: "get-expire", key: "key", ttlMs: -1 });
    expect(shard.ttl("key")).toBe(70);
    shard.run({ type: "get-expire", key: "key", ttlMs: 0 });
    expect(shard.ttl("key")).toBe(-1);
  });
});

describe("append", () => {
  it("answers the new length, makes absent keys and keeps the expiry", () => {
    const shard = new ShardDriver();
    expect(shard.run({ type: "append", key: "key", value: "Hello" })).toBe(5);
    shard.run({ type: "expire", key: "key", ttlMs: 99, condition: "always" });
    expect(shard.run({ type: "append", key: "key", value: " World" })).toBe(11);
    expect([shard.get("key"), shard.ttl("key")]).toEqual(["Hello World", 99]);
  });

  it("refuses a sum above the limit and changes nothing", () => {
    const shard = new ShardDriver();
    shard.set("key", "x".repeat(VALUE_BYTES_MAX - 1));
    expect(faultOf(shard.run({ type: "append", key: "key", value: "xx" }))).toBe("value-too-large");
    expect(shard.run({ type: "append", key: "key", value: "x" })).toBe(VALUE_BYTES_MAX);
  });

  it("keeps the sum of value bytes", () => {
    const shard = new ShardDriver();
    for (let round = 0; round < 100; round++) shard.run({ type: "append", key: "key", value: "0123456789" });
    expect(shard.machine.valueBytes).toBe(1_000);
    expect(shard.get("key")).toBe("0123456789".repeat(100));
  });
});

describe("set-range", () => {
  it.each([
    ["within the value", "Hello World", 6, "Redis", "Hello Redis"],
    ["beyond its end", "Hello", 3, "p me", "Help me"],
    ["behind a gap, filled with zero bytes", "ab", 4, "x", "ab\0\0x"],
    ["at the start", "abc", 0, "X", "Xbc"],
    ["exactly behind", "abc", 3, "d", "abcd"],
  ])("overwrites %s", (_, old, offset, value, expected) => {
    const shard = new ShardDriver();
    shard.set("key", old, { ttlMs: 9 });
    expect(shard.run({ type: "set-range", key: "key", offset, value })).toBe(expected.length);
    expect([shard.get("key"), shard.ttl("key")]).toEqual([expected, 9]);
  });

  it("makes an absent key, but not of nothing", () => {
    const shard = new ShardDriver();
    expect(shard.run({ type: "set-range", key: "key", offset: 9, value: "" })).toBe(0);
    expect(shard.machine.entryCount).toBe(0);
    expect(shard.run({ type: "set-range", key: "key", offset: 2, value: "x" })).toBe(3);
    expect(shard.get("key")).toBe("\0\0x");
  });

  it("refuses to reach beyond the limit", () => {
    const shard = new ShardDriver();
    const reply = shard.run({ type: "set-range", key: "key", offset: VALUE_BYTES_MAX, value: "x" });
    expect(faultOf(reply)).toBe("value-too-large");
    expect(shard.run({ type: "set-range", key: "key", offset: VALUE_BYTES_MAX - 1, value: "x" })).toBe(
      VALUE_BYTES_MAX,
    );
  });
});
