/**
 * What the bytes of a connection lie in, and for how long.
 */
import { expect, test } from "vitest";
import { FlushQueue } from "../../../src/host/links/flush-queue.ts";
import { FrameStream } from "../../../src/host/links/frame-stream.ts";
import { newLinkCounters } from "../../../src/host/links/link-counters.ts";
import { DEFAULT_LINK_OPTIONS } from "../../../src/host/links/link-options.ts";
import type { Connection } from "../../../src/host/ports.ts";
import { VirtualClock } from "../../../src/sim/virtual-clock.ts";
import { FRAME_BULK_DATA } from "../../../src/wire/frame-types.ts";

const KIB = 1024;

/** A stream whose connection `takes` what is written at once, or keeps it waiting. */
function stream(takes: boolean) {
  const clock = new VirtualClock();
  const writes: Uint8Array[] = [];
  const connection = {
    bufferedBytes: 0,
    write: (bytes: Uint8Array) => {
      writes.push(bytes);
      return takes;
    },
  } as unknown as Connection;
  const counters = newLinkCounters();
  const context = { clock, options: DEFAULT_LINK_OPTIONS, counters, flushes: new FlushQueue(clock) };
  const frames = new FrameStream(context, connection, 1024 * KIB);
  const send = (bytes: number, fill: number): Uint8Array => {
    frames.beginFrame(FRAME_BULK_DATA)?.raw(new Uint8Array(bytes).fill(fill));
    frames.endFrame();
    frames.flush();
    return writes.at(-1) as Uint8Array;
  };
  return { send };
}

test("frames are written into the same bytes while the network takes them at once", () => {
  const { send } = stream(true);
  const first = send(64 * KIB, 1);
  expect(send(60 * KIB, 2).buffer).toBe(first.buffer);
});

test("what the network has not taken stays as it is", () => {
  const { send } = stream(false);
  const first = send(64 * KIB, 1);
  const sent = new Uint8Array(first);
  for (let fill = 2; fill < 5; fill++) send(64 * KIB, fill);
  expect(Buffer.compare(first, sent)).toBe(0);
});

test("they are let go when frames are small again, for there may be many links", () => {
  const { send } = stream(true);
  const first = send(64 * KIB, 1);
  send(10, 2);
  expect(send(64 * KIB, 3).buffer).not.toBe(first.buffer);
});

test("a large buffer is not kept for small frames", () => {
  const { send } = stream(true);
  const first = send(500 * KIB, 1);
  expect(send(10 * KIB, 2).buffer).not.toBe(first.buffer);
});
