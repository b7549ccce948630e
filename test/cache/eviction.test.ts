import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { logIndex } from "../../src/base/ids.ts";
import { CacheMachine } from "../../src/cache/cache-machine.ts";
import type { Command, EvictCommand, EvictItem, SessionCommand } from "../../src/cache/command.ts";
import { HeatMeter, USES_MAX } from "../../src/cache/heat.ts";
import type { Query } from "../../src/cache/query.ts";
import { BOOT, drained, NODE, outside, restored, ShardDriver, setCommand } from "./shard-driver.ts";

function evict(items: readonly EvictItem[], reason: EvictCommand["reason"] = "memory"): SessionCommand {
  return outside({ type: "evict", reason, items });
}

describe("a committed removal", () => {
  it("takes each key that still has exactly the version it names", () => {
    const shard = new ShardDriver();
    shard.set("stays", "1");
    shard.set("goes", "1");
    shard.set("changed", "1");
    shard.set("changed", "2");
    const items = [
      { key: "goes", version: 2 },
      { key: "changed", version: 3 },
      { key: "absent", version: 1 },
    ];
    expect(shard.entry([evict(items)])).toEqual([1]);
    expect(["stays", "goes", "changed"].map((key) => shard.get(key))).toEqual(["1", null, "2"]);
  });

  it("is idempotent, and needs no session", () => {
    const shard = new ShardDriver();
    shard.set("key", "1");
    const removal = evict([{ key: "key", version: 1 }]);
    expect(shard.entry([removal, removal])).toEqual([1, 0]);
    expect(shard.entry([removal])).toEqual([0]);
  });

  it("does not take a key that was removed and made again", () => {
    const shard = new ShardDriver();
    shard.set("key", "1");
    shard.run({ type: "delete", keys: ["key"] });
    shard.set("key", "1");
    expect(shard.entry([evict([{ key: "key", version: 1 }])])).toEqual([0]);
  });

  it("is a change that watchers are told of, with a revision of its own", () => {
    const shard = new ShardDriver();
    shard.set("key", "1");
    shard.entry([evict([{ key: "key", version: 1 }], "idle")]);
    expect(shard.changes.at(-1)).toEqual({ revision: 2, type: "evict", key: "key", value: null });
    expect(shard.machine.changesSince(1)).toEqual([shard.changes.at(-1)]);
  });

  it("counts by its reason; a key whose time is over expires instead", () => {
    const shard = new ShardDriver();
    shard.set("a", "1");
    shard.set("b", "1");
    shard.set("c", "1", { ttlMs: 10 });
    shard.nowMs += 10;
    shard.entry([evict([{ key: "a", version: 1 }]), evict([{ key: "b", version: 2 }], "idle")]);
    expect(shard.entry([evict([{ key: "c", version: 3 }])])).toEqual([0]);
    expect(shard.machine.statistics).toMatchObject({ evictions: 1, idleExpirations: 1, expirations: 1 });
    expect(shard.changes.at(-1)?.type).toBe("expire");
  });

  it("leaves a snapshot that was begun before it as it was", () => {
    const shard = new ShardDriver();
    shard.set("a", "1");
    shard.set("b", "1");
    const before = shard.machine.digest();
    const source = shard.machine.beginSnapshot();
    shard.entry([evict([{ key: "a", version: 1 }])]);
    expect(restored(drained(source)).digest()).toBe(before);
  });
});

const KEYS = ["a", "b", "c", "d", "e"] as const;
const anyKey = fc.constantFrom(...KEYS);
const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  fc
    .tuple(anyKey, fc.string({ unit: "binary-ascii" }), fc.constantFrom(0, -1, 5))
    .map(([key, value, ttlMs]) => setCommand(key, value, { ttlMs })),
  anyKey.map((key): Command => ({ type: "delete", keys: [key] })),
  anyKey.map((key): Command => ({ type: "append", key, value: "x" })),
  anyKey.map((key): Command => ({ type: "expire", key, ttlMs: 3, condition: "always" })),
  fc.record({
    type: fc.constant("evict" as const),
    reason: fc.constantFrom("memory" as const, "idle" as const),
    items: fc.array(fc.record({ key: anyKey, version: fc.integer({ min: 1, max: 12 }) }), { maxLength: 4 }),
  }),
  fc.constant<Command>({ type: "clear" }),
);
const anyQuery: fc.Arbitrary<Query> = fc.oneof(
  anyKey.map((key): Query => ({ type: "get", key })),
  fc.array(anyKey, { minLength: 1 }).map((keys): Query => ({ type: "get-many", keys })),
  anyKey.map((key): Query => ({ type: "length", key })),
);

/** One thing that happens to a replica between two entries; no other replica sees it. */
type OwnAffair =
  | { readonly type: "query"; readonly query: Query }
  | { readonly type: "choose"; readonly entries: number }
  | { readonly type: "idle"; readonly idleMs: number }
  | { readonly type: "hint"; readonly key: string };
const anyAffair: fc.Arbitrary<OwnAffair> = fc.oneof(
  anyQuery.map((query): OwnAffair => ({ type: "query", query })),
  fc.nat(3).map((entries): OwnAffair => ({ type: "choose", entries })),
  fc.nat(500).map((idleMs): OwnAffair => ({ type: "idle", idleMs })),
  anyKey.map((key): OwnAffair => ({ type: "hint", key })),
);

describe("replicas that are fed the same entries", () => {
  it("are equal, whatever was read, hinted, timed or chosen at each of them, and whatever their policies", () => {
    let evictions = 0;
    const steps = fc.array(
      fc.record({
        commands: fc.array(anyCommand, { maxLength: 3 }),
        stampMs: fc.nat(20),
        affairs: fc.tuple(fc.array(anyAffair, { maxLength: 4 }), fc.array(anyAffair, { maxLength: 4 })),
      }),
      { minLength: 15, maxLength: 25 },
    );
    fc.assert(
      fc.property(steps, fc.nat(100_000), (history, originMs) => {
        let nowMs = originMs;
        const replicas = [
          new CacheMachine({}, new HeatMeter(USES_MAX.lru, () => nowMs)),
          new CacheMachine({}, new HeatMeter(USES_MAX.lfu, () => nowMs * 3)),
          new CacheMachine(),
        ];
        const open = outside({ type: "open-session", node: NODE, boot: BOOT });
        let stampMs = 0;
        let sequence = 0;
        /** What the first replica has chosen: it leads, and proposes it with the next entry. */
        let chosen: readonly EvictItem[] = [];
        for (const replica of replicas) replica.apply(logIndex(1), 0, [open]);
        for (const [at, step] of history.entries()) {
          stampMs += step.stampMs;
          nowMs += 150;
          const commands = step.commands.map((command): SessionCommand => {
            if (command.type === "evict") return outside(command);
            return { session: 1, sequence: ++sequence, lowWater: sequence, command };
          });
          commands.push(evict(chosen));
          chosen = [];
          for (const [which, replica] of replicas.entries()) {
            replica.apply(logIndex(2 + at), stampMs, commands);
            for (const affair of step.affairs[which] ?? []) {
              const items = happen(replica, affair);
              if (which === 0) chosen = items;
            }
          }
          const [first, ...others] = replicas.map((replica) => replica.digest());
          for (const other of others) expect(other).toBe(first);
        }
        evictions += replicas[0]?.statistics.evictions ?? 0;
      }),
      { numRuns: 300 },
    );
    // The property is worth something only if keys were evicted.
    expect(evictions).toBeGreaterThan(200);
  });
});

function happen(replica: CacheMachine, affair: OwnAffair): readonly EvictItem[] {
  if (affair.type === "choose") return replica.coldest({ bytes: 0, entries: affair.entries }, 10);
  if (affair.type === "idle") return replica.idle(affair.idleMs, 10, 10);
  if (affair.type === "query") replica.query(affair.query, null);
  else replica.noteUse(affair.key);
  return [];
}
