import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ExpiredFirst } from "../../src/cache/cache-machine.ts";
import { Keyspace } from "../../src/cache/keyspace.ts";
import { ScanCursor, ScanCursors } from "../../src/cache/scan-cursors.ts";
import { outside, ShardDriver } from "./shard-driver.ts";

function scan(
  shard: ShardDriver,
  position: number,
  count: number,
  pattern: string | null = null,
): [number, string[]] {
  const reply = shard.machine.query({ type: "scan", position, count, pattern }, null);
  return reply as unknown as [number, string[]];
}

function scanAll(shard: ShardDriver, count: number, meanwhile: () => void = () => {}): string[] {
  const keys: string[] = [];
  let position = 0;
  do {
    const [next, found] = scan(shard, position, count);
    keys.push(...found);
    position = next;
    meanwhile();
  } while (position !== 0);
  return keys;
}

describe("scan", () => {
  it("returns every key once while nothing changes", () => {
    const shard = new ShardDriver();
    for (let key = 0; key < 100; key++) shard.set(`key-${key}`, "1");
    expect(scanAll(shard, 7)).toEqual(Array.from({ length: 100 }, (_, key) => `key-${key}`));
  });

  it("looks at `count` keys, matching or not", () => {
    const shard = new ShardDriver();
    for (let key = 0; key < 20; key++) shard.set(`key-${key}`, "1");
    const [position, keys] = scan(shard, 0, 10, "*-15");
    expect(keys).toEqual([]);
    expect(scan(shard, position, 10, "*-15")[1]).toEqual(["key-15"]);
  });

  it("ends at once on an empty shard", () => {
    expect(scan(new ShardDriver(), 0, 10)).toEqual([0, []]);
  });

  it("answers a position that was used before again, from where it was", () => {
    const shard = new ShardDriver();
    for (let key = 0; key < 20; key++) shard.set(`key-${key}`, "1");
    const [position] = scan(shard, 0, 5);
    const first = scan(shard, position, 5);
    expect(scan(shard, position, 5)).toEqual(first);
    expect(first[1][0]).toBe("key-5");
  });

  it("returns every key that is there from start to end, whatever happens to the others", () => {
    const step = fc.record({
      kind: fc.constantFrom("set", "delete", "rename", "clear-others"),
      pick: fc.nat(60),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        fc.array(step, { maxLength: 80 }),
        (stable, count, steps) => {
          const shard = new ShardDriver();
          for (let key = 0; key < 60; key++) {
            shard.set(`passing-${key}`, "1");
            if (key < stable) shard.set(`stable-${key}`, "1");
          }
          let at = 0;
          const found = scanAll(shard, count, () => {
            for (const { kind, pick } of steps.slice(at, at + 3)) {
              if (kind === "set")
                shard.set(pick % 2 === 0 ? `passing-${pick}` : `stable-${pick % stable}`, "2");
              else if (kind === "delete") shard.run({ type: "delete", keys: [`passing-${pick}`] });
              else if (kind === "rename") {
                const to = pick % 2 === 0 ? `stable-${pick % stable}` : `passing-${pick + 1}`;
                shard.run({ type: "rename", from: `passing-${pick}`, to, onlyIfAbsent: false });
              } else {
                shard.run({ type: "delete", keys: Array.from({ length: 60 }, (_, key) => `passing-${key}`) });
              }
            }
            at += 3;
          });
          for (let key = 0; key < stable; key++) expect(found).toContain(`stable-${key}`);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("starts over the new keys after a clear", () => {
    const shard = new ShardDriver();
    for (let key = 0; key < 10; key++) shard.set(`old-${key}`, "1");
    const [position] = scan(shard, 0, 5);
    shard.run({ type: "clear" });
    shard.set("new", "1");
    expect(scan(shard, position, 5)).toEqual([0, ["new"]]);
  });

  it("waits for the removal of expired keys and then goes on from the same position, skipping none", () => {
    const shard = new ShardDriver();
    for (let key = 0; key < 20; key++) shard.set(`key-${key}`, "1", { ttlMs: key % 3 === 0 ? 10 : 0 });
    const found: string[] = [];
    let position = 0;
    let removals = 0;
    shard.nowMs += 10;
    for (let ended = false; !ended; ) {
      const reply = shard.machine.query({ type: "scan", position, count: 6, pattern: null }, shard.nowMs);
      if (reply instanceof ExpiredFirst) {
        removals++;
        shard.entry([outside({ type: "remove-expired", items: reply.items })]);
        continue;
      }
      const [next, keys] = reply as unknown as [number, string[]];
      found.push(...keys);
      position = next;
      ended = next === 0;
    }
    expect(found).toEqual(
      Array.from({ length: 20 }, (_, key) => `key-${key}`).filter((_, key) => key % 3 !== 0),
    );
    expect(removals).toBeGreaterThan(1);
  });
});

describe("a scan cursor", () => {
  it("that goes back forgets none of what it had still to look at again", () => {
    const keyspace = new Keyspace();
    for (const [at, key] of ["a", "b", "c", "d"].entries()) keyspace.insert(key, "1", at + 1, at + 1, 0);
    const cursor = new ScanCursor(keyspace, 0);
    const look = (count: number) => Array.from({ length: count }, () => (cursor.next() ? cursor.key : "end"));
    expect(look(3)).toEqual(["a", "b", "c"]);
    cursor.goBackTo(["a", "b", "c"]);
    expect(look(1)).toEqual(["a"]);
    cursor.goBackTo(["a"]);
    expect(look(5)).toEqual(["a", "b", "c", "d", "end"]);
  });
});

describe("parked cursors", () => {
  it("are a bounded number, and dropped once the shard has changed enough", () => {
    const cursors = new ScanCursors();
    const keyspace = new Keyspace();
    for (let position = 1; position <= 100; position++)
      cursors.park(position, new ScanCursor(keyspace, 0), position);
    expect(cursors.size).toBe(64);
    cursors.sweep(keyspace, 1_100);
    expect(cursors.size).toBe(25);
    cursors.sweep(new Keyspace(), 1_100);
    expect(cursors.size).toBe(0);
  });
});
