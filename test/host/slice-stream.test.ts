import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BULK_CHUNK_BYTES_MAX } from "../../src/host/links/bulk-stream.ts";
import { SliceCutter, SliceJoiner } from "../../src/host/slice-stream.ts";
import { WireError } from "../../src/wire/wire-error.ts";

function sourceOf(slices: readonly Uint8Array[]) {
  let at = 0;
  return { next: () => slices[at++] ?? null, close: () => {} };
}

/** A slice as it travels. */
function framed(slice: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + slice.length);
  new DataView(bytes.buffer).setUint32(0, slice.length);
  bytes.set(slice, 4);
  return bytes;
}

describe("slices over a stream of bounded pieces", () => {
  test("arrive whole and in order, however long they are and wherever the pieces end", () => {
    const slice = fc.uint8Array({ minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(
        fc.array(slice, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 90 })),
        (slices, cuts) => {
          const cutter = new SliceCutter(sourceOf(slices));
          const got: Uint8Array[] = [];
          const joiner = new SliceJoiner((each) => got.push(each.slice()));
          for (let turn = 0; ; turn++) {
            const most = cuts[turn % Math.max(1, cuts.length)] ?? 64;
            const piece = cutter.next(most);
            if (piece === null) break;
            expect(piece.length).toBeGreaterThan(0);
            expect(piece.length).toBeLessThanOrEqual(most);
            joiner.write(piece);
          }
          joiner.finish();
          expect(got).toEqual(slices);
        },
      ),
    );
  });

  test("come from a source that uses the same bytes for each", () => {
    const bytes = new Uint8Array(10);
    let slice = 0;
    const cutter = new SliceCutter({ next: () => (++slice > 3 ? null : bytes.fill(slice)), close: () => {} });
    const got: number[] = [];
    const joiner = new SliceJoiner((each) => got.push(...each));
    for (let piece = cutter.next(7); piece !== null; piece = cutter.next(7)) joiner.write(piece);
    expect(got).toEqual([1, 2, 3].flatMap((each) => Array(10).fill(each)));
  });

  test("that are given back are filled again, and others never", () => {
    const length = fc.oneof(
      fc.integer({ min: 1, max: 5_000 }),
      fc.integer({ min: 14 * 1024, max: 100 * 1024 }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(length, fc.boolean()), { minLength: 1, maxLength: 30 }), (slices) => {
        const held: { slice: Uint8Array<ArrayBuffer>; fill: number }[] = [];
        const joiner = new SliceJoiner((slice) => held.push({ slice, fill: slice[0] ?? 0 }));
        let fill = 0;
        for (const [bytes, givesBack] of slices) {
          joiner.write(framed(new Uint8Array(bytes).fill(++fill)));
          const first = givesBack ? held.shift() : undefined;
          if (first !== undefined) joiner.giveBack(first.slice);
          for (const each of held) expect(each.slice.every((byte) => byte === each.fill)).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
    const buffers = new Set<ArrayBuffer>();
    const joiner = new SliceJoiner((slice) => {
      buffers.add(slice.buffer);
      joiner.giveBack(slice);
    });
    for (let slice = 0; slice < 10; slice++) joiner.write(framed(new Uint8Array(60_000 + slice)));
    expect(buffers.size).toBe(1);
  });

  test("are short while the code that reads them is cold, and grow to what a piece holds", () => {
    const asked: number[] = [];
    const cutter = new SliceCutter({
      next: (bytes) => {
        asked.push(bytes);
        return new Uint8Array(1);
      },
      close: () => {},
    });
    for (let slice = 0; slice < 30; slice++) cutter.next(100);
    expect(asked[0]).toBe(4 * 1_024);
    expect(asked).toEqual([...asked].sort((one, other) => one - other));
    expect(asked.at(-1)).toBe(BULK_CHUNK_BYTES_MAX - 4);
  });

  test("that end within a slice are refused", () => {
    const joiner = new SliceJoiner(() => {});
    joiner.write(new Uint8Array([0, 0, 0, 2, 1]));
    expect(() => joiner.finish()).toThrow(WireError);
  });

  test("of no length, or of more than a frame holds, are refused", () => {
    for (const length of [
      [0, 0, 0, 0],
      [255, 255, 255, 255],
    ]) {
      expect(() => new SliceJoiner(() => {}).write(new Uint8Array(length))).toThrow(WireError);
    }
  });
});
