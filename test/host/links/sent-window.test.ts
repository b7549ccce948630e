import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvariantError } from "../../../src/base/assert.ts";
import { SentWindow } from "../../../src/host/links/sent-window.ts";

const KIB = 1024;
const WINDOW = 300 * KIB;

/** The bytes `from` .. `end`-1 of a stream whose values follow from their places. */
function pattern(from: number, end: number): Uint8Array {
  return Uint8Array.from({ length: end - from }, (_, at) => ((from + at) * 2_654_435_761) >>> 24);
}

/** Everything from `offset` on, put together from as many views as it takes. */
function restFrom(window: SentWindow, offset: number, bytesMax: number): Uint8Array {
  const rest = new Uint8Array(window.end - offset);
  for (let at = offset; at < window.end; ) {
    const bytes = window.at(at, bytesMax);
    expect(bytes.length).toBeGreaterThan(0);
    expect(bytes.length).toBeLessThanOrEqual(bytesMax);
    rest.set(bytes, at - offset);
    at += bytes.length;
  }
  return rest;
}

describe("the window of what was sent and is not digested", () => {
  test("holds exactly what was pushed and not let go, wherever it begins and however it grew", () => {
    const step = fc.record({
      pushed: fc.nat({ max: 100 * KIB }),
      released: fc.double({ min: 0, max: 1, noNaN: true }),
      from: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      bytesMax: fc.integer({ min: 1_000, max: 70 * KIB }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
        const window = new SentWindow(WINDOW);
        let from = 0;
        for (const { pushed, released, from: place, bytesMax } of steps) {
          const { end } = window;
          const piece = pattern(end, end + Math.min(pushed, from + WINDOW - end));
          window.push(piece);
          piece.fill(0);
          const offset = from + Math.floor(place * (window.end - from));
          expect(Buffer.compare(restFrom(window, offset, bytesMax), pattern(offset, window.end))).toBe(0);
          from += Math.floor(released * (window.end - from));
          window.release(from);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("can be full to the last byte, and no further", () => {
    const window = new SentWindow(WINDOW);
    window.push(pattern(0, WINDOW - 1));
    window.push(pattern(WINDOW - 1, WINDOW));
    expect(Buffer.compare(restFrom(window, 0, WINDOW), pattern(0, WINDOW))).toBe(0);
    expect(() => window.push(new Uint8Array(1))).toThrow(InvariantError);
    window.release(1);
    window.push(pattern(WINDOW, WINDOW + 1));
    expect(Buffer.compare(restFrom(window, 1, WINDOW), pattern(1, WINDOW + 1))).toBe(0);
  });

  test("gives nothing that was let go or never pushed, and takes nothing back", () => {
    const window = new SentWindow(WINDOW);
    window.push(pattern(0, 10));
    window.release(5);
    for (const offset of [4, 10]) expect(() => window.at(offset, 1)).toThrow(InvariantError);
    for (const offset of [4, 11]) expect(() => window.release(offset)).toThrow(InvariantError);
  });
});
