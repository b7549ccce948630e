import { describe, expect, it } from "vitest";
import { Suspicions } from "../../src/swim/suspicions.ts";
import { idOf } from "./virtual-network.ts";

const victim = idOf(1);
const other = idOf(2);
const [a, b, c, d] = [idOf(3), idOf(4), idOf(5), idOf(6)];
const BOUNDS = { minMs: 1_000, maxMs: 9_000, confirmationsNeeded: 2 };

describe("a suspicion", () => {
  it("runs out after the longest time when nobody confirms", () => {
    const suspicions = new Suspicions();
    suspicions.start(0, victim, a, BOUNDS);
    expect(suspicions.nextDeadlineMs()).toBe(9_000);
    expect(suspicions.expire(8_999)).toEqual([]);
    expect(suspicions.expire(9_000)).toEqual([victim]);
    expect(suspicions.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
  });

  it("is shortened by each independent confirmation, down to the shortest time", () => {
    const suspicions = new Suspicions();
    suspicions.start(0, victim, a, BOUNDS);
    expect(suspicions.confirm(victim, b)).toBe(true);
    const half = 9_000 - (8_000 * Math.log(2)) / Math.log(3);
    expect(suspicions.deadlineMs(victim)).toBeCloseTo(half, 6);
    expect(suspicions.nextDeadlineMs()).toBeCloseTo(half, 6);
    expect(suspicions.confirm(victim, c)).toBe(true);
    expect(suspicions.deadlineMs(victim)).toBe(1_000);
  });

  it("is not confirmed by the same accuser twice, nor by more than are needed", () => {
    const suspicions = new Suspicions();
    suspicions.start(0, victim, a, BOUNDS);
    expect(suspicions.confirm(victim, a)).toBe(false);
    expect(suspicions.confirm(victim, b)).toBe(true);
    expect(suspicions.confirm(victim, b)).toBe(false);
    expect(suspicions.confirm(victim, c)).toBe(true);
    expect(suspicions.confirm(victim, d)).toBe(false);
    expect(suspicions.confirm(other, a)).toBe(false);
  });

  it("that was stopped never runs out", () => {
    const suspicions = new Suspicions();
    suspicions.start(0, victim, a, BOUNDS);
    suspicions.stop(victim);
    expect(suspicions.size).toBe(0);
    expect(suspicions.expire(100_000)).toEqual([]);
  });

  it("is prolonged by the time in which we were not running, also when it is confirmed afterwards", () => {
    const suspicions = new Suspicions();
    suspicions.start(0, victim, a, BOUNDS);
    suspicions.postpone(5_000);
    expect(suspicions.expire(13_999)).toEqual([]);
    suspicions.confirm(victim, b);
    suspicions.confirm(victim, c);
    expect(suspicions.deadlineMs(victim)).toBe(6_000);
  });

  it("does not delay another one", () => {
    const suspicions = new Suspicions();
    suspicions.start(0, victim, a, BOUNDS);
    suspicions.start(500, other, a, { ...BOUNDS, maxMs: 2_000 });
    expect(suspicions.nextDeadlineMs()).toBe(2_500);
    expect(suspicions.expire(2_500)).toEqual([other]);
    expect(suspicions.nextDeadlineMs()).toBe(9_000);
  });
});
