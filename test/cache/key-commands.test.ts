import { describe, expect, it } from "vitest";
import type { ExpireCommand } from "../../src/cache/command.ts";
import { faultOf, outside, ShardDriver } from "./shard-driver.ts";

function withKeys(...keys: string[]): ShardDriver {
  const shard = new ShardDriver();
  for (const key of keys) shard.set(key, `value of ${key}`);
  return shard;
}

describe("delete", () => {
  it("counts the keys that existed, each once", () => {
    const shard = withKeys("a", "b");
    expect(shard.run({ type: "delete", keys: ["a", "x", "a", "b"] })).toBe(2);
    expect(shard.machine.entryCount).toBe(0);
    expect([shard.machine.keyBytes, shard.machine.valueBytes]).toEqual([0, 0]);
  });

  it("removes a key of one version only", () => {
    const shard = withKeys("a");
    expect(shard.run({ type: "delete-if-version", key: "a", expectedVersion: 2 })).toBe(0);
    expect(shard.run({ type: "delete-if-version", key: "a", expectedVersion: 1 })).toBe(1);
    expect(shard.run({ type: "delete-if-version", key: "a", expectedVersion: 0 })).toBe(0);
  });
});

describe("expire and persist", () => {
  it("set and remove the expiry of a key that exists", () => {
    const shard = withKeys("a");
    expect(shard.run({ type: "expire", key: "x", ttlMs: 5, condition: "always" })).toBe(0);
    expect(shard.run({ type: "persist", key: "a" })).toBe(0);
    expect(shard.run({ type: "expire", key: "a", ttlMs: 5, condition: "always" })).toBe(1);
    expect(shard.ttl("a")).toBe(5);
    expect(shard.run({ type: "persist", key: "a" })).toBe(1);
    expect(shard.ttl("a")).toBe(-1);
    expect(shard.run({ type: "persist", key: "x" })).toBe(0);
  });

  it("are not changes: neither version nor revision moves", () => {
    const shard = withKeys("a");
    shard.run({ type: "expire", key: "a", ttlMs: 5, condition: "always" });
    shard.run({ type: "persist", key: "a" });
    expect(shard.machine.revision).toBe(1);
  });

  it("remove the key when the time given is over", () => {
    for (const ttlMs of [0, -1, -5_000]) {
      const shard = withKeys("a");
      expect(shard.run({ type: "expire", key: "a", ttlMs, condition: "always" })).toBe(1);
      expect(shard.get("a")).toBeNull();
      expect(shard.changes.at(-1)).toMatchObject({ type: "delete", key: "a" });
    }
  });

  it.each<[ExpireCommand["condition"], number | null, number, 0 | 1]>([
    ["if-none", null, 50, 1],
    ["if-none", 100, 50, 0],
    ["if-some", null, 50, 0],
    ["if-some", 100, 50, 1],
    ["if-later", null, 50, 0],
    ["if-later", 100, 50, 0],
    ["if-later", 100, 100, 0],
    ["if-later", 100, 150, 1],
    ["if-earlier", null, 50, 1],
    ["if-earlier", 100, 50, 1],
    ["if-earlier", 100, 100, 0],
    ["if-earlier", 100, 150, 0],
    ["if-later", 100, -1, 0],
    ["if-earlier", 100, -1, 1],
  ])("%s with expiry in %s, asked for %s: %s", (condition, before, ttlMs, expected) => {
    const shard = withKeys("a");
    if (before !== null) shard.run({ type: "expire", key: "a", ttlMs: before, condition: "always" });
    expect(shard.run({ type: "expire", key: "a", ttlMs, condition })).toBe(expected);
    if (expected === 0) expect(shard.ttl("a")).toBe(before ?? -1);
  });
});

describe("rename", () => {
  it("moves value and expiry, replacing what was there", () => {
    const shard = withKeys("a", "b");
    shard.run({ type: "expire", key: "a", ttlMs: 40, condition: "always" });
    expect(shard.run({ type: "rename", from: "a", to: "b", onlyIfAbsent: false })).toBe(1);
    expect([shard.get("a"), shard.get("b"), shard.ttl("b")]).toEqual([null, "value of a", 40]);
    shard.set("c", "1");
    shard.run({ type: "rename", from: "c", to: "b", onlyIfAbsent: false });
    expect(shard.ttl("b")).toBe(-1);
  });

  it("refuses a key that is not there", () => {
    expect(faultOf(new ShardDriver().run({ type: "rename", from: "a", to: "b", onlyIfAbsent: false }))).toBe(
      "no-such-key",
    );
  });

  it("does not overwrite when told so, not even itself", () => {
    const shard = withKeys("a", "b");
    expect(shard.run({ type: "rename", from: "a", to: "b", onlyIfAbsent: true })).toBe(0);
    expect(shard.run({ type: "rename", from: "a", to: "a", onlyIfAbsent: true })).toBe(0);
    expect(shard.run({ type: "rename", from: "a", to: "a", onlyIfAbsent: false })).toBe(1);
    expect(shard.run({ type: "rename", from: "a", to: "c", onlyIfAbsent: true })).toBe(1);
    expect([shard.get("b"), shard.get("c")]).toEqual(["value of b", "value of a"]);
  });

  it("tells watchers of both keys", () => {
    const shard = withKeys("a");
    shard.run({ type: "rename", from: "a", to: "b", onlyIfAbsent: false });
    expect(shard.changes.slice(1)).toEqual([
      { revision: 2, type: "delete", key: "a", value: null },
      { revision: 3, type: "put", key: "b", value: "value of a" },
    ]);
  });
});

describe("clear", () => {
  it("removes everything in one change and counts what lived", () => {
    const shard = withKeys("a", "b", "c");
    shard.run({ type: "expire", key: "a", ttlMs: 5, condition: "always" });
    shard.nowMs += 5;
    expect(shard.run({ type: "clear" })).toBe(2);
    expect(shard.changes.slice(3).map(({ type, key }) => `${type} ${key}`)).toEqual(["expire a", "clear "]);
    expect([shard.machine.entryCount, shard.machine.valueBytes, shard.machine.nextExpiryMs()]).toEqual([
      0,
      0,
      null,
    ]);
    expect(shard.run({ type: "clear" })).toBe(0);
    expect(shard.machine.revision).toBe(5);
  });

  it("expires in one order, however the expiries came about", () => {
    const keys = ["d", "a", "c", "b", "e"];
    const orders = [keys, [...keys].reverse()].map((order) => {
      const shard = withKeys(...keys);
      for (const key of order)
        shard.run({ type: "expire", key, ttlMs: key < "c" ? 5 : 4, condition: "always" });
      shard.nowMs += 5;
      shard.run({ type: "clear" });
      return shard.changes
        .slice(5)
        .map(({ key }) => key)
        .join("");
    });
    expect(orders).toEqual(["cdeab", "cdeab"]);
  });
});

describe("remove-expired", () => {
  const remove = (shard: ShardDriver, key: string, expiresAtMs: number) =>
    shard.entry([outside({ type: "remove-expired", items: [{ key, expiresAtMs }] })])[0];

  it("removes a key that still has this expiry, once its time is over", () => {
    const shard = withKeys("a");
    shard.run({ type: "expire", key: "a", ttlMs: 10, condition: "always" });
    const expiresAtMs = shard.nowMs + 10;
    expect(remove(shard, "a", expiresAtMs)).toBe(0);
    shard.nowMs += 10;
    expect(remove(shard, "a", expiresAtMs - 1)).toBe(0);
    expect(remove(shard, "a", expiresAtMs)).toBe(1);
    expect(remove(shard, "a", expiresAtMs)).toBe(0);
    expect(shard.changes.at(-1)).toEqual({ revision: 2, type: "expire", key: "a", value: null });
    expect(shard.machine.statistics.expirations).toBe(1);
  });

  it("spares a key that was overwritten after the removal was proposed", () => {
    const shard = withKeys("a");
    shard.run({ type: "expire", key: "a", ttlMs: 10, condition: "always" });
    const expiresAtMs = shard.nowMs + 10;
    shard.set("a", "new");
    shard.nowMs += 20;
    expect(remove(shard, "a", expiresAtMs)).toBe(0);
    expect(shard.get("a")).toBe("new");
  });
});
