import { describe, expect, test } from "vitest";
import { Random } from "../../src/base/random.ts";
import { EventQueue } from "../../src/sim/event-queue.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";

describe("EventQueue", () => {
  test("events come out by time, and by order of making within one instant, whatever was cancelled", () => {
    const random = new Random(1, 2);
    const queue = new EventQueue();
    const expected: { atMs: number; label: number }[] = [];
    const seen: number[] = [];
    for (let label = 0; label < 2_000; label++) {
      const atMs = random.nextBelow(50);
      const event = queue.add(atMs, () => seen.push(label));
      if (random.nextBelow(3) > 0) event.cancel();
      else expected.push({ atMs, label });
    }
    expect(queue.size).toBe(expected.length);
    for (let event = queue.take(); event !== undefined; event = queue.take()) event.run();
    expected.sort((left, right) => left.atMs - right.atMs || left.label - right.label);
    expect(seen).toEqual(expected.map((each) => each.label));
    expect(queue.size).toBe(0);
  });
});

describe("VirtualClock", () => {
  test("time moves only while it is run, and timers run at their time", async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    clock.setTimer(20, () => seen.push(`b@${clock.nowMs()}`));
    clock.setTimer(10, () => seen.push(`a@${clock.nowMs()}`));
    clock.setTimer(30, () => seen.push(`c@${clock.nowMs()}`)).cancel();
    expect(seen).toEqual([]);
    await clock.runFor(15);
    expect(seen).toEqual(["a@10"]);
    expect(clock.nowMs()).toBe(15);
    await clock.runFor(100);
    expect(seen).toEqual(["a@10", "b@20"]);
    expect(clock.nowMs()).toBe(115);
  });

  test("a deferred callback runs after every event of its instant and before time moves", async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    clock.setTimer(5, () => {
      clock.defer(() => seen.push(`deferred@${clock.nowMs()}`));
      clock.setTimer(0, () => seen.push("same instant"));
      seen.push("first");
    });
    clock.setTimer(5, () => seen.push("second"));
    clock.setTimer(6, () => seen.push("later"));
    await clock.runFor(10);
    expect(seen).toEqual(["first", "second", "same instant", "deferred@5", "later"]);
  });

  test("continuations of promises run before the next event of the same instant", async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    const layered = async (depth: number): Promise<void> => {
      if (depth > 0) await layered(depth - 1);
    };
    clock.setTimer(1, () => {
      void layered(6).then(() => seen.push("promise"));
    });
    clock.setTimer(1, () => seen.push("event"));
    await clock.runFor(1);
    expect(seen).toEqual(["promise", "event"]);
  });

  test("runUntil stops at the first event that makes the predicate true, and says when none did", async () => {
    const clock = new VirtualClock();
    let count = 0;
    for (let at = 1; at <= 5; at++) clock.setTimer(at, () => count++);
    expect(await clock.runUntil(() => count === 3, 100)).toBe(true);
    expect(clock.nowMs()).toBe(3);
    expect(await clock.runUntil(() => count === 9, 100)).toBe(false);
    expect(clock.nowMs()).toBe(103);
  });

  test("a halted node hears of no timer and no deferred call, and the others go on", async () => {
    const clock = new VirtualClock();
    const [dead, alive] = [clock.process(), clock.process()];
    const seen: string[] = [];
    for (const [name, node] of [["dead", dead] as const, ["alive", alive] as const]) {
      node.setTimer(5, () => seen.push(`${name} timer`));
      node.defer(() => seen.push(`${name} deferred`));
    }
    dead.halt();
    await clock.runFor(10);
    expect(seen).toEqual(["alive deferred", "alive timer"]);
  });

  test("a wrong wall clock leaves monotonic time alone", async () => {
    const clock = new VirtualClock({ wallOriginMs: 1_000 });
    const node = clock.process();
    node.wallSkewMs = -500;
    await clock.runFor(7);
    expect([node.nowMs(), node.wallMs(), clock.wallMs()]).toEqual([7, 507, 1_007]);
  });

  test("an exception in a callback reaches the caller, and the clock can be run again", async () => {
    const clock = new VirtualClock();
    clock.setTimer(1, () => {
      throw new Error("broken");
    });
    await expect(clock.runFor(5)).rejects.toThrow("broken");
    await clock.runFor(5);
    expect(clock.nowMs()).toBe(6);
  });

  test("a loop that never lets time pass is reported instead of hanging", async () => {
    const clock = new VirtualClock({ microtaskHops: 0 });
    const again = (): void => clock.defer(again);
    again();
    await expect(clock.runFor(1)).rejects.toThrow("virtual time goes on");
  });
});
