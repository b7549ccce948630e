import { describe, expect, it } from "vitest";
import { CapacityLimits } from "../../../src/node/capacity/capacity-limits.ts";
import { DEFAULT_NODE_OPTIONS, type NodeOptions, resolveNodeOptions } from "../../../src/node/options.ts";

const MIB = 1024 * 1024;

function limits(given: Partial<NodeOptions>): CapacityLimits {
  return new CapacityLimits({ ...DEFAULT_NODE_OPTIONS, ...given });
}

describe("the limits of a node", () => {
  it("are none by default, and then nothing is over, beyond or worth counting", () => {
    const none = limits({});
    expect(none.isLimited).toBe(false);
    expect(none.needsUse).toBe(false);
    expect(none.isOver({ bytes: 1e15, entries: 1e15 })).toBe(false);
    expect(none.isBeyondCeiling({ bytes: 1e15, entries: 1e15 }, { bytes: 1, entries: 1 })).toBe(false);
  });

  it("aim a sixty-fourth below themselves, in whole numbers", () => {
    expect(limits({ maxMemoryBytes: 64 * MIB, maxEntries: 1_000 }).target).toEqual({
      bytes: 63 * MIB,
      entries: 984,
    });
    expect(limits({ maxEntries: 1 }).target.entries).toBe(0);
  });

  it("are passed by one byte or one key more, not before", () => {
    const both = limits({ maxMemoryBytes: MIB, maxEntries: 10 });
    expect(both.isOver({ bytes: MIB, entries: 10 })).toBe(false);
    expect(both.isOver({ bytes: MIB + 1, entries: 0 })).toBe(true);
    expect(both.isOver({ bytes: 0, entries: 11 })).toBe(true);
  });

  it.each([
    [{ maxMemoryBytes: 1_024 * MIB }, { bytes: 1_280 * MIB, entries: Number.POSITIVE_INFINITY }],
    [
      { maxMemoryBytes: 4 * MIB, maxEntries: 100 },
      { bytes: 36 * MIB, entries: 10_100 },
    ],
    [{ maxEntries: 1_000_000 }, { bytes: Number.POSITIVE_INFINITY, entries: 1_250_000 }],
    [
      { maxMemoryBytes: 4 * MIB, maxEntries: 100, evictionPolicy: "none" },
      { bytes: 4 * MIB, entries: 100 },
    ],
  ] as const)("refuse growth beyond a ceiling: %j", (options, ceiling) => {
    const found = limits(options);
    expect(found.ceiling).toEqual(ceiling);
    const full = { bytes: Math.min(ceiling.bytes, 1e15), entries: Math.min(ceiling.entries, 1e15) };
    expect(found.isBeyondCeiling(full, { bytes: 0, entries: 0 })).toBe(false);
    expect(found.isBeyondCeiling(full, { bytes: 1, entries: 1 })).toBe(true);
    expect(
      found.isBeyondCeiling({ bytes: full.bytes - 1, entries: full.entries - 1 }, { bytes: 1, entries: 1 }),
    ).toBe(false);
  });

  it("are left only with a tenth to spare in both", () => {
    const both = limits({ maxMemoryBytes: 10 * MIB, maxEntries: 100 });
    expect(both.hasLeft({ bytes: 8 * MIB, entries: 89 })).toBe(true);
    expect(both.hasLeft({ bytes: 8 * MIB, entries: 90 })).toBe(false);
    expect(both.hasLeft({ bytes: 9.5 * MIB, entries: 0 })).toBe(false);
  });

  it.each([
    [{ maxEntries: 5 }, true],
    [{ maxEntries: 5, evictionPolicy: "none" }, false],
    [{ idleTtlMs: 1_000, evictionPolicy: "none" }, true],
    [{ evictionPolicy: "lfu" }, false],
  ] as const)("need to know of use only where somebody chooses by it: %j is %s", (options, needed) => {
    expect(limits(options).needsUse).toBe(needed);
  });

  it.each([
    [{ maxMemoryBytes: 1_000 }, /maxMemoryBytes/],
    [{ maxMemoryBytes: -1 }, /maxMemoryBytes/],
    [{ maxEntries: 1.5 }, /maxEntries/],
    [{ idleTtlMs: 999 }, /idleTtlMs/],
    [{ idleTtlMs: 31 * 86_400_000 }, /idleTtlMs/],
    [{ evictionPolicy: "fifo" as "lru" }, /evictionPolicy/],
  ])("are refused when they make no sense: %j", (options, name) => {
    expect(() => resolveNodeOptions(options)).toThrow(name);
  });
});
