import fc from "fast-check";
import { expect, it } from "vitest";
import { lz4Compress, lz4Decompress } from "../../src/wire/lz4.ts";
import { WireError } from "../../src/wire/wire-error.ts";

it("what is compressed comes back, whatever it is", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5_000 }), (bytes) => {
      expect(Buffer.compare(lz4Decompress(lz4Compress(bytes), 5_000), bytes)).toBe(0);
    }),
  );
});

it("a text that repeats itself becomes short", () => {
  expect(lz4Compress(Buffer.from("crema ".repeat(10_000))).length).toBeLessThan(1_000);
});

it("a block that claims to hold more than is allowed is refused before anything is allocated for it", () => {
  const block = lz4Compress(Buffer.alloc(1_000));
  expect(() => lz4Decompress(block, 999)).toThrow(WireError);
  new DataView(block.buffer, block.byteOffset).setUint32(0, 0xffff_fff0, true);
  expect(() => lz4Decompress(block, 2 ** 26)).toThrow(WireError);
});

it("damaged blocks are refused with a WireError, or come out as something else, and never break the process", () => {
  const block = lz4Compress(Buffer.from("crema is a cache. ".repeat(50)));
  for (let bit = 32; bit < block.length * 8; bit++) {
    const broken = new Uint8Array(block);
    broken[bit >> 3] = (broken[bit >> 3] as number) ^ (1 << (bit & 7));
    try {
      lz4Decompress(broken, 10_000);
    } catch (error) {
      expect(error).toBeInstanceOf(WireError);
    }
  }
  for (let length = 0; length < block.length; length++)
    expect(() => lz4Decompress(block.subarray(0, length), 10_000)).toThrow(WireError);
});
