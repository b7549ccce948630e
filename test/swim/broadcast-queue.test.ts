import { describe, expect, it } from "vitest";
import { BroadcastQueue, retransmitLimit } from "../../src/swim/broadcast-queue.ts";
import type { SwimMessage } from "../../src/swim/messages.ts";

describe("the retransmit limit", () => {
  it.each([
    [1, 4],
    [9, 4],
    [10, 8],
    [99, 8],
    [100, 12],
    [999, 12],
    [1_000, 16],
  ])("of a group of %i is %i", (members, limit) => {
    expect(retransmitLimit(4, members)).toBe(limit);
  });
});

describe("the broadcast queue", () => {
  it("sends each item exactly as often as the limit says", () => {
    const queue = new BroadcastQueue(10);
    queue.enqueue("a", message(1), 10);
    const sent = Array.from({ length: 6 }, () => fill(queue, 100, 4));
    expect(sent).toEqual([[1], [1], [1], [1], [], []]);
    expect(queue.size).toBe(0);
  });

  it("sends what was sent the fewest times first, and of the never sent the newest", () => {
    const queue = new BroadcastQueue(10);
    queue.enqueue("a", message(1), 10);
    queue.enqueue("b", message(2), 10);
    expect(fill(queue, 10)).toEqual([2]);
    queue.enqueue("c", message(3), 10);
    expect(fill(queue, 20)).toEqual([3, 1]);
    // All went out once; the one that waits the longest goes first.
    expect(fill(queue, 10)).toEqual([2]);
    expect(fill(queue, 30)).toEqual([3, 1, 2]);
  });

  it("lets a newer item of a key replace the older one, which starts anew", () => {
    const queue = new BroadcastQueue(10);
    queue.enqueue("a", message(1), 10);
    fill(queue, 10);
    fill(queue, 10);
    queue.enqueue("a", message(2), 10);
    expect(queue.size).toBe(1);
    expect([fill(queue, 10), fill(queue, 10), fill(queue, 10), fill(queue, 10), fill(queue, 10)]).toEqual([
      [2],
      [2],
      [2],
      [2],
      [],
    ]);
  });

  it("counts the bytes of what is still to be sent", () => {
    const queue = new BroadcastQueue(2);
    queue.enqueue("a", message(1), 10);
    queue.enqueue("b", message(2), 20);
    expect(queue.bytes).toBe(30);
    queue.enqueue("b", message(3), 25);
    expect(queue.bytes).toBe(35);
    queue.enqueue("c", message(4), 5);
    expect(queue.bytes).toBe(30);
    for (let sends = 0; sends < 4; sends++) fill(queue, 100, 4);
    expect([queue.bytes, queue.size]).toEqual([0, 0]);
  });

  it("replaces a never sent item among others", () => {
    const queue = new BroadcastQueue(10);
    for (const [key, value] of [
      ["a", 1],
      ["b", 2],
      ["c", 3],
    ] as const)
      queue.enqueue(key, message(value), 10);
    queue.enqueue("b", message(4), 10);
    expect(fill(queue, 100)).toEqual([4, 3, 1]);
  });

  it("fills a packet to the byte and never beyond", () => {
    const queue = new BroadcastQueue(10);
    queue.enqueue("large", message(1), 60);
    queue.enqueue("small", message(2), 40);
    queue.enqueue("medium", message(3), 50);
    const packet: SwimMessage[] = [];
    expect(queue.fill(packet, 100, 4)).toBe(10);
    expect(packet).toEqual([message(3), message(2)]);
    expect(queue.fill([], 59, 4)).toBe(9);
  });

  it("never holds more than its capacity: what was sent most often makes room", () => {
    const queue = new BroadcastQueue(3);
    queue.enqueue("a", message(1), 10);
    fill(queue, 10);
    queue.enqueue("b", message(2), 10);
    queue.enqueue("c", message(3), 10);
    queue.enqueue("d", message(4), 10);
    expect(queue.size).toBe(3);
    expect(queue.has("a")).toBe(false);
    queue.enqueue("e", message(5), 10);
    expect(queue.has("b")).toBe(false);
    expect(fill(queue, 100)).toEqual([5, 4, 3]);
  });
});

function message(sequence: number): SwimMessage {
  return { type: "nack", sequence };
}

function fill(queue: BroadcastQueue, bytes: number, limit = 4): number[] {
  const packet: SwimMessage[] = [];
  queue.fill(packet, bytes, limit);
  return packet.map((sent) => (sent.type === "nack" ? sent.sequence : -1));
}
