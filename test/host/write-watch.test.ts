/** When a store is taken for one that stalls, and when it is believed again. */
import { expect, test } from "vitest";
import { WriteWatch } from "../../src/host/write-watch.ts";

const STALL_TICKS = 10;
const CALM_TICKS = 50;

class Store {
  readonly said: boolean[] = [];
  readonly watch = new WriteWatch(STALL_TICKS, CALM_TICKS, (stalled) => this.said.push(stalled));

  give(count: number): void {
    for (let write = 0; write < count; write++) this.watch.given();
  }

  confirm(count: number): void {
    for (let write = 0; write < count; write++) this.watch.confirmed();
  }

  ticks(count: number): void {
    for (let tick = 0; tick < count; tick++) this.watch.tick();
  }
}

test("a write that waits for so many ticks is a stall", () => {
  const store = new Store();
  store.ticks(100);
  store.give(3);
  store.ticks(STALL_TICKS);
  expect(store.said).toEqual([]);
  store.ticks(1);
  expect(store.said).toEqual([true]);
});

test("a store that is behind, however far, but confirms what is older does not stall", () => {
  const store = new Store();
  for (let tick = 0; tick < 200; tick++) {
    store.give(10);
    store.ticks(1);
    if (tick >= STALL_TICKS - 2) store.confirm(10);
  }
  expect(store.said).toEqual([]);
});

test("a stall is over when nothing has been late for long enough, writes in plenty or none", () => {
  const store = new Store();
  store.give(1);
  store.ticks(STALL_TICKS + 40);
  store.give(5);
  store.confirm(1);
  store.ticks(5);
  store.confirm(5);
  store.ticks(CALM_TICKS - 6);
  expect(store.said).toEqual([true]);
  store.ticks(1);
  expect(store.said).toEqual([true, false]);
  expect(store.watch.stalled).toBe(false);
});

test("a second stall soon after the first begins the calm anew", () => {
  const store = new Store();
  store.give(1);
  store.ticks(STALL_TICKS + 1);
  store.confirm(1);
  store.ticks(CALM_TICKS - 15);
  store.give(1);
  store.ticks(STALL_TICKS + 1);
  store.confirm(1);
  store.ticks(CALM_TICKS - 1);
  expect(store.said).toEqual([true]);
  store.ticks(1);
  expect(store.said).toEqual([true, false]);
});
