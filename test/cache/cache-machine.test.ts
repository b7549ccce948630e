import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { logIndex } from "../../src/base/ids.ts";
import { CacheMachine } from "../../src/cache/cache-machine.ts";
import type { Command, SessionCommand } from "../../src/cache/command.ts";
import type { Reply } from "../../src/cache/reply.ts";
import { BOOT, drained, NODE, outside, restored, ShardDriver, setCommand } from "./shard-driver.ts";

const key = fc.integer({ min: 0, max: 8 }).map((number) => `key-${number}`);
const value = fc.oneof(fc.integer({ min: -20, max: 20 }).map(String), fc.string({ maxLength: 6 }));
const ttlMs = fc.constantFrom(0, -1, 3, 10, 40);

const command: fc.Arbitrary<Command> = fc.oneof(
  fc
    .tuple(
      key,
      value,
      ttlMs,
      fc.constantFrom("always", "if-absent", "if-present", "if-version" as const),
      fc.nat(30),
      fc.boolean(),
    )
    .map(([k, v, ttl, condition, expectedVersion, returnOld]) =>
      setCommand(k, v, { ttlMs: ttl, condition, expectedVersion, returnOld }),
    ),
  fc.record({
    type: fc.constant("set-many" as const),
    pairs: fc.array(fc.tuple(key, value), { maxLength: 3 }),
    onlyIfAllAbsent: fc.boolean(),
  }),
  fc.record({ type: fc.constant("delete" as const), keys: fc.array(key, { maxLength: 3 }) }),
  fc.record({ type: fc.constant("delete-if-version" as const), key, expectedVersion: fc.nat(30) }),
  fc.record({ type: fc.constant("get-delete" as const), key }),
  fc.record({ type: fc.constant("get-expire" as const), key, ttlMs }),
  fc.record({
    type: fc.constant("expire" as const),
    key,
    ttlMs: fc.constantFrom(-5, 0, 3, 10, 40),
    condition: fc.constantFrom("always", "if-none", "if-some", "if-later", "if-earlier" as const),
  }),
  fc.record({ type: fc.constant("persist" as const), key }),
  fc.record({ type: fc.constant("increment" as const), key, by: fc.integer({ min: -5, max: 5 }) }),
  fc.record({ type: fc.constant("append" as const), key, value }),
  fc.record({ type: fc.constant("set-range" as const), key, offset: fc.nat(8), value }),
  fc.record({ type: fc.constant("rename" as const), from: key, to: key, onlyIfAbsent: fc.boolean() }),
  { arbitrary: fc.constant<Command>({ type: "clear" }), weight: 1 },
);

/** A shard as its documentation describes it, as simply as can be: the oracle. */
class PlainShard {
  keys = new Map<string, { value: string; version: number; expiresAtMs: number }>();
  revision = 0;
  timeMs = 0;

  live(name: string) {
    const entry = this.keys.get(name);
    if (entry !== undefined && entry.expiresAtMs <= this.timeMs) {
      this.drop(name);
      return undefined;
    }
    return entry;
  }

  drop(name: string): void {
    this.keys.delete(name);
    this.revision++;
  }

  put(name: string, text: string, expiresAtMs: number): number {
    this.revision++;
    this.keys.set(name, { value: text, version: this.revision, expiresAtMs });
    return this.revision;
  }

  apply(what: Command): Reply | "fault" {
    switch (what.type) {
      case "set": {
        const old = this.live(what.key);
        const holds = {
          always: true,
          "if-absent": old === undefined,
          "if-present": old !== undefined,
          "if-version": (old?.version ?? 0) === what.expectedVersion,
        }[what.condition];
        const expiresAtMs =
          what.ttlMs > 0
            ? this.timeMs + what.ttlMs
            : what.ttlMs === -1
              ? (old?.expiresAtMs ?? Infinity)
              : Infinity;
        const version = holds ? this.put(what.key, what.value, expiresAtMs) : null;
        return what.returnOld ? [version, old?.value ?? null] : version;
      }
      case "set-many": {
        for (const [name] of what.pairs) if (this.live(name) !== undefined && what.onlyIfAllAbsent) return 0;
        for (const [name, text] of what.pairs) this.put(name, text, Infinity);
        return 1;
      }
      case "delete":
        return what.keys.filter((name) => {
          const there = this.live(name) !== undefined;
          if (there) this.drop(name);
          return there;
        }).length;
      case "delete-if-version":
        if (this.live(what.key)?.version !== what.expectedVersion) return 0;
        this.drop(what.key);
        return 1;
      case "get-delete": {
        const old = this.live(what.key);
        if (old !== undefined) this.drop(what.key);
        return old?.value ?? null;
      }
      case "get-expire": {
        const old = this.live(what.key);
        if (old !== undefined && what.ttlMs !== -1) {
          old.expiresAtMs = what.ttlMs > 0 ? this.timeMs + what.ttlMs : Infinity;
        }
        return old?.value ?? null;
      }
      case "expire": {
        const old = this.live(what.key);
        if (old === undefined) return 0;
        const next = this.timeMs + what.ttlMs;
        const holds = {
          always: true,
          "if-none": old.expiresAtMs === Infinity,
          "if-some": old.expiresAtMs !== Infinity,
          "if-later": next > old.expiresAtMs,
          "if-earlier": next < old.expiresAtMs,
        }[what.condition];
        if (!holds) return 0;
        if (what.ttlMs <= 0) this.drop(what.key);
        else old.expiresAtMs = next;
        return 1;
      }
      case "persist": {
        const old = this.live(what.key);
        if (old === undefined || old.expiresAtMs === Infinity) return 0;
        old.expiresAtMs = Infinity;
        return 1;
      }
      case "increment": {
        const old = this.live(what.key);
        if (old !== undefined && !/^(0|-?[1-9]\d*)$/.test(old.value)) return "fault";
        const sum = Number(old?.value ?? 0) + Number(what.by);
        this.put(what.key, String(sum), old?.expiresAtMs ?? Infinity);
        return sum;
      }
      case "append": {
        const old = this.live(what.key);
        const text = (old?.value ?? "") + what.value;
        this.put(what.key, text, old?.expiresAtMs ?? Infinity);
        return text.length;
      }
      case "set-range": {
        const old = this.live(what.key);
        const text = old?.value ?? "";
        if (what.value === "") return text.length;
        const padded = text.padEnd(what.offset, "\0");
        const result =
          padded.slice(0, what.offset) + what.value + padded.slice(what.offset + what.value.length);
        this.put(what.key, result, old?.expiresAtMs ?? Infinity);
        return result.length;
      }
      case "rename": {
        const from = this.live(what.from);
        if (from === undefined) return "fault";
        if (what.from === what.to) return what.onlyIfAbsent ? 0 : 1;
        if (this.live(what.to) !== undefined && what.onlyIfAbsent) return 0;
        this.drop(what.from);
        this.put(what.to, from.value, from.expiresAtMs);
        return 1;
      }
      case "clear": {
        for (const name of [...this.keys.keys()]) this.live(name);
        const count = this.keys.size;
        if (count > 0) this.revision++;
        this.keys.clear();
        return count;
      }
      default:
        throw new Error(`the oracle does not know ${what.type}`);
    }
  }
}

const history = fc.array(fc.record({ command, pauseMs: fc.constantFrom(0, 0, 1, 5, 20) }), {
  maxLength: 120,
});

describe("the state machine of a shard", () => {
  it("does what its documentation says, command by command", () => {
    fc.assert(
      fc.property(history, (steps) => {
        const shard = new ShardDriver();
        const plain = new PlainShard();
        plain.timeMs = shard.nowMs;
        for (const { command: next, pauseMs } of steps) {
          shard.nowMs += pauseMs;
          plain.timeMs += pauseMs;
          const reply = shard.run(next);
          const expected = plain.apply(next);
          if (expected === "fault") expect(reply).toHaveProperty("code");
          else expect(reply).toEqual(expected);
          expect(shard.machine.revision).toBe(plain.revision);
          expect(shard.machine.entryCount).toBe(plain.keys.size);
        }
        for (const [name, entry] of plain.keys) {
          const alive = entry.expiresAtMs > plain.timeMs;
          expect(shard.machine.query({ type: "get-versioned", key: name }, null)).toEqual(
            alive
              ? [
                  entry.value,
                  entry.version,
                  entry.expiresAtMs === Infinity ? -1 : entry.expiresAtMs - plain.timeMs,
                ]
              : null,
          );
        }
        const bytes = [...plain.keys].reduce((sum, [, entry]) => sum + entry.value.length, 0);
        expect(shard.machine.valueBytes).toBe(bytes);
        expect(shard.machine.keyBytes).toBe([...plain.keys.keys()].join("").length);
      }),
      { numRuns: 400 },
    );
  });

  it("comes to the same state on every replica, also on one that joined by a snapshot on the way", () => {
    fc.assert(
      fc.property(history, fc.nat(120), (steps, joinAt) => {
        const entries = steps.map(({ command: next, pauseMs }, at): [number, SessionCommand[]] => [
          1_000 + at * 3 - pauseMs,
          [
            { session: 1, sequence: at + 1, lowWater: Math.max(1, at - 3), command: next },
            // What was retried needlessly must not matter.
            { session: 1, sequence: Math.max(1, at), lowWater: 1, command: next },
          ],
        ]);
        const first = new CacheMachine();
        let second = new CacheMachine();
        for (const machine of [first, second]) {
          machine.apply(logIndex(1), 1_000, [outside({ type: "open-session", node: NODE, boot: BOOT })]);
        }
        for (const [at, [stampMs, commands]] of entries.entries()) {
          const replies = first.apply(logIndex(at + 2), stampMs, commands);
          expect(second.apply(logIndex(at + 2), stampMs, commands)).toEqual(replies);
          if (at === joinAt) second = restored(drained(first.beginSnapshot(), 200));
        }
        expect(second.digest()).toBe(first.digest());
        expect(second.query({ type: "keys", pattern: "*", limit: 99 }, null)).toEqual(
          first.query({ type: "keys", pattern: "*", limit: 99 }, null),
        );
      }),
      { numRuns: 200 },
    );
  });

  it("tells its listener of every change, in order and without gaps", () => {
    const shard = new ShardDriver();
    for (let turn = 0; turn < 50; turn++) {
      shard.set(`key-${turn % 7}`, "1", { ttlMs: turn % 3 });
      shard.nowMs++;
    }
    expect(shard.changes.map(({ revision }) => revision)).toEqual(
      Array.from({ length: shard.machine.revision }, (_, at) => at + 1),
    );
  });

  it("applies entries in order of index only", () => {
    const machine = new CacheMachine();
    machine.apply(logIndex(5), 0, []);
    expect(machine.appliedIndex).toBe(5);
    expect(() => machine.apply(logIndex(5), 0, [])).toThrow(/in order/);
  });

  it("keeps a key's place when it is overwritten, and gives it another when it is made anew", () => {
    const shard = new ShardDriver();
    for (const name of ["a", "b", "c"]) shard.set(name, "1");
    shard.set("a", "2");
    shard.run({ type: "delete", keys: ["b"] });
    shard.set("b", "2");
    expect(shard.machine.query({ type: "keys", pattern: "*", limit: 9 }, null)).toEqual(["a", "c", "b"]);
  });

  it("refuses options that make no sense", () => {
    expect(() => new CacheMachine({ sessionsMax: 0 })).toThrow(/sessionsMax/);
    expect(() => new CacheMachine({ changeHistoryMax: 1.5 })).toThrow(/changeHistoryMax/);
    expect(() => new CacheMachine({ keysMax: 9_000_000 })).toThrow(/keysMax/);
  });
});

describe("the digest", () => {
  const base = () => {
    const shard = new ShardDriver();
    shard.set("a", "1", { ttlMs: 100 });
    shard.set("b", "2");
    return shard;
  };

  it.each<[string, (shard: ShardDriver) => void]>([
    ["a value", (shard) => shard.set("b", "3")],
    ["an expiry", (shard) => shard.run({ type: "persist", key: "a" })],
    ["a missing key", (shard) => shard.run({ type: "delete", keys: ["b"] })],
    ["a session", (shard) => shard.open()],
    [
      "machine time",
      (shard) => {
        shard.nowMs++;
        shard.entry([]);
      },
    ],
  ])("tells %s", (_, change) => {
    const [left, right] = [base(), base()];
    change(left);
    // Both have applied equally many entries.
    while (right.machine.appliedIndex < left.machine.appliedIndex) right.entry([]);
    expect(left.machine.digest()).not.toBe(right.machine.digest());
  });

  it("tells swapped values and a stored reply", () => {
    const shards = [
      ["1", "2"],
      ["2", "1"],
    ].map(([a = "", b = ""]) => {
      const shard = new ShardDriver();
      shard.run({
        type: "set-many",
        pairs: [
          ["a", a],
          ["b", b],
        ],
        onlyIfAllAbsent: false,
      });
      return shard.machine.digest();
    });
    expect(shards[0]).not.toBe(shards[1]);
    const replies = ["x", "y"].map((name) => {
      const shard = new ShardDriver();
      shard.run({ type: name === "x" ? "persist" : "get-delete", key: "none" });
      return shard.machine.digest();
    });
    expect(replies[0]).not.toBe(replies[1]);
  });
});
