import { expect, test } from "vitest";
import { SoonestTimer } from "../../src/host/soonest-timer.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";

test("the soonest wish counts, fires once, and nothing fires after the end", async () => {
  const clock = new VirtualClock();
  const fired: number[] = [];
  const timer = new SoonestTimer(clock, () => fired.push(clock.nowMs()));
  timer.within(100);
  timer.within(20);
  timer.within(50);
  await clock.runFor(200);
  expect(fired).toEqual([20]);
  timer.within(30);
  await clock.runFor(100);
  expect(fired).toEqual([20, 230]);
  timer.within(10);
  timer.close();
  timer.within(10);
  await clock.runFor(100);
  expect(fired).toEqual([20, 230]);
});
