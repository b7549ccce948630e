import { describe, expect, it } from "vitest";
import { EventThrottle } from "../../src/swim/event-throttle.ts";

describe("the event throttle", () => {
  it("lets one event of a subject through in each interval", () => {
    const throttle = new EventThrottle(10);
    expect([0, 1, 9, 10, 19, 20].map((nowMs) => throttle.allow(nowMs, "a"))).toEqual([
      true,
      false,
      false,
      true,
      false,
      true,
    ]);
  });

  it("keeps subjects apart, and remembers the latest 64", () => {
    const throttle = new EventThrottle(1_000);
    for (let at = 0; at <= 64; at++) expect(throttle.allow(at, `subject ${at}`)).toBe(true);
    expect(throttle.allow(100, "subject 64")).toBe(false);
    expect(throttle.allow(100, "subject 0")).toBe(true);
  });
});
