import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FAULT_CODES, FAULTS, type Reply } from "../../src/cache/reply.ts";
import { ByteReader } from "../../src/wire/byte-reader.ts";
import { ByteWriter } from "../../src/wire/byte-writer.ts";
import { decodeReply, encodeReply } from "../../src/wire/reply-codec.ts";
import { WireError } from "../../src/wire/wire-error.ts";
import { binaryString, damaged } from "./arbitrary-bytes.ts";

const leaf: fc.Arbitrary<Reply> = fc.oneof(
  fc.constant(null),
  fc.maxSafeInteger(),
  fc.double(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  binaryString(100),
  fc.constantFrom(...FAULT_CODES).map((code) => FAULTS[code]),
);
const reply: fc.Arbitrary<Reply> = fc.oneof(
  leaf,
  fc.array(fc.oneof(leaf, fc.array(leaf, { maxLength: 3 })), { maxLength: 5 }),
);

function encoded(value: Reply): Uint8Array {
  const writer = new ByteWriter();
  encodeReply(writer, value);
  return writer.copy();
}

function decoded(bytes: Uint8Array): Reply {
  const reader = new ByteReader(bytes);
  const value = decodeReply(reader);
  reader.expectEnd();
  return value;
}

describe("reply codec", () => {
  it("reads back every reply as it was written, the sign of zero included", () => {
    fc.assert(
      fc.property(reply, (value) => {
        expect(decoded(encoded(value))).toEqual(value);
      }),
      { numRuns: 1_000 },
    );
    expect(decoded(encoded(-0))).toBe(-0);
    expect(decoded(encoded(Number.NaN))).toBeNaN();
  });

  it("answers damaged bytes with a WireError and nothing else", () => {
    fc.assert(
      fc.property(reply, damaged, (value, damage) => {
        try {
          decoded(damage(encoded(value)));
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("refuses lists nested without end", () => {
    expect(() => decoded(Buffer.from("0701".repeat(10_000), "hex"))).toThrow(/nested/);
  });

  it("refuses a count that the bytes cannot hold", () => {
    expect(() => decoded(Buffer.from("07ffffffff7f", "hex"))).toThrow(/too large/);
  });

  it("refuses unknown tags and fault codes", () => {
    expect(() => decoded(Buffer.of(8))).toThrow(/unknown tag/);
    expect(() => decoded(Buffer.of(6, FAULT_CODES.length))).toThrow(/unknown code/);
  });

  it("has not changed: snapshots and other versions hold these bytes", () => {
    const golden: [Reply, string][] = [
      [null, "00"],
      [300, "01ac02"],
      [-1, "0201"],
      [0.5, "033fe0000000000000"],
      [-1n, "04ffffffffffffffff"],
      ["\xff", "0501ff"],
      [FAULTS["not-an-integer"], "0600"],
      [FAULTS["already-acknowledged"], "060a"],
      [[null, "a"], "070200050161"],
    ];
    for (const [value, hex] of golden) expect(Buffer.from(encoded(value)).toString("hex")).toBe(hex);
  });
});
