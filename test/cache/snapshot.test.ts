import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Command } from "../../src/cache/command.ts";
import type { SnapshotChunk, SnapshotRecord } from "../../src/cache/snapshot-record.ts";
import { drained, restored, ShardDriver, setCommand } from "./shard-driver.ts";

const key = fc.integer({ min: 0, max: 25 }).map((number) => `key-${number}`);
const value = fc.string({ maxLength: 12 });

/** Any change of a shard. */
const change: fc.Arbitrary<Command> = fc.oneof(
  {
    arbitrary: fc
      .tuple(key, value, fc.constantFrom(0, 0, -1, 5, 50))
      .map(([k, v, ttlMs]) => setCommand(k, v, { ttlMs })),
    weight: 6,
  },
  { arbitrary: key.map((k): Command => ({ type: "delete", keys: [k] })), weight: 3 },
  {
    arbitrary: fc
      .tuple(key, key)
      .map(([from, to]): Command => ({ type: "rename", from, to, onlyIfAbsent: false })),
    weight: 2,
  },
  {
    arbitrary: key.map((k): Command => ({ type: "expire", key: k, ttlMs: 20, condition: "always" })),
    weight: 2,
  },
  { arbitrary: key.map((k): Command => ({ type: "persist", key: k })), weight: 1 },
  {
    arbitrary: fc.tuple(key, value).map(([k, v]): Command => ({ type: "append", key: k, value: v })),
    weight: 1,
  },
  { arbitrary: fc.constant<Command>({ type: "clear" }), weight: 1 },
);

/** Everything of a shard as a snapshot tells it. */
function recordsOf(chunks: readonly SnapshotChunk[]): SnapshotRecord[] {
  return chunks.flatMap((chunk) => chunk.records);
}

function filled(keys: number): ShardDriver {
  const shard = new ShardDriver();
  for (let at = 0; at < keys; at++)
    shard.set(`key-${at}`, `value ${at}`, { ttlMs: at % 3 === 0 ? 10_000 : 0 });
  return shard;
}

describe("a snapshot", () => {
  it("restores everything that replicas must agree on", () => {
    const shard = filled(50);
    const second = shard.open();
    shard.entry(
      [7, 3].map((sequence) => ({
        session: second,
        sequence,
        lowWater: 2,
        command: { type: "increment", key: "n", by: 1 },
      })),
    );
    const machine = restored(drained(shard.machine.beginSnapshot()));
    expect(machine.digest()).toBe(shard.machine.digest());
    expect(machine.machineTimeMs).toBe(shard.machine.machineTimeMs);
    expect(machine.appliedIndex).toBe(shard.machine.appliedIndex);
    expect(machine.sessionCount).toBe(2);
    expect(machine.entryCount).toBe(51);
    expect([machine.keyBytes, machine.valueBytes]).toEqual([
      shard.machine.keyBytes,
      shard.machine.valueBytes,
    ]);
    expect(machine.nextExpiryMs()).toBe(11_000);
    expect(machine.query({ type: "keys", pattern: "*", limit: 99 }, null)).toEqual(
      shard.machine.query({ type: "keys", pattern: "*", limit: 99 }, null),
    );
  });

  it("carries the stored replies: a retry after a restore is not applied again", () => {
    const shard = new ShardDriver();
    const command = {
      session: shard.session,
      sequence: 1,
      lowWater: 1,
      command: { type: "increment", key: "n", by: 1 },
    } as const;
    shard.entry([command]);
    const machine = restored(drained(shard.machine.beginSnapshot()));
    const again = machine.apply(3 as never, 0, [command]);
    expect(again).toEqual([1]);
    expect(machine.query({ type: "get", key: "n" }, null)).toBe("1");
  });

  it("is the moment it began, whatever is applied while it runs", () => {
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 40 }),
        fc.array(fc.array(change, { maxLength: 6 }), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 300 }),
        (before, during, maxBytes) => {
          const shard = filled(12);
          for (const command of before) shard.run(command);
          const digest = shard.machine.digest();
          const still = recordsOf(drained(shard.machine.beginSnapshot(), 10_000_000));
          const source = shard.machine.beginSnapshot();
          const chunks: SnapshotChunk[] = [];
          for (const commands of during) {
            const chunk = source.next(maxBytes);
            if (chunk !== null) chunks.push(chunk);
            for (const command of commands) shard.run(command);
            shard.nowMs += 3;
          }
          chunks.push(...drained(source, maxBytes));
          expect(recordsOf(chunks)).toEqual(still);
          expect(restored(chunks).digest()).toBe(digest);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("runs beside others that began at other moments", () => {
    const shard = filled(30);
    const running: {
      digest: string;
      source: ReturnType<typeof shard.machine.beginSnapshot>;
      chunks: SnapshotChunk[];
    }[] = [];
    for (let turn = 0; turn < 60; turn++) {
      if (turn % 10 === 0)
        running.push({ digest: shard.machine.digest(), source: shard.machine.beginSnapshot(), chunks: [] });
      for (const { source, chunks } of running) {
        const chunk = source.next(80);
        if (chunk !== null) chunks.push(chunk);
      }
      shard.set(`key-${(turn * 7) % 40}`, `turn ${turn}`);
      shard.run({ type: "delete", keys: [`key-${(turn * 11) % 40}`] });
    }
    for (const { digest, source, chunks } of running) {
      chunks.push(...drained(source));
      expect(restored(chunks).digest()).toBe(digest);
    }
  });

  it("goes on undisturbed when the shard itself is restored from another", () => {
    const shard = filled(20);
    const digest = shard.machine.digest();
    const source = shard.machine.beginSnapshot();
    const chunks = [source.next(200)].flatMap((chunk) => chunk ?? []);
    const sink = shard.machine.beginRestore();
    for (const chunk of drained(filled(3).machine.beginSnapshot())) sink.write(chunk);
    sink.finish();
    expect(shard.machine.entryCount).toBe(3);
    chunks.push(...drained(source));
    expect(restored(chunks).digest()).toBe(digest);
  });

  it("comes in slices of about the size asked for, and of one record at least", () => {
    const shard = filled(100);
    shard.set("large", "x".repeat(5_000));
    for (const chunk of drained(shard.machine.beginSnapshot(), 500)) {
      expect(chunk.records.length).toBeGreaterThanOrEqual(1);
      expect(chunk.records.length).toBeLessThanOrEqual(16);
    }
  });

  it("keeps only what changes while it runs, and nothing once closed", () => {
    const shard = filled(100);
    const source = shard.machine.beginSnapshot();
    expect(source.keptCount).toBe(0);
    for (let at = 0; at < 10; at++) shard.set(`key-${at}`, "new");
    for (let at = 0; at < 10; at++) shard.set(`key-${at}`, "newer");
    // Ten keys and the session. What was born later is none of its business.
    expect(source.keptCount).toBe(11);
    for (const value of ["1", "2"]) shard.set("born later", value);
    expect(source.keptCount).toBe(11);
    source.close();
    source.close();
    expect(source.keptCount).toBe(0);
    shard.set("key-50", "new");
    expect(source.keptCount).toBe(0);
    expect(source.next(100)).toBeNull();
  });

  it("keeps nothing after its last slice", () => {
    const shard = filled(10);
    const source = shard.machine.beginSnapshot();
    expect(shard.machine.snapshotsOpen).toBe(1);
    drained(source);
    expect(shard.machine.snapshotsOpen).toBe(0);
    shard.set("key-1", "new");
    expect(source.keptCount).toBe(0);
  });
});

describe("a restore", () => {
  const chunks = (): SnapshotChunk[] => drained(filled(30).machine.beginSnapshot(), 200);

  it("replaces what was there, and changes nothing before it is finished", () => {
    const shard = filled(5);
    const before = shard.machine.digest();
    const sink = shard.machine.beginRestore();
    for (const chunk of chunks()) sink.write(chunk);
    expect(shard.machine.digest()).toBe(before);
    sink.finish();
    expect(shard.machine.entryCount).toBe(30);
  });

  it.each<[string, (from: SnapshotChunk[]) => SnapshotChunk[]]>([
    ["its last chunk is missing", (from) => from.slice(0, -1)],
    ["nothing came", () => []],
    ["a chunk in the middle is missing", (from) => from.filter((_, at) => at !== 2)],
    ["chunks come in another order", (from) => [...from].reverse()],
    [
      "a record is missing",
      (from) => from.map((chunk, at) => (at === 2 ? { ...chunk, records: chunk.records.slice(1) } : chunk)),
    ],
    [
      "a record comes twice",
      (from) =>
        from.map((chunk, at) =>
          at === 2 ? { ...chunk, records: [...chunk.records, ...chunk.records] } : chunk,
        ),
    ],
    [
      "something follows its end",
      (from) => [...from, { sequence: from.length, records: from[1]?.records ?? [] }],
    ],
  ])("is refused when %s", (_, damage) => {
    const shard = filled(5);
    const before = shard.machine.digest();
    const sink = shard.machine.beginRestore();
    expect(() => {
      for (const chunk of damage(chunks())) sink.write(chunk);
      sink.finish();
    }).toThrow(expect.objectContaining({ code: "CREMA_PROTOCOL" }));
    expect(shard.machine.digest()).toBe(before);
  });
});
