import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lz4Compress, lz4Decompress } from "../../src/wire/lz4.ts";
import { WireError } from "../../src/wire/wire-error.ts";
import { damaged } from "./arbitrary-bytes.ts";

const BYTES_MAX = 64 * 1024;
const TEXT = Buffer.from(Array.from({ length: 500 }, (_, at) => `user:${at} Alice`).join(","));

describe("lz4", () => {
  it("gives back what it packed", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
        expect(Buffer.from(lz4Decompress(lz4Compress(bytes), BYTES_MAX))).toEqual(Buffer.from(bytes));
      }),
    );
    expect(Buffer.from(lz4Decompress(lz4Compress(TEXT), TEXT.length))).toEqual(TEXT);
  });

  it("packs what repeats, and hardly lengthens what does not", () => {
    expect(lz4Compress(new Uint8Array(100_000)).length).toBeLessThan(500);
    const noise = Uint8Array.from(
      { length: 65_536 },
      (_, at) => (Math.imul(at + 1, 2_654_435_761) >>> 13) & 0xff,
    );
    expect(lz4Compress(noise).length).toBeLessThan(noise.length * 1.005 + 24);
  });

  it("unfolds the block of the LZ4 format's own description", () => {
    // One literal, then a match of 9 at offset 1, then five literals.
    const block = [0x15, 0x61, 0x01, 0x00, 0x50, 0x62, 0x63, 0x64, 0x65, 0x66];
    const packed = Uint8Array.from([15, 0, 0, 0, ...block]);
    expect(Buffer.from(lz4Decompress(packed, 15)).toString()).toBe("aaaaaaaaaabcdef");
  });

  it("answers bytes that later calls leave alone", () => {
    const first = lz4Decompress(lz4Compress(TEXT), BYTES_MAX);
    lz4Decompress(lz4Compress(new Uint8Array(TEXT.length)), BYTES_MAX);
    expect(Buffer.from(first)).toEqual(TEXT);
  });

  it("refuses more than the caller allows before it unfolds anything", () => {
    const packed = lz4Compress(TEXT);
    expect(() => lz4Decompress(packed, TEXT.length - 1)).toThrow(/at most/);
    const boast = Uint8Array.from(packed);
    boast.set([0xff, 0xff, 0xff, 0x7f]);
    expect(() => lz4Decompress(boast, 2 ** 31)).toThrow(/more than they can unfold to/);
  });

  it("refuses every cut", () => {
    const packed = lz4Compress(TEXT);
    for (let end = 0; end < packed.length; end++) {
      expect(() => lz4Decompress(packed.subarray(0, end), BYTES_MAX)).toThrow(WireError);
    }
  });

  it("answers damage with WireError or with bytes of the announced length, and works on afterwards", () => {
    const packed = lz4Compress(TEXT);
    fc.assert(
      fc.property(damaged, (damage) => {
        try {
          expect(lz4Decompress(damage(packed), BYTES_MAX).length).toBeLessThanOrEqual(BYTES_MAX);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(Buffer.from(lz4Decompress(packed, BYTES_MAX))).toEqual(TEXT);
  });
});
