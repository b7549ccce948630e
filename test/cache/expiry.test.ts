import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ExpiredFirst } from "../../src/cache/cache-machine.ts";
import { ExpiryIndex } from "../../src/cache/expiry-index.ts";
import type { Query } from "../../src/cache/query.ts";
import { outside, ShardDriver } from "./shard-driver.ts";

describe("expiry", () => {
  it("counts a key as absent for a command whose entry has reached its time", () => {
    const shard = new ShardDriver();
    shard.set("key", "old", { ttlMs: 10 });
    shard.nowMs += 9;
    expect(shard.set("key", "x", { condition: "if-absent" })).toBeNull();
    shard.nowMs += 1;
    expect(shard.set("key", "new", { condition: "if-absent" })).toBe(3);
    expect(shard.changes.map(({ type }) => type)).toEqual(["put", "expire", "put"]);
    expect(shard.ttl("key")).toBe(-1);
  });

  it("never goes back: an entry stamped earlier than the last acts at the last one's time", () => {
    const shard = new ShardDriver();
    shard.set("key", "old", { ttlMs: 10 });
    shard.nowMs += 50;
    shard.set("other", "1");
    shard.nowMs -= 50;
    expect(shard.set("key", "new", { condition: "if-present" })).toBeNull();
    expect(shard.machine.machineTimeMs).toBe(1_050);
    shard.set("key", "new", { ttlMs: 5 });
    expect(shard.ttl("key")).toBe(5);
  });

  it("is not undone by a stamp that is not a number", () => {
    const shard = new ShardDriver();
    shard.nowMs = Number.NaN;
    shard.set("key", "1");
    expect(shard.machine.machineTimeMs).toBe(1_000);
  });

  const queries: Query[] = [
    { type: "get", key: "key" },
    { type: "get-versioned", key: "key" },
    { type: "get-many", keys: ["other", "key", "key"] },
    { type: "exists", keys: ["key"] },
    { type: "length", key: "key" },
    { type: "get-range", key: "key", first: 0, last: -1 },
    { type: "ttl", key: "key" },
    { type: "type-of", key: "key" },
    { type: "count" },
    { type: "keys", pattern: "*", limit: 10 },
    { type: "scan", position: 0, count: 10, pattern: null },
    { type: "random-key", pick: 1 },
  ];

  it.each(queries)("is committed before a leader answers $type about the key", (query) => {
    const shard = new ShardDriver();
    shard.set("other", "1");
    shard.set("key", "value", { ttlMs: 10 });
    const before = shard.machine.query(query, shard.nowMs + 9);
    expect(before).not.toBeInstanceOf(ExpiredFirst);
    const first = shard.machine.query(query, shard.nowMs + 10);
    if (!(first instanceof ExpiredFirst)) throw new Error("an expired key was answered");
    expect(first.items).toEqual([{ key: "key", expiresAtMs: shard.nowMs + 10 }]);

    shard.nowMs += 10;
    shard.entry([outside({ type: "remove-expired", items: first.items })]);
    expect(shard.machine.query(query, shard.nowMs)).not.toBeInstanceOf(ExpiredFirst);
    expect(shard.machine.query(query, shard.nowMs)).toEqual(shard.machine.query(query, null));
  });

  it.each(queries)("makes the key absent for a local $type once entries have passed its time", (query) => {
    const shard = new ShardDriver();
    shard.set("other", "1");
    shard.set("key", "value", { ttlMs: 10 });
    shard.nowMs += 10;
    shard.set("other", "1");
    const local = shard.machine.query(query, null);
    shard.entry([outside({ type: "remove-expired", items: [{ key: "key", expiresAtMs: 1_010 }] })]);
    const removed = shard.machine.query(query, null);
    if (query.type === "scan") expect((local as unknown[])[1]).toEqual((removed as unknown[])[1]);
    else expect(local).toEqual(removed);
  });

  it("lists what is due without removing it", () => {
    const shard = new ShardDriver();
    for (let key = 0; key < 100; key++) shard.set(`key-${key}`, "1", { ttlMs: 10 + key });
    expect(shard.machine.nextExpiryMs()).toBe(1_010);
    expect(shard.machine.dueExpiries(1_009, 10)).toEqual([]);
    expect(shard.machine.dueExpiries(1_019, 100)).toHaveLength(10);
    expect(shard.machine.dueExpiries(1_019, 100)).toHaveLength(10);
    expect(shard.machine.dueExpiries(5_000, 7)).toHaveLength(7);
    expect(shard.machine.entryCount).toBe(100);
  });
});

describe("expiry index", () => {
  it("agrees with a plain list through any additions, moves and removals", () => {
    const step = fc.record({
      kind: fc.constantFrom("add", "move", "remove"),
      pick: fc.nat(),
      time: fc.nat(50),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const index = new ExpiryIndex();
        const live: { key: string; slot: number; time: number }[] = [];
        for (const [at, { kind, pick, time }] of steps.entries()) {
          const chosen = live[pick % Math.max(1, live.length)];
          if (kind === "add" || chosen === undefined) {
            live.push({ key: `key-${at}`, slot: index.add(`key-${at}`, time), time });
          } else if (kind === "move") {
            index.move(chosen.slot, time);
            chosen.time = time;
          } else {
            index.remove(chosen.slot);
            live.splice(live.indexOf(chosen), 1);
          }
          expect(index.size).toBe(live.length);
          expect(index.nextMs()).toBe(live.length === 0 ? null : Math.min(...live.map((item) => item.time)));
          for (const item of live) expect(index.timeOf(item.slot)).toBe(item.time);
          const due = index.due(time, live.length).map(({ key, expiresAtMs }) => `${key}@${expiresAtMs}`);
          const expected = live.filter((item) => item.time <= time).map((item) => `${item.key}@${item.time}`);
          expect(due.sort()).toEqual(expected.sort());
        }
      }),
    );
  });

  it("finds what is due after a removal has put a late item under an early one", () => {
    const index = new ExpiryIndex();
    const slots = [1, 10, 2, 11, 12, 3, 4].map((time) => index.add(`at ${time}`, time));
    index.remove(slots[3] ?? -1);
    expect(
      index
        .due(5, 9)
        .map(({ expiresAtMs }) => expiresAtMs)
        .sort(),
    ).toEqual([1, 2, 3, 4]);
  });

  it("uses slots again", () => {
    const index = new ExpiryIndex();
    const slots = new Set<number>();
    for (let round = 0; round < 1_000; round++) {
      const slot = index.add("key", round);
      slots.add(slot);
      index.remove(slot);
    }
    expect(slots.size).toBe(1);
  });

  it("refuses to free a slot twice", () => {
    const index = new ExpiryIndex();
    const slot = index.add("key", 1);
    index.remove(slot);
    expect(() => index.remove(slot)).toThrow(/slot in use/);
    expect(() => index.move(slot, 2)).toThrow(/slot in use/);
  });
});
