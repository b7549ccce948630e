import { describe, expect, test } from "vitest";
import { Random } from "../../src/base/random.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { VirtualNetwork } from "../../src/sim/virtual-network.ts";
import { ENTRY } from "../../src/sim/virtual-process.ts";

describe("a paused process", () => {
  test("runs nothing until it is resumed, then everything that came due, in order", async () => {
    const clock = new VirtualClock();
    const process = clock.process();
    const seen: string[] = [];
    for (const at of [3, 1, 2]) process.setTimer(at, () => seen.push(`timer ${at}@${clock.nowMs()}`));
    process.pause();
    process.enter(ENTRY.client, 0, () => seen.push("asked"));
    await clock.runFor(10);
    expect(seen).toEqual([]);
    expect(process.nowMs()).toBe(10);
    process.resume();
    await clock.runFor(1);
    expect(seen).toEqual(["asked", "timer 1@10", "timer 2@10", "timer 3@10"]);
  });

  test("does not run a timer that something before it in its backlog cancels", async () => {
    const clock = new VirtualClock();
    const process = clock.process();
    const seen: string[] = [];
    const second = process.setTimer(2, () => seen.push("second"));
    process.setTimer(1, () => {
      seen.push("first");
      second.cancel();
    });
    process.pause();
    await clock.runFor(5);
    process.resume();
    await clock.runFor(5);
    expect(seen).toEqual(["first"]);
  });

  test("that is killed meanwhile never runs again", async () => {
    const clock = new VirtualClock();
    const process = clock.process();
    const seen: string[] = [];
    process.setTimer(1, () => seen.push("timer"));
    process.pause();
    await clock.runFor(5);
    process.halt();
    process.resume();
    await clock.runFor(5);
    expect(seen).toEqual([]);
    expect(process.halted).toBe(true);
  });

  test("finds datagrams and bytes waiting when it goes on, beyond what a kernel keeps only bytes", async () => {
    const clock = new VirtualClock();
    const network = new VirtualNetwork(clock, new Random(1, 2));
    const [a, b] = [
      { host: "10.0.0.1", port: 1 },
      { host: "10.0.0.2", port: 2 },
    ];
    const process = clock.process();
    const sender = network.datagrams(a);
    let datagrams = 0;
    network.datagrams(b, process).onMessage = () => datagrams++;
    const streams = network.streams(b, process);
    let bytes = 0;
    streams.onConnection = (connection) => {
      connection.onData = (piece) => {
        bytes += piece.length;
      };
    };
    const connection = network.streams(a).connect(b, 1_000);
    await clock.runFor(10);
    process.pause();
    connection.write(new Uint8Array(200_000));
    for (let each = 0; each < 2_000; each++) sender.send(b, new Uint8Array(10));
    await clock.runFor(100);
    expect([datagrams, bytes]).toEqual([0, 0]);
    process.resume();
    await clock.runFor(100);
    expect(bytes).toBe(200_000);
    expect(datagrams).toBe(512);
  });
});

describe("the clocks of a process", () => {
  test("may start anywhere and run fast or slow, and timers go by them", async () => {
    const clock = new VirtualClock();
    const fast = clock.process({ originMs: 1_000, rate: 1.25, wallSkewMs: -60_000 });
    const seen: number[] = [];
    fast.setTimer(100, () => seen.push(clock.nowMs()));
    await clock.runFor(200);
    expect(seen).toEqual([80]);
    expect(fast.nowMs()).toBe(1_250);
    expect(fast.wallMs()).toBe(clock.wallMs() - 60_000);
  });
});
