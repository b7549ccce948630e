import { describe, expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import { BULK_CHUNK_BYTES_MAX, type BulkSink } from "../../../src/host/links/bulk-stream.ts";
import { type LinkNode, LinkWorld, nonceOf } from "./link-world.ts";

const KIB = 1024;

function bytesOf(seed: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => ((at + seed) * 2_654_435_761) >>> 24);
}

/** Keeps what it is given; digests after a while; finishes after a while. */
class SlowSink implements BulkSink {
  readonly chunks: Uint8Array[] = [];
  readonly outcome: string[] = [];
  readonly #node: LinkNode;
  readonly #digestMs: number;
  readonly #finishMs: number;

  constructor(node: LinkNode, digestMs: number, finishMs: number) {
    this.#node = node;
    this.#digestMs = digestMs;
    this.#finishMs = finishMs;
  }

  write(chunk: Uint8Array): void | Promise<void> {
    this.chunks.push(new Uint8Array(chunk));
    if (this.#digestMs > 0) return this.#after(this.#digestMs);
  }

  async finish(): Promise<string> {
    this.outcome.push("finish");
    await this.#after(this.#finishMs);
    return "done";
  }

  abort(error: Error): void {
    this.outcome.push(`abort: ${error.message}`);
  }

  #after(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#node.clock.setTimer(ms, resolve));
  }
}

function stream(seed: number, length: number, digestMs: number, finishMs: number, options = {}) {
  const world = new LinkWorld({}, seed);
  const [a, b] = [world.node(1, { options }), world.node(2, { options })];
  const sink = new SlowSink(b, digestMs, finishMs);
  let admitted = 0;
  b.bulk.onIncoming = () => {
    admitted++;
    return sink;
  };
  const content = bytesOf(seed, length);
  let at = 0;
  const view = new Uint8Array(BULK_CHUNK_BYTES_MAX);
  const source = {
    next: (bytesMax: number) => {
      if (at === length) return null;
      view.fill(0); // valid until the next call only
      const piece = content.subarray(at, at + bytesMax);
      at += piece.length;
      view.set(piece);
      return view.subarray(0, piece.length);
    },
  };
  const sent = a.bulk.send(b.id, b.address, null, source);
  sent.catch(() => {});
  return { world, a, b, sink, content, sent, admitted: () => admitted };
}

describe("a bulk stream whose connections break", () => {
  test("gives its sink every byte once, in order, and finishes once, wherever it is cut", async () => {
    let resumed = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const random = new Random(7, seed);
      const finishMs = random.nextBelow(3) * 200;
      const s = stream(seed, random.nextBelow(3_000 * KIB), random.nextBelow(3) * 20, finishMs);
      s.a.bulk.bytesPerSecondMax = random.nextBetween(500 * KIB, 8_000 * KIB);
      await s.world.until(() => s.admitted() === 1);
      await s.world.clock.runFor(10);
      for (let cut = random.nextBelow(6); cut > 0; cut--) {
        await s.world.clock.runFor(random.nextBelow(400));
        s.world.network.breakStreams(s.a.address, s.b.address, "reset");
      }
      expect([seed, await s.world.settled(s.sent)]).toEqual([seed, "done"]);
      const taken = Buffer.concat(s.sink.chunks);
      expect([seed, taken.length, taken.compare(s.content)]).toEqual([seed, s.content.length, 0]);
      expect([seed, s.admitted(), s.sink.outcome]).toEqual([seed, 1, ["finish"]]);
      await s.world.clock.runFor(100);
      expect([s.a.bulk.sending, s.b.bulk.receiving]).toEqual([0, 0]);
      resumed += s.a.bulk.counters.resumed;
    }
    expect(resumed).toBeGreaterThan(30);
  });

  test("fetches a result that was lost, without finishing twice", async () => {
    const s = stream(1, 100, 0, 500);
    await s.world.until(() => s.sink.outcome.length === 1);
    s.world.network.partition(s.a.address, s.b.address);
    s.world.network.breakStreams(s.a.address, s.b.address, "reset");
    await s.world.clock.runFor(5_000);
    s.world.network.heal();
    expect(await s.world.settled(s.sent)).toBe("done");
    expect(s.sink.outcome).toEqual(["finish"]);
    expect(s.a.bulk.counters.resumed).toBe(1);
  });

  test("ends when its receiver was started anew, before the grace period is over", async () => {
    const s = stream(2, 1_000 * KIB, 0, 0);
    s.a.bulk.bytesPerSecondMax = 100 * KIB;
    await s.world.clock.runFor(2_000);
    s.world.crash(s.b);
    s.world.node(2, { boot: nonceOf(9) });
    await s.world.clock.runFor(3_000);
    await expect(s.sent).rejects.toMatchObject({ code: "CREMA_UNREACHABLE", retryable: true });
  });

  test("ends when the receiver has given it up, and a suspended one makes room for a new one", async () => {
    const s = stream(3, 1_000 * KIB, 0, 0, { bulkIncomingMax: 1 });
    s.a.bulk.bytesPerSecondMax = 100 * KIB;
    await s.world.clock.runFor(2_000);
    s.world.network.breakStreams(s.a.address, s.b.address, "reset");
    await s.world.clock.runFor(5);
    s.world.network.partition(s.a.address, s.b.address);
    await s.world.clock.runFor(1_000);
    expect([s.a.bulk.suspended, s.b.bulk.suspended]).toEqual([1, 1]);
    const c = s.world.node(3);
    s.b.bulk.onIncoming = () => new SlowSink(s.b, 0, 0);
    const other = c.bulk.send(s.b.id, s.b.address, null, { next: () => null });
    expect(await s.world.settled(other, 1_000)).toBe("done");
    expect(s.sink.outcome).toEqual(["abort: a suspended bulk stream made room"]);
    s.world.network.heal();
    await expect(s.world.settled(s.sent, 5_000)).rejects.toThrow("does not know this bulk stream any more");
  });
});

test("all streams of a node share its bandwidth equally, and waiting for it is no stall", async () => {
  const world = new LinkWorld();
  const options = { bulkStallTimeoutMs: 2_000 };
  const [a, b, c] = [world.node(1, { options }), world.node(2, { options }), world.node(3, { options })];
  a.bulk.bytesPerSecondMax = 64 * KIB;
  const sinks = [b, c].map((node) => {
    const sink = new SlowSink(node, 0, 0);
    node.bulk.onIncoming = () => sink;
    return sink;
  });
  const piece = new Uint8Array(300);
  for (const to of [b, c]) {
    const bytes = { next: (most: number) => (to === b ? new Uint8Array(most) : piece) };
    a.bulk.send(to.id, to.address, null, bytes).catch(() => {});
  }
  await world.clock.runFor(10_000);
  const taken = sinks.map(({ chunks }) => chunks.reduce((sum, { length }) => sum + length, 0));
  const all = (taken[0] ?? 0) + (taken[1] ?? 0);
  expect(all).toBeGreaterThan(600 * KIB);
  expect(all).toBeLessThan(660 * KIB);
  expect([a.bulk.sending, b.bulk.receiving, c.bulk.receiving]).toEqual([2, 1, 1]);
  a.bulk.close();
});
