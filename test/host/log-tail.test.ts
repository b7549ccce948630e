import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cutOfLog, type TailedLog, type TailLimits } from "../../src/host/log-tail.ts";

const LIMITS: TailLimits = { logEntriesMax: 1_000, logBytesMax: 16_000, logBytesMin: 2_000 };
const NOBODY = new Map<string, number>();
const ALL = Number.POSITIVE_INFINITY;

/** A log of `kept` entries of 10 bytes from index 101 on, all applied. */
function logOf(kept: number, heldByAll = ALL, entryBytes = 10): TailedLog {
  return { firstIndex: 101, applied: 100 + kept, logBytes: kept * entryBytes, heldByAll };
}

describe("a tail that nobody is known to need", () => {
  test("stays while it is short, and is halved beyond", () => {
    expect(cutOfLog(logOf(200), 0, NOBODY, LIMITS)).toBeNull();
    expect(cutOfLog(logOf(201), 0, NOBODY, LIMITS)).toBe(301 - 100);
  });

  test("may be as long as a sixteenth of the machine, up to the limit", () => {
    expect(cutOfLog(logOf(400), 64_000, NOBODY, LIMITS)).toBeNull();
    expect(cutOfLog(logOf(401), 64_000, NOBODY, LIMITS)).toBe(501 - 200);
    expect(cutOfLog(logOf(401), 1e9, NOBODY, LIMITS)).toBeNull();
    expect(cutOfLog(logOf(900, ALL, 18), 1e9, NOBODY, LIMITS)).toBe(1_000 - 450);
  });

  test("has so many entries at most, however small they are", () => {
    expect(cutOfLog(logOf(1_000, ALL, 1), 1e9, NOBODY, LIMITS)).toBeNull();
    expect(cutOfLog(logOf(1_001, ALL, 1), 1e9, NOBODY, LIMITS)).toBe(1_101 - 500);
  });
});

// A follower may lead next, and whoever lacks the last values then would need a snapshot before it could acknowledge anything.
test("a few entries stay, however large, within the limits", () => {
  expect(cutOfLog(logOf(1, ALL, 3_000), 0, NOBODY, LIMITS)).toBeNull();
  expect(cutOfLog(logOf(16, ALL, 1_000), 0, NOBODY, LIMITS)).toBeNull();
  expect(cutOfLog(logOf(22, ALL, 500), 0, NOBODY, LIMITS)).toBe(122 - 16);
  expect(cutOfLog(logOf(16, ALL, 1_001), 0, NOBODY, LIMITS)).toBe(116 - 8);
});

describe("what a member lacks", () => {
  test("stays up to the limit, and no further", () => {
    expect(cutOfLog(logOf(800, 90), 0, NOBODY, LIMITS)).toBeNull();
    expect(cutOfLog(logOf(800, 102, 20), 0, NOBODY, LIMITS)).toBeNull();
    expect(cutOfLog(logOf(801, 90, 20), 0, NOBODY, LIMITS)).toBe(901 - 400);
    expect(cutOfLog(logOf(1_001, 90, 1), 0, NOBODY, LIMITS)).toBe(1_101 - 500);
  });

  test("does not keep what it has, once that is worth a cut", () => {
    expect(cutOfLog(logOf(800, 299), 0, NOBODY, LIMITS)).toBeNull();
    expect(cutOfLog(logOf(800, 300), 0, NOBODY, LIMITS)).toBe(300);
    expect(cutOfLog(logOf(800, 700), 0, NOBODY, LIMITS)).toBe(900 - 400);
  });
});

describe("what the receiver of a snapshot will need", () => {
  test("stays up to four times the limits", () => {
    const receivers = new Map([
      ["a", 700],
      ["b", 150],
    ]);
    expect(cutOfLog(logOf(2_000), 0, receivers, LIMITS)).toBe(150);
    expect(cutOfLog(logOf(4_000, ALL, 1), 0, receivers, LIMITS)).toBe(4_100 - 500);
    expect(cutOfLog(logOf(3_000, ALL, 30), 0, receivers, LIMITS)).toBe(3_100 - 500);
    expect(cutOfLog(logOf(2_000), 0, new Map([["a", 100]]), LIMITS)).toBeNull();
  });
});

test("whatever is asked: only what is applied is cut, and what is left is within the limits or needed", () => {
  fc.assert(
    fc.property(
      fc.record({
        kept: fc.integer({ min: 0, max: 6_000 }),
        entryBytes: fc.integer({ min: 1, max: 200 }),
        held: fc.option(fc.integer({ min: 0, max: 7_000 }), { nil: ALL }),
        machineBytes: fc.integer({ min: 0, max: 1_000_000 }),
        snapshots: fc.array(fc.integer({ min: 0, max: 7_000 }), { maxLength: 3 }),
      }),
      ({ kept, entryBytes, held, machineBytes, snapshots }) => {
        const log = logOf(kept, held, entryBytes);
        const to = cutOfLog(log, machineBytes, new Map(snapshots.entries()), LIMITS);
        const tooMuch = kept > LIMITS.logEntriesMax || log.logBytes > LIMITS.logBytesMax;
        if (to === null) {
          if (tooMuch) expect(Math.min(...snapshots)).toBeLessThan(log.firstIndex);
          return;
        }
        expect(to).toBeGreaterThanOrEqual(log.firstIndex);
        expect(to).toBeLessThanOrEqual(log.applied);
        const left = log.applied - to;
        if (!tooMuch) expect(to).toBeLessThanOrEqual(Math.min(held, log.applied - 16));
        else if (snapshots.every((index) => index >= to + 1))
          expect(left).toBeLessThanOrEqual(500 + kept / 2);
      },
    ),
  );
});
