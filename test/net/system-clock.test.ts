import { afterEach, describe, expect, it, vi } from "vitest";
import { SystemClock } from "../../src/net/system-clock.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("the system clock", () => {
  it("tells a time that never goes back, and the time of day", () => {
    const clock = new SystemClock();
    const before = Date.now();
    const times = Array.from({ length: 1_000 }, () => clock.nowMs());
    expect(times).toEqual([...times].sort((left, right) => left - right));
    expect(clock.wallMs()).toBeGreaterThanOrEqual(before);
  });

  it("never calls a timer early", async () => {
    const clock = new SystemClock();
    for (const delayMs of [0, 0.4, 1.5, 3.7, 10.2]) {
      const startMs = clock.nowMs();
      await new Promise<void>((resolve) => clock.setTimer(delayMs, resolve));
      expect(clock.nowMs() - startMs).toBeGreaterThanOrEqual(delayMs);
    }
  });

  it("does not call a cancelled timer, however often it is cancelled", () => {
    vi.useFakeTimers();
    const callback = vi.fn();
    const timer = new SystemClock().setTimer(5, callback);
    timer.cancel();
    timer.cancel();
    vi.advanceTimersByTime(100);
    expect(callback).not.toHaveBeenCalled();
  });

  it("waits longer than a timer of Node.js can", () => {
    vi.useFakeTimers();
    const callback = vi.fn();
    const monthMs = 30 * 24 * 3_600_000;
    new SystemClock().setTimer(monthMs, callback);
    vi.advanceTimersByTime(monthMs - 1);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  it("defers to the end of the turn, after promises", async () => {
    const clock = new SystemClock();
    const order: string[] = [];
    const deferred = new Promise<void>((resolve) =>
      clock.defer(() => {
        order.push("deferred");
        resolve();
      }),
    );
    await Promise.resolve();
    order.push("promise");
    await deferred;
    expect(order).toEqual(["promise", "deferred"]);
  });
});
