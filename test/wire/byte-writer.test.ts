import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodeId } from "../../src/base/ids.ts";
import { ByteReader } from "../../src/wire/byte-reader.ts";
import { ByteWriter } from "../../src/wire/byte-writer.ts";
import { WireError } from "../../src/wire/wire-error.ts";

describe("what a ByteWriter writes, a ByteReader reads", () => {
  test.each([
    0,
    1,
    127,
    128,
    16_383,
    16_384,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32,
    2 ** 35 + 1,
    Number.MAX_SAFE_INTEGER,
  ])("varint %d", (value) => {
    const writer = new ByteWriter(1);
    writer.varint(value);
    const reader = new ByteReader(writer.view());
    expect(reader.varint()).toBe(value);
    reader.expectEnd();
  });

  test("every type, in any order, across growth", () => {
    const item = fc.oneof(
      fc.record({ type: fc.constant("u8" as const), value: fc.nat(255) }),
      fc.record({ type: fc.constant("u16" as const), value: fc.nat(65_535) }),
      fc.record({ type: fc.constant("u32" as const), value: fc.nat(2 ** 32 - 1) }),
      fc.record({ type: fc.constant("varint" as const), value: fc.maxSafeNat() }),
      fc.record({ type: fc.constant("f64" as const), value: fc.double({ noNaN: true }) }),
      fc.record({ type: fc.constant("bool" as const), value: fc.boolean() }),
      fc.record({ type: fc.constant("utf8" as const), value: fc.string({ unit: "grapheme" }) }),
      fc.record({
        type: fc.constant("latin1" as const),
        value: fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("latin1")),
      }),
      fc.record({ type: fc.constant("bytes" as const), value: fc.uint8Array() }),
      fc.record({
        type: fc.constant("nodeId" as const),
        value: fc.bigInt(0n, 2n ** 64n - 1n).map((id) => nodeId(id.toString(16).padStart(16, "0"))),
      }),
    );
    fc.assert(
      fc.property(fc.array(item), (items) => {
        const writer = new ByteWriter(1);
        for (const { type, value } of items) (writer[type] as (value: unknown) => void)(value);
        const reader = new ByteReader(writer.view());
        for (const { type, value } of items) {
          const read: unknown = reader[type]();
          expect(read instanceof Uint8Array ? [...read] : read).toEqual(
            value instanceof Uint8Array ? [...value] : value,
          );
        }
        reader.expectEnd();
      }),
    );
  });

  test("a length patched in afterwards", () => {
    const writer = new ByteWriter(4);
    writer.u32(0);
    writer.latin1("abc");
    writer.patchU32(0, writer.length);
    expect(new ByteReader(writer.view()).u32()).toBe(8);
  });
});

describe("a ByteWriter", () => {
  test("keeps what was taken untouched by later writing", () => {
    const writer = new ByteWriter(4);
    writer.u32(1);
    const taken = writer.take();
    writer.u32(2);
    expect([...taken]).toEqual([0, 0, 0, 1]);
    expect([...writer.view()]).toEqual([0, 0, 0, 2]);
  });

  test("forgets everything from a mark on", () => {
    const writer = new ByteWriter();
    writer.u8(1);
    const mark = writer.length;
    writer.u8(2);
    writer.reset(mark);
    expect([...writer.copy()]).toEqual([1]);
  });

  test("gives in pieces, with what was lent between, exactly what one that copies gives at once", () => {
    const lent = fc.integer({ min: 60_000, max: 70_000 }).map((bytes) => Buffer.alloc(bytes, bytes % 251));
    const step = fc.oneof(
      fc.record({ type: fc.constant("raw" as const), bytes: fc.uint8Array({ maxLength: 40 }) }),
      fc.record({ type: fc.constant("lend" as const), bytes: lent }),
      fc.record({ type: fc.constant("back" as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
      fc.record({ type: fc.constant("patch" as const), value: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const writers = [new ByteWriter(8, true), new ByteWriter(8)] as const;
        const [borrowing, copying] = writers;
        // Where something was written, and is still: nobody goes back to the middle of it.
        let marks: number[] = [];
        let patchable: number[] = [];
        for (const step of steps) {
          if (step.type === "back") {
            const mark = marks[Math.floor(step.share * marks.length)] ?? 0;
            for (const writer of writers) writer.reset(mark);
            marks = marks.filter((each) => each < mark);
            patchable = patchable.filter((each) => each < mark);
            continue;
          }
          marks.push(copying.length);
          for (const writer of writers) {
            if (step.type === "raw") writer.raw(step.bytes);
            else if (step.type === "lend") writer.lend(step.bytes);
            else writer.u32(0);
          }
          if (step.type === "patch") {
            patchable.push(copying.length - 4);
            for (const at of patchable) for (const writer of writers) writer.patchU32(at, step.value + at);
          }
          expect(borrowing.length).toBe(copying.length);
        }
        expect(Buffer.concat(borrowing.takePieces()).equals(copying.copy())).toBe(true);
        expect([borrowing.length, borrowing.isBorrowing]).toEqual([0, false]);
      }),
      { numRuns: 300 },
    );
  });

  test("does not copy what it borrows", () => {
    const writer = new ByteWriter(8, true);
    const [small, large] = [Buffer.alloc(100, 1), Buffer.alloc(100_000, 2)];
    writer.lend(small);
    expect(writer.isBorrowing).toBe(false);
    writer.lend(large);
    expect(() => writer.view()).toThrow(/in pieces/);
    const pieces = writer.takePieces();
    expect(pieces.map((piece) => piece.length)).toEqual([101 + 3, 100_000]);
    expect(pieces[1]).toBe(large);
  });

  test.each([-1, 1.5, Number.NaN, 2 ** 53])("does not write %d as a varint", (value) => {
    expect(() => new ByteWriter().varint(value)).toThrow(/varint/);
  });
});

test.each(["", "a", "a".repeat(127), "a".repeat(128), `${"a".repeat(126)}é`, "é", "\u007f\u0080"])(
  "text %j is the same short or long, ASCII or not",
  (text) => {
    const writer = new ByteWriter(1);
    writer.u8(7);
    writer.utf8(text);
    writer.u8(9);
    const reader = new ByteReader(writer.view());
    expect([reader.u8(), reader.utf8(), reader.u8(), reader.remaining]).toEqual([7, text, 9, 0]);
    const expected = new TextEncoder().encode(text);
    expect(writer.view().subarray(-expected.length - 1, -1)).toEqual(Buffer.from(expected));
  },
);

describe("a ByteReader", () => {
  test.each(["u8", "u16", "u32", "varint", "f64", "bool", "latin1", "utf8", "bytes", "nodeId"] as const)(
    "never reads %s beyond its end",
    (type) => {
      const backing = new Uint8Array(64);
      expect(() => new ByteReader(backing, 8, 8)[type]()).toThrow(WireError);
    },
  );

  test("refuses a count that the bytes left could not hold, before anybody allocates for it", () => {
    const writer = new ByteWriter();
    writer.varint(2 ** 40);
    expect(() => new ByteReader(writer.view()).count(1)).toThrow(/too large/);
  });

  test("refuses text above the caller's limit", () => {
    const writer = new ByteWriter();
    writer.latin1("abcd");
    expect(() => new ByteReader(writer.view()).latin1(3)).toThrow(WireError);
  });

  test("refuses numbers that are not safe integers", () => {
    expect(() => new ByteReader(new Uint8Array(8).fill(0xff)).varint()).toThrow(WireError);
    const huge = new Uint8Array([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
    expect(() => new ByteReader(huge).varint()).toThrow(/2\^53/);
  });
});
