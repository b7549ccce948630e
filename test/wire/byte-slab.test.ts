import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteSlab } from "../../src/wire/byte-slab.ts";

describe("a ByteSlab", () => {
  test("keeps what it is given, whatever is given later and whatever becomes of the original", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 3_000 }), { maxLength: 60 }), (all) => {
        const slab = new ByteSlab();
        const kept = all.map((bytes) => {
          const given = Uint8Array.from(bytes);
          const copy = slab.keep(given);
          given.fill(0xee);
          return copy;
        });
        for (const [at, copy] of kept.entries()) expect(Buffer.compare(copy, all[at] as Uint8Array)).toBe(0);
      }),
    );
  });

  test("takes little memory for a few, and shares it among many", () => {
    const slab = new ByteSlab();
    const buffers = Array.from({ length: 2_000 }, () => slab.keep(new Uint8Array(100)).buffer);
    expect((buffers[0] as ArrayBufferLike).byteLength).toBe(1_024);
    const whole = [...new Set(buffers)].reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(new Set(buffers).size).toBeLessThan(20);
    expect(whole).toBeLessThan(1.1 * 200_000);
  });

  test("gives what is long a buffer of its own, exactly as long", () => {
    const slab = new ByteSlab();
    slab.keep(new Uint8Array(10));
    const long = slab.keep(new Uint8Array(5_000));
    expect(long.buffer.byteLength).toBe(5_000);
    expect(slab.keep(new Uint8Array(10)).buffer.byteLength).toBe(1_024);
  });
});
