import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Query } from "../../src/cache/query.ts";
import { ByteWriter } from "../../src/wire/byte-writer.ts";
import { decodeQuery, encodeQuery } from "../../src/wire/query-codec.ts";
import { WireError } from "../../src/wire/wire-error.ts";
import { binaryString, damaged } from "./arbitrary-bytes.ts";

const key = binaryString(60);
const integer = fc.maxSafeInteger().map((number) => number + 0 || 0);

const query: fc.Arbitrary<Query> = fc.oneof(
  fc.record({ type: fc.constantFrom("get", "get-versioned", "length", "ttl", "type-of" as const), key }),
  fc.record({ type: fc.constantFrom("get-many", "exists" as const), keys: fc.array(key, { maxLength: 5 }) }),
  fc.record({ type: fc.constant("get-range" as const), key, first: integer, last: integer }),
  fc.record({ type: fc.constant("keys" as const), pattern: key, limit: fc.maxSafeNat() }),
  fc.record({
    type: fc.constant("scan" as const),
    position: fc.maxSafeNat(),
    count: fc.maxSafeNat(),
    pattern: fc.option(key),
  }),
  fc.record({ type: fc.constant("random-key" as const), pick: fc.maxSafeNat() }),
  fc.constantFrom<Query>({ type: "count" }, { type: "stats" }),
);

function encoded(one: Query): Uint8Array {
  const writer = new ByteWriter();
  encodeQuery(writer, one);
  return writer.copy();
}

describe("query codec", () => {
  it("reads back every query as it was written", () => {
    fc.assert(
      fc.property(query, (one) => {
        expect(decodeQuery(encoded(one))).toEqual(one);
      }),
      { numRuns: 1_000 },
    );
  });

  it("answers damaged bytes with a WireError and nothing else", () => {
    fc.assert(
      fc.property(query, damaged, (one, damage) => {
        try {
          decodeQuery(damage(encoded(one)));
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("refuses every truncation, and bytes left over", () => {
    fc.assert(
      fc.property(query, (one) => {
        const bytes = encoded(one);
        for (let length = 0; length < bytes.length; length++) {
          expect(() => decodeQuery(bytes.subarray(0, length))).toThrow(WireError);
        }
        expect(() => decodeQuery(Buffer.concat([bytes, Buffer.of(0)]))).toThrow(WireError);
      }),
      { numRuns: 100 },
    );
  });
});
