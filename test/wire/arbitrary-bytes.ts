/**
 * Inputs for codecs: binary strings, and ways to damage bytes.
 */
import * as fc from "fast-check";

/** A string of code units 0 .. 255. */
export function binaryString(bytesMax: number): fc.Arbitrary<string> {
  return fc.uint8Array({ maxLength: bytesMax }).map((bytes) => Buffer.from(bytes).toString("latin1"));
}

/** A function that damages bytes: flips, cuts, inserts, or replaces them altogether. */
export const damaged: fc.Arbitrary<(bytes: Uint8Array) => Uint8Array> = fc.oneof(
  fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })).map(([at, mask]) => (bytes: Uint8Array) => {
    const copy = Buffer.from(bytes);
    copy[at % copy.length] = (copy[at % copy.length] ?? 0) ^ mask;
    return copy;
  }),
  fc.nat().map((at) => (bytes: Uint8Array) => bytes.subarray(0, at % bytes.length)),
  fc
    .tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 8 }))
    .map(([at, more]) => (bytes: Uint8Array) => {
      const cut = at % bytes.length;
      return Buffer.concat([bytes.subarray(0, cut), more, bytes.subarray(cut)]);
    }),
  fc.uint8Array({ maxLength: 64 }).map((garbage) => () => garbage),
);
