import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bootNonce, nodeId } from "../../src/base/ids.ts";
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from "../../src/base/limits.ts";
import type { Command, SessionCommand } from "../../src/cache/command.ts";
import { BatchBuilder } from "../../src/wire/batch-builder.ts";
import { ByteReader } from "../../src/wire/byte-reader.ts";
import { ByteWriter } from "../../src/wire/byte-writer.ts";
import { decodeBatch, decodeSessionCommand, encodeSessionCommand } from "../../src/wire/command-codec.ts";
import { WireError } from "../../src/wire/wire-error.ts";
import { binaryString, damaged } from "./arbitrary-bytes.ts";

const key = binaryString(40);
const value = binaryString(400);
const whole = fc.maxSafeNat();
const integer = fc.maxSafeInteger().map((number) => number + 0 || 0);
const hex64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((id) => id.toString(16).padStart(16, "0"));

const command: fc.Arbitrary<Command> = fc.oneof(
  fc
    .record({
      type: fc.constant("set" as const),
      key,
      value,
      ttlMs: fc.oneof(fc.constantFrom(0, -1), whole),
      condition: fc.constantFrom("always", "if-absent", "if-present", "if-version" as const),
      expectedVersion: whole,
      returnOld: fc.boolean(),
    })
    .map((set) => (set.condition === "if-version" ? set : { ...set, expectedVersion: 0 })),
  fc.record({
    type: fc.constant("set-many" as const),
    pairs: fc.array(fc.tuple(key, value), { maxLength: 5 }),
    onlyIfAllAbsent: fc.boolean(),
  }),
  fc.record({ type: fc.constant("delete" as const), keys: fc.array(key, { maxLength: 5 }) }),
  fc.record({ type: fc.constant("delete-if-version" as const), key, expectedVersion: whole }),
  fc.record({ type: fc.constant("get-delete" as const), key }),
  fc.record({ type: fc.constant("get-expire" as const), key, ttlMs: integer }),
  fc.record({
    type: fc.constant("expire" as const),
    key,
    ttlMs: integer,
    condition: fc.constantFrom("always", "if-none", "if-some", "if-later", "if-earlier" as const),
  }),
  fc.record({ type: fc.constant("persist" as const), key }),
  fc.record({
    type: fc.constant("increment" as const),
    key,
    by: fc.oneof(integer, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  }),
  fc.record({ type: fc.constant("increment-float" as const), key, by: fc.double() }),
  fc.record({ type: fc.constant("append" as const), key, value }),
  fc.record({ type: fc.constant("set-range" as const), key, offset: whole, value }),
  fc.record({ type: fc.constant("rename" as const), from: key, to: key, onlyIfAbsent: fc.boolean() }),
  fc.constant<Command>({ type: "clear" }),
  fc.record({
    type: fc.constant("remove-expired" as const),
    items: fc.array(fc.record({ key, expiresAtMs: fc.double({ min: 0, max: 1e15, noNaN: true }) }), {
      maxLength: 5,
    }),
  }),
  fc.record({
    type: fc.constant("evict" as const),
    reason: fc.constantFrom("memory" as const, "idle" as const),
    items: fc.array(fc.record({ key, version: fc.nat(Number.MAX_SAFE_INTEGER) }), { maxLength: 5 }),
  }),
  fc
    .tuple(hex64, hex64)
    .map(([node, boot]): Command => ({ type: "open-session", node: nodeId(node), boot: bootNonce(boot) })),
);

const sessionCommand: fc.Arbitrary<SessionCommand> = fc.record({
  session: whole,
  sequence: whole,
  lowWater: whole,
  command,
});

function encoded(one: SessionCommand): Uint8Array {
  const writer = new ByteWriter();
  encodeSessionCommand(writer, one);
  return writer.copy();
}

function batchOf(stampMs: number, commands: readonly SessionCommand[]): Uint8Array {
  const builder = new BatchBuilder();
  const writer = new ByteWriter();
  for (const one of commands) {
    writer.reset();
    encodeSessionCommand(writer, one);
    builder.append(writer.view());
  }
  return builder.finish(stampMs);
}

describe("command codec", () => {
  it("reads back every command as it was written", () => {
    fc.assert(
      fc.property(sessionCommand, (one) => {
        const reader = new ByteReader(encoded(one));
        expect(decodeSessionCommand(reader)).toEqual(one);
        reader.expectEnd();
      }),
      { numRuns: 1_000 },
    );
  });

  it("reads back batches, joined from commands that were encoded elsewhere", () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(sessionCommand, { maxLength: 10 }), (stampMs, commands) => {
        expect(decodeBatch(batchOf(stampMs, commands))).toEqual({ stampMs, commands });
      }),
    );
  });

  it("takes the empty entry of a new leader for an empty batch", () => {
    expect(decodeBatch(new Uint8Array(0))).toEqual({ stampMs: 0, commands: [] });
  });

  it("answers damaged bytes with a WireError and nothing else", () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.array(sessionCommand, { minLength: 1, maxLength: 4 }),
        damaged,
        (stampMs, commands, damage) => {
          const bytes = damage(batchOf(stampMs, commands));
          try {
            decodeBatch(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(WireError);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("accepts by checking alone exactly what can be decoded, damaged or not", () => {
    const accepts = (reader: ByteReader): boolean => {
      try {
        decodeSessionCommand(reader);
        reader.expectEnd();
        return true;
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
        return false;
      }
    };
    const seen = { accepted: 0, refused: 0 };
    fc.assert(
      fc.property(sessionCommand, fc.option(damaged), (one, damage) => {
        const bytes = damage === null ? encoded(one) : damage(encoded(one));
        const accepted = accepts(new ByteReader(bytes));
        expect(accepts(ByteReader.checking(bytes))).toBe(accepted);
        seen[accepted ? "accepted" : "refused"]++;
      }),
      { numRuns: 2_000 },
    );
    expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(100);
  });

  it("refuses every truncation", () => {
    fc.assert(
      fc.property(fc.array(sessionCommand, { minLength: 1, maxLength: 3 }), (commands) => {
        const bytes = batchOf(1, commands);
        for (let length = 1; length < bytes.length; length++) {
          expect(() => decodeBatch(bytes.subarray(0, length))).toThrow(WireError);
        }
        expect(() => decodeBatch(Buffer.concat([bytes, Buffer.of(0)]))).toThrow(WireError);
      }),
      { numRuns: 50 },
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 2 ** 60])("refuses the stamp %s", (stampMs) => {
    expect(() => decodeBatch(batchOf(stampMs, []))).toThrow(/not a time/);
  });

  it.each([
    ["a set that both keeps and gives an expiry", "010101" + "01" + "18" + "016b" + "0176" + "05"],
    ["a set with unknown flags", "010101" + "01" + "20" + "016b" + "0176"],
    ["an unknown condition", "010101" + "07" + "05" + "016b" + "0001"],
    ["a second form of zero", "010101" + "09" + "016b" + "0100"],
    ["an unknown command", "010101" + "12"],
  ])("refuses %s", (_, hex) => {
    expect(() => decodeSessionCommand(new ByteReader(Buffer.from(hex, "hex")))).toThrow(WireError);
  });

  it("refuses a count that the bytes cannot hold before making room for it", () => {
    const writer = new ByteWriter();
    writer.f64(1);
    writer.varint(2 ** 40);
    expect(() => decodeBatch(writer.view())).toThrow(/too large/);
  });

  it("keeps nothing of the bytes it decoded", () => {
    const bytes = batchOf(1, [
      {
        session: 1,
        sequence: 1,
        lowWater: 1,
        command: { type: "append", key: "key", value: "value".repeat(20) },
      },
    ]);
    const { commands } = decodeBatch(bytes);
    bytes.fill(0);
    expect(commands[0]?.command).toEqual({ type: "append", key: "key", value: "value".repeat(20) });
  });

  it("does not let a key or value out that replicas would refuse", () => {
    const one = { session: 1, sequence: 1, lowWater: 1 };
    const long = "k".repeat(KEY_BYTES_MAX + 1);
    expect(() => encoded({ ...one, command: { type: "persist", key: long } })).toThrow(/limit/);
    expect(() =>
      encoded({ ...one, command: { type: "append", key: "k", value: "v".repeat(VALUE_BYTES_MAX + 1) } }),
    ).toThrow(/limit/);
    expect(encoded({ ...one, command: { type: "persist", key: long.slice(1) } }).length).toBeGreaterThan(
      KEY_BYTES_MAX,
    );
  });

  it("is compact: a small set costs its key, its value and eight bytes", () => {
    const bytes = encoded({
      session: 1,
      sequence: 1,
      lowWater: 1,
      command: {
        type: "set",
        key: "key",
        value: "value",
        ttlMs: 0,
        condition: "always",
        expectedVersion: 0,
        returnOld: false,
      },
    });
    expect(bytes.length).toBe(3 + 2 + 1 + 3 + 1 + 5);
  });

  it("has not changed: logs and other versions hold these bytes", () => {
    const golden: [Command, string][] = [
      [
        {
          type: "set",
          key: "k",
          value: "v",
          ttlMs: 300,
          condition: "if-version",
          expectedVersion: 7,
          returnOld: true,
        },
        "070903" + "01" + "17" + "016b" + "0176" + "ac02" + "07",
      ],
      [{ type: "increment", key: "k", by: -2 }, "070903" + "09" + "016b" + "0102"],
      [{ type: "increment", key: "k", by: -2n }, "070903" + "0a" + "016b" + "fffffffffffffffe"],
      [{ type: "rename", from: "a", to: "b", onlyIfAbsent: true }, "070903" + "0e" + "01" + "0161" + "0162"],
      [
        { type: "open-session", node: nodeId("00000000000000aa"), boot: bootNonce("00000000000000bb") },
        "070903" + "11" + "00000000000000aa" + "00000000000000bb",
      ],
    ];
    for (const [what, hex] of golden) {
      expect(
        Buffer.from(encoded({ session: 7, sequence: 9, lowWater: 3, command: what })).toString("hex"),
      ).toBe(hex);
    }
  });
});

describe("batch builder", () => {
  it("starts anew after finish, and hands out bytes that nothing overwrites", () => {
    const builder = new BatchBuilder();
    builder.append(Buffer.of(1, 2, 3));
    expect([builder.count, builder.bytes]).toEqual([1, 3]);
    const first = builder.finish(1);
    expect([builder.count, builder.bytes]).toEqual([0, 0]);
    builder.append(Buffer.of(9, 9, 9));
    builder.finish(2);
    expect([...first.subarray(-4)]).toEqual([1, 1, 2, 3]);
  });

  it("hands a large command over as it is gathered, and gathers the next one elsewhere", () => {
    const builder = new BatchBuilder();
    const fill = [7, 8];
    const [first, second] = fill.map((byte) => {
      builder.append(Buffer.alloc(3_000_000, byte));
      expect([builder.count, builder.bytes]).toEqual([1, 3_000_000]);
      return builder.finish(5);
    });
    for (const [at, data] of [first, second].entries()) {
      const reader = new ByteReader(data as Uint8Array);
      expect([reader.f64(), reader.varint(), reader.remaining]).toEqual([5, 1, 3_000_000]);
      expect(reader.raw(3_000_000).every((byte) => byte === fill[at])).toBe(true);
    }
    expect([builder.count, builder.bytes]).toEqual([0, 0]);
  });

  it("keeps no more than it uses of a batch that has grown large", () => {
    const builder = new BatchBuilder();
    for (let count = 0; count < 1_100; count++) builder.append(Buffer.alloc(1_000, count % 256));
    const data = builder.finish(1);
    expect(data.length).toBe(1_100_000 + 10);
    expect(data.buffer.byteLength).toBeLessThan((data.length * 4) / 3 + 1);
  });

  it("copies what is appended", () => {
    const builder = new BatchBuilder();
    const view = Buffer.of(5);
    builder.append(view);
    view[0] = 6;
    expect(builder.finish(0).at(-1)).toBe(5);
  });
});
