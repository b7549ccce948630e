/**
 * The virtual disk loses, tears and damages what a disk may, never more, and a reader of it is never told a wrong value.
 */
import { describe, expect, it } from "vitest";
import { groupId, logIndex, term } from "../../src/base/ids.ts";
import { Random } from "../../src/base/random.ts";
import type { StoredPast } from "../../src/host/ports.ts";
import { configurationOf } from "../../src/raft/configuration.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { type DiskConditions, VirtualDisk } from "../../src/sim/virtual-disk.ts";
import { VirtualLogStore } from "../../src/sim/virtual-log-store.ts";

const text = (payload: Uint8Array): string => new TextDecoder().decode(payload);

function world(seed = 1, conditions: Partial<DiskConditions> = {}) {
  const clock = new VirtualClock();
  const disk = new VirtualDisk(clock, new Random(seed, 7), conditions);
  const events: string[] = [];
  const append = (name: string): void =>
    disk.append(new TextEncoder().encode(name), (error) => events.push(`${name} ${error?.message ?? "ok"}`));
  return { clock, disk, events, append };
}

describe("a virtual disk", () => {
  it("confirms writes later and in order, however long each of them takes", async () => {
    const { clock, events, append } = world(3, { slowRate: 0.5 });
    for (let write = 0; write < 50; write++) append(`w${write}`);
    expect(events).toEqual([]);
    await clock.runFor(1_000);
    expect(events).toEqual(Array.from({ length: 50 }, (_, write) => `w${write} ok`));
  });

  it("confirms nothing while it is stalled", async () => {
    const { clock, disk, events, append } = world();
    append("a");
    disk.stallFor(500);
    append("b");
    await clock.runFor(499);
    expect(events).toEqual([]);
    await clock.runFor(2);
    expect(events).toEqual(["a ok", "b ok"]);
  });

  it("keeps all that was confirmed over a crash, and of the rest a first part", async () => {
    let kept = 0;
    let lost = 0;
    let torn = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const { clock, disk, events, append } = world(seed);
      for (let write = 0; write < 12; write++) append(`w${write}`);
      await clock.runFor(seed % 3);
      const confirmed = events.length;
      disk.crash();
      const read = disk.read().map(({ payload }) => text(payload));
      expect(read.length).toBeGreaterThanOrEqual(confirmed);
      expect(read).toEqual(Array.from(read, (_, write) => `w${write}`));
      await clock.runFor(1_000);
      expect(events).toHaveLength(confirmed);
      kept += disk.counters.kept;
      lost += disk.counters.lost;
      torn += disk.counters.torn;
    }
    for (const count of [kept, lost, torn]) expect(count).toBeGreaterThan(20);
  });

  it("goes on behind what it kept", async () => {
    const { clock, disk, events, append } = world(5);
    append("a");
    append("b");
    disk.crash();
    const before = disk.read().map(({ payload }) => text(payload));
    append("c");
    await clock.runFor(100);
    expect(events).toEqual(["c ok"]);
    disk.crash();
    expect(disk.read().map(({ payload }) => text(payload))).toEqual([...before, "c"]);
  });

  it("fails writes while it is full, in their turn, and leaves no hole when there is space again", async () => {
    const { clock, disk, events, append } = world();
    append("a");
    disk.full = true;
    append("b");
    disk.full = false;
    append("c");
    await clock.runFor(100);
    append("d");
    await clock.runFor(100);
    expect(events.map((event) => event.slice(0, 4))).toEqual(["a ok", "b th", "c th", "d ok"]);
    disk.crash();
    expect(disk.read().map(({ payload }) => text(payload))).toEqual(["a", "d"]);
  });

  it("says that it is damaged when a bit of what was confirmed is wrong", async () => {
    for (let seed = 1; seed <= 300; seed++) {
      const { clock, disk, append } = world(seed);
      for (let write = 0; write < 6; write++) append(`w${write}`);
      await clock.runFor(100);
      disk.flipBit();
      disk.crash();
      expect(disk.read().every(({ intact }) => intact)).toBe(false);
    }
  });

  it("is cut, not damaged, when the last record is wrong and was never confirmed", async () => {
    let cut = 0;
    let damaged = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const { clock, disk, events, append } = world(seed);
      for (let write = 0; write < 3; write++) append(`w${write}`);
      await clock.runFor(seed % 3);
      const confirmed = events.length;
      disk.crash();
      disk.flipBit();
      const found = disk.read();
      if (found.some(({ intact }) => !intact)) {
        damaged++;
        continue;
      }
      const read = found.map(({ payload }) => text(payload));
      expect(read.length).toBeGreaterThanOrEqual(confirmed);
      expect(read).toEqual(Array.from(read, (_, write) => `w${write}`));
      cut++;
    }
    expect(cut).toBeGreaterThan(10);
    expect(damaged).toBeGreaterThan(10);
  });
});

describe("a log store on a disk that was cut at any byte", () => {
  it("loads what some first part of its calls made, never anything else", async () => {
    const clock = new VirtualClock();
    const disk = new VirtualDisk(clock, new Random(1, 2));
    const store = new VirtualLogStore(disk, clock);
    await store.load();
    const states: string[] = [await loaded(disk.cutAt(0))];
    for (const call of CALLS) {
      call(store);
      states.push(await loaded(disk.cutAt(disk.size)));
    }
    expect(new Set(states).size).toBe(CALLS.length + 1);
    let reached = 0;
    for (let bytes = 0; bytes <= disk.size; bytes++) {
      const state = await loaded(disk.cutAt(bytes));
      const at = states.indexOf(state);
      expect(at, `cut at ${bytes}`).toBeGreaterThanOrEqual(reached);
      reached = at;
    }
    expect(reached).toBe(CALLS.length);
  });
});

const GROUP = groupId(3);
const none = (): void => {};
const baseAt = (index: number) => ({
  index: logIndex(index),
  term: term(1),
  configuration: configurationOf([]),
});
const slices = [new Uint8Array([1, 2, 3]), new Uint8Array(300).fill(7)];

const CALLS: readonly ((store: VirtualLogStore) => void)[] = [
  (store) => {
    const hardState = { term: term(1), vote: null, commit: logIndex(1) };
    store.write([{ group: GROUP, base: baseAt(1), checkpoint: null, entries: [], hardState }], none);
  },
  ...Array.from({ length: 6 }, (_, at) => (store: VirtualLogStore): void => {
    const entry = {
      kind: "data",
      index: logIndex(2 + at),
      term: term(1),
      data: new Uint8Array(at * 40).fill(at),
    } as const;
    const hardState = { term: term(1), vote: null, commit: logIndex(1 + at) };
    store.write([{ group: GROUP, base: null, checkpoint: null, entries: [entry], hardState }], none);
  }),
  (store) => store.checkpoint(GROUP, baseAt(4), slices, none),
  (store) => {
    const hardState = { term: term(1), vote: null, commit: logIndex(20) };
    store.write([{ group: GROUP, base: baseAt(20), checkpoint: slices, entries: [], hardState }], none);
  },
  (store) => store.remove(GROUP, { term: term(1), vote: null, lastIndex: logIndex(20), lastTerm: term(1) }),
];

async function loaded(disk: VirtualDisk): Promise<string> {
  const past: StoredPast = await new VirtualLogStore(disk, new VirtualClock()).load();
  return JSON.stringify(past, (_, value: unknown) => (value instanceof Uint8Array ? [...value] : value));
}
