import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkMessagePack, NESTING_MAX } from "../../src/wire/messagepack-check.ts";
import {
  decodeValue,
  encodeValue,
  STRUCTURED_VALUE_BYTES_MAX,
  UnsendableValueError,
} from "../../src/wire/value-codec.ts";
import { WireError } from "../../src/wire/wire-error.ts";

const hex = (text: string): Uint8Array => Buffer.from(text, "hex");

describe("structured values", () => {
  test.each([
    ["null", null],
    ["undefined", undefined],
    ["a boolean", true],
    ["a negative number", -1],
    ["a fraction", 1.5],
    ["the largest safe integer", 2 ** 53 - 1],
    ["text", "é𝄞"],
    ["a small bigint", 5n],
    ["a wide bigint", -(2n ** 100n)],
    ["a date", new Date(1_700_000_000_123)],
    ["a nested list", [1, [2, { three: [undefined, null] }]]],
    ["an object", { a: { b: 1 }, list: Array.from({ length: 20 }, (_, at) => at) }],
  ])("%s survives the way there", (_name, value) => {
    expect(decodeValue(encodeValue(value))).toEqual(value);
  });

  test("bytes arrive as bytes that do not share the buffer they came in", () => {
    const wire = Buffer.from(encodeValue({ bytes: new Uint8Array([1, 2, 3]) }));
    const value = decodeValue(wire) as { bytes: Uint8Array };
    wire.fill(0);
    expect([...value.bytes]).toEqual([1, 2, 3]);
    expect(value.bytes).toBeInstanceOf(Uint8Array);
  });

  test("whatever JSON can say, and bytes and bigints with it, survives", () => {
    // A negative zero arrives as zero: MessagePack's integers know only one.
    const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
    const number = fc.double({ noNaN: true }).map((value) => value + 0);
    const leaf = fc.oneof(json, fc.bigInt(), number);
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), leaf), (value) => {
        const clean = JSON.stringify(value, (_key, each) => (typeof each === "bigint" ? `${each}n` : each));
        fc.pre(!clean.includes("__proto__"));
        expect(decodeValue(encodeValue(value))).toEqual({ ...value });
      }),
    );
  });

  test("a key named __proto__ changes no prototype", () => {
    const value = decodeValue(encodeValue(JSON.parse('{"__proto__":{"admin":true}}'))) as Record<
      string,
      unknown
    >;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect((value as { admin?: boolean }).admin).toBeUndefined();
  });

  test("what cannot travel is refused before it leaves", () => {
    expect(() => encodeValue(Symbol("s"))).toThrow(UnsendableValueError);
    expect(() => encodeValue(new Uint8Array(STRUCTURED_VALUE_BYTES_MAX))).toThrow(UnsendableValueError);
    const circle: unknown[] = [];
    circle.push(circle);
    expect(() => encodeValue(circle)).toThrow(UnsendableValueError);
  });
});

describe("bytes from strangers", () => {
  test.each([
    ["nothing", ""],
    ["an array of four billion elements", "ddffffffff"],
    ["an array of more elements than bytes", "9301"],
    ["a map of four billion pairs", "dfffffffff"],
    ["a text longer than the input", "dbffffffff61"],
    ["a short text that is cut", "a561"],
    ["bytes longer than the input", "c6ffffffff00"],
    ["an extension of another kind", "d4720001"],
    ["an extension cut before its type", "c701"],
    ["a number that is cut", "cf0000"],
    ["the code that is never used", "c1"],
    ["a second value behind the first", "0102"],
  ])("%s is refused", (_name, bytes) => {
    expect(() => decodeValue(hex(bytes))).toThrow(WireError);
  });

  test("nesting is accepted up to the limit and refused beyond", () => {
    const nested = (depth: number): Uint8Array =>
      Buffer.concat([Buffer.alloc(depth, 0x91), Buffer.from([0xc0])]);
    expect(() => checkMessagePack(nested(NESTING_MAX))).not.toThrow();
    expect(() => checkMessagePack(nested(NESTING_MAX + 1))).toThrow(WireError);
    expect(() => decodeValue(nested(100_000))).toThrow(WireError);
  });

  test("any bytes decode or are a WireError, nothing else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodeValue(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("a real value with one byte changed decodes or is a WireError, nothing else", () => {
    const bytes = new Uint8Array(
      encodeValue({ list: [1, "two", new Uint8Array(3), 4n, new Date(0)], deep: { a: [{}] } }),
    );
    for (let at = 0; at < bytes.length; at++) {
      for (let value = 0; value < 256; value += 3) {
        const changed = bytes.slice();
        changed[at] = value;
        try {
          decodeValue(changed);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }
    }
  });
});
