import { expect, test } from "vitest";
import { Background } from "../../src/host/background.ts";
import type { Clock, Timer } from "../../src/host/ports.ts";

/** Time that passes as the test says: how long steps and turns take is the point here. */
class HandClock implements Clock {
  now = 0;
  #deferred: (() => void)[] = [];
  #timers: { readonly dueMs: number; readonly callback: () => void }[] = [];

  nowMs(): number {
    return this.now;
  }

  wallMs(): number {
    return this.now;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { dueMs: this.now + delayMs, callback };
    this.#timers.push(timer);
    return { cancel: () => void this.#timers.splice(this.#timers.indexOf(timer), 1) };
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  /** One turn of the event loop, in which others take `othersMs`. */
  turn(othersMs = 0): void {
    const due = this.#timers.filter(({ dueMs }) => dueMs <= this.now);
    this.#timers = this.#timers.filter(({ dueMs }) => dueMs > this.now);
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const { callback } of due) callback();
    for (const callback of deferred) callback();
    this.now += othersMs;
  }
}

/** Steps that take `stepMs` each, and when they were done. */
function stepsOf(clock: HandClock, background: Background, count: number, stepMs: number): number[] {
  const doneAt: number[] = [];
  for (let number = 0; number < count; number++) {
    background.queue(() => {
      doneAt.push(Number(clock.now.toFixed(3)));
      clock.now += stepMs;
    });
  }
  return doneAt;
}

test("steps are done in their order, one in a turn, and none from within the call that queues it", () => {
  const clock = new HandClock();
  const background = new Background(clock);
  const done: string[] = [];
  background.queue(() => {
    done.push("a");
    background.queue(() => done.push("c"));
  });
  background.queue(() => done.push("b"));
  expect(done).toEqual([]);
  for (const expected of [["a"], ["a", "b"], ["a", "b", "c"], ["a", "b", "c"]]) {
    clock.turn();
    expect(done).toEqual(expected);
  }
  background.queue(() => done.push("d"));
  clock.turn();
  expect(done).toEqual(["a", "b", "c", "d"]);
});

test("after a turn with a step three turns like it pass without one", () => {
  const clock = new HandClock();
  const doneAt = stepsOf(clock, new Background(clock), 3, 1);
  for (let turn = 0; turn < 100; turn++) clock.turn(turn % 2 === 0 ? 3 : 0.5);
  const [first = 0, second = 0, third = 0] = doneAt;
  expect(first).toBe(0);
  // 1 ms of its own and 3 of others.
  expect(second).toBeGreaterThanOrEqual(4 + 12);
  expect(second).toBeLessThan(4 + 12 + 4);
  expect(third - second).toBeGreaterThanOrEqual(1.5 * 4);
});

test("rests that are too short for a timer are saved up", () => {
  const clock = new HandClock();
  const doneAt = stepsOf(clock, new Background(clock), 5, 0.2);
  for (let turn = 0; turn < 500; turn++) clock.turn(turn === 0 || doneAt.length === 5 ? 0 : 0.01);
  const gaps = doneAt.slice(1).map((at, index) => at - (doneAt[index] as number));
  expect(doneAt).toHaveLength(5);
  expect(gaps.filter((gap) => gap < 0.5).length).toBeGreaterThanOrEqual(2);
  expect(gaps.filter((gap) => gap > 1).length).toBeGreaterThanOrEqual(1);
  // A quarter of the time at most, over all.
  expect((doneAt.at(-1) as number) / 5).toBeGreaterThan(0.5);
});

test("a rest ends after 25 ms, however long turns are, and a long turn lets more steps into the next", () => {
  const clock = new HandClock();
  const doneAt = stepsOf(clock, new Background(clock), 6, 0.5);
  clock.turn(39.5);
  expect(doneAt).toEqual([0]);
  clock.turn(25);
  clock.turn();
  // A tenth of 40 ms: eight steps would fit.
  expect(doneAt).toEqual([0, 65, 65.5, 66, 66.5, 67]);
});

test("who hurries does not rest", () => {
  const clock = new HandClock();
  const background = new Background(clock);
  const doneAt = stepsOf(clock, background, 3, 1);
  clock.turn(3);
  background.hurry();
  clock.turn(3);
  clock.turn();
  expect(doneAt).toEqual([0, 4, 8]);
});
