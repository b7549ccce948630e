import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import xxhash from "xxhash-wasm";
import { SHORT_BYTES_MAX, shortHashModulo } from "../../src/placement/short-hash.ts";

let library: (bytes: Uint8Array) => bigint;
beforeAll(async () => {
  library = (await xxhash()).h64Raw;
});

const binaryOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

/** Compares 15 bits at a time what `bytes` hash to, so that all 64 are seen: by residues of coprime divisors, and of powers of two. */
const DIVISORS = [1, 2, 3, 7, 16, 64, 1_000, 4_095, 4_096, 32_749, 32_767, 32_768];

function expectLibraryHash(bytes: Uint8Array): void {
  const hash = library(bytes);
  const text = binaryOf(bytes);
  for (const divisor of DIVISORS) {
    const found = shortHashModulo(text, 0, text.length, divisor);
    if (found !== Number(hash % BigInt(divisor))) expect.fail(`${bytes} modulo ${divisor} gave ${found}`);
  }
}

describe("the hash of short keys", () => {
  it("is the library's for every key of one byte, and of none", () => {
    expectLibraryHash(new Uint8Array(0));
    for (let byte = 0; byte < 256; byte++) expectLibraryHash(new Uint8Array([byte]));
  });

  it("is the library's for the same byte repeated, every byte and every length", () => {
    for (let length = 0; length <= SHORT_BYTES_MAX; length++) {
      for (let byte = 0; byte < 256; byte++) expectLibraryHash(new Uint8Array(length).fill(byte));
    }
  });

  it("is the library's for any bytes of every length", () => {
    for (let length = 0; length <= SHORT_BYTES_MAX; length++) {
      const bytes = fc.uint8Array({ minLength: length, maxLength: length });
      fc.assert(fc.property(bytes, expectLibraryHash), { numRuns: 200 });
    }
  });

  it("is the library's for one bit set or missing, wherever it stands", () => {
    for (let length = 1; length <= SHORT_BYTES_MAX; length++) {
      for (let bit = 0; bit < length * 8; bit++) {
        const bytes = new Uint8Array(length);
        bytes[bit >> 3] = 1 << (bit & 7);
        expectLibraryHash(bytes);
        expectLibraryHash(bytes.map((byte) => byte ^ 0xff));
      }
    }
  });

  it("leaves every residue of every number of shards as the library does", () => {
    const text = "user:1234567890";
    const hash = library(Buffer.from(text));
    for (let shards = 1; shards <= 4_096; shards++) {
      expect(shortHashModulo(text, 0, text.length, shards)).toBe(Number(hash % BigInt(shards)));
    }
  });

  it("takes the part between start and end only", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 12 }),
        fc.uint8Array({ maxLength: SHORT_BYTES_MAX }),
        fc.uint8Array({ maxLength: 12 }),
        (before, bytes, after) => {
          const text = binaryOf(before) + binaryOf(bytes) + binaryOf(after);
          const end = before.length + bytes.length;
          expect(shortHashModulo(text, before.length, end, 4_096)).toBe(Number(library(bytes) % 4_096n));
        },
      ),
      { numRuns: 500 },
    );
  });
});
