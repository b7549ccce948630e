import { describe, expect, it } from "vitest";
import { resolveSwimOptions } from "../../src/swim/options.ts";
import { suspicionBounds, suspicionTimeoutMs } from "../../src/swim/suspicion-timeout.ts";

const LAN = resolveSwimOptions();

describe("the bounds of a suspicion", () => {
  it.each([
    // members, min = 4 * max(1, log10 n) * 1 s, max = 6 * min, K
    [2, 4_000, 4_000, 0],
    [3, 4_000, 4_000, 0],
    [4, 4_000, 24_000, 2],
    [10, 4_000, 24_000, 2],
    [100, 8_000, 48_000, 2],
    [1_000, 12_000, 72_000, 2],
  ])("of a group of %i follow the published formula", (members, minMs, maxMs, confirmationsNeeded) => {
    const bounds = suspicionBounds(LAN, members);
    expect(bounds.minMs).toBeCloseTo(minMs, 6);
    expect(bounds.maxMs).toBeCloseTo(maxMs, 6);
    expect(bounds.confirmationsNeeded).toBe(confirmationsNeeded);
  });
});

describe("the suspicion timeout", () => {
  // max - (max - min) * log(C + 1) / log(K + 1), with min 2 s, max 30 s, K 3: worked out by hand.
  const bounds = { minMs: 2_000, maxMs: 30_000, confirmationsNeeded: 3 };
  it.each([
    [0, 30_000],
    [1, 16_000],
    [2, 7_810.525],
    [3, 2_000],
    [4, 2_000],
    [100, 2_000],
  ])("after %i confirmations is %i ms", (confirmations, timeoutMs) => {
    expect(suspicionTimeoutMs(bounds, confirmations)).toBeCloseTo(timeoutMs, 2);
  });

  it("is the shortest at once when nobody can confirm", () => {
    expect(suspicionTimeoutMs({ minMs: 4_000, maxMs: 4_000, confirmationsNeeded: 0 }, 0)).toBe(4_000);
  });
});
