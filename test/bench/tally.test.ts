import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Tally } from "./tally.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a tally", () => {
  it("counts what is answered while its window is open", () => {
    const tally = new Tally();
    tally.succeeded(1, 1);
    tally.begin();
    vi.advanceTimersByTime(2_000);
    tally.succeeded(5, 3);
    tally.end();
    tally.succeeded(1_000, 1);
    expect(tally.outcome()).toMatchObject({ operations: 3, seconds: 2 });
    expect(tally.outcome().tail?.maxMs).toBeCloseTo(5, 1);
  });

  it("counts what was asked in its window and answered later, where that is wanted", () => {
    const tally = new Tally();
    tally.begin();
    vi.advanceTimersByTime(2_000);
    tally.end({ late: true });
    vi.advanceTimersByTime(500);
    tally.succeeded(700, 1);
    // Asked when the window was over.
    tally.succeeded(400, 1);
    expect(tally.outcome()).toMatchObject({ operations: 1, seconds: 2 });
    expect(Math.round(tally.outcome().tail?.maxMs ?? 0)).toBeGreaterThan(690);
  });
});
