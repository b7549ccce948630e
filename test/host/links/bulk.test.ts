import { describe, expect, test } from "vitest";
import { CremaError } from "../../../src/base/errors.ts";
import {
  BULK_CHUNK_BYTES_MAX,
  BULK_WINDOW_BYTES,
  type BulkSink,
  type BulkSource,
  readAbort,
  sendOpening,
} from "../../../src/host/links/bulk-stream.ts";
import { FRAME_BULK_ABORT, FRAME_RAFT } from "../../../src/wire/frame-types.ts";
import type { Identity } from "../../../src/wire/handshake-codec.ts";
import { idOf, type LinkNode, LinkWorld, sendText } from "./link-world.ts";

const MIB = 1024 * 1024;

/** `bytes` bytes whose values follow from their place, and how many were read. */
class PatternSource implements BulkSource {
  readonly #bytes: number;
  at = 0;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  next(bytesMax: number): Uint8Array | null {
    if (this.at === this.#bytes) return null;
    const piece = pattern(this.at, Math.min(bytesMax, this.#bytes - this.at));
    this.at += piece.length;
    return piece;
  }
}

function pattern(at: number, bytes: number): Uint8Array {
  const piece = new Uint8Array(bytes);
  for (let index = 0; index < bytes; index++) piece[index] = ((at + index) * 2_654_435_761) >>> 24;
  return piece;
}

/** Checks every byte and notes how the stream ended. */
class PatternSink implements BulkSink {
  bytes = 0;
  wrong = 0;
  outcome = "";

  write(chunk: Uint8Array): void | Promise<void> {
    if (Buffer.compare(chunk, pattern(this.bytes, chunk.length)) !== 0) this.wrong++;
    this.bytes += chunk.length;
  }

  finish(): unknown | Promise<unknown> {
    this.outcome += "finished";
    return { bytes: this.bytes };
  }

  abort(error: Error): void {
    this.outcome += `aborted: ${error.message}`;
  }
}

function pair(world = new LinkWorld()) {
  const [a, b] = [world.node(1), world.node(2)];
  const sink = new PatternSink();
  const headers: unknown[] = [];
  b.bulk.onIncoming = (header: unknown, from: Identity) => {
    headers.push([header, from.node]);
    return sink;
  };
  return { world, a, b, sink, headers };
}

interface SendSettings {
  /** Of everything that `from` sends. */
  readonly bytesPerSecondMax?: number;
  readonly signal?: AbortSignal;
}

function send(
  from: LinkNode,
  to: LinkNode,
  source: BulkSource,
  { bytesPerSecondMax, ...options }: SendSettings = {},
): Promise<unknown> {
  if (bytesPerSecondMax !== undefined) from.bulk.bytesPerSecondMax = bytesPerSecondMax;
  const sent = from.bulk.send(to.id, to.address, { kind: "test" }, source, options);
  sent.catch(() => {});
  return sent;
}

describe("a bulk stream", () => {
  test.each([0, 1, 100, MIB, 50 * MIB])(
    "of %i bytes arrives whole and answers the sink's result",
    async (bytes) => {
      const { world, a, b, sink, headers } = pair();
      const result = await world.settled(send(a, b, new PatternSource(bytes)));
      expect(result).toEqual({ bytes });
      expect([sink.bytes, sink.wrong, sink.outcome]).toEqual([bytes, 0, "finished"]);
      expect(headers).toEqual([[{ kind: "test" }, a.id]]);
      await world.clock.runFor(100);
      expect([a.bulk.sending, b.bulk.receiving, b.links.connections]).toEqual([0, 0, 0]);
    },
  );

  test("reads its source no faster than the receiver digests", async () => {
    const { world, a, b, sink } = pair();
    const writes: (() => void)[] = [];
    const write = sink.write.bind(sink);
    sink.write = (chunk) => {
      write(chunk);
      return new Promise<void>((resolve) => writes.push(resolve));
    };
    const source = new PatternSource(20 * MIB);
    const sent = send(a, b, source);
    await world.clock.runFor(5_000);
    expect(source.at).toBe(BULK_WINDOW_BYTES);
    let digested = 0;
    while (sink.outcome === "") {
      for (const digest of writes.splice(0, 4)) {
        digest();
        digested++;
      }
      await world.clock.runFor(10);
      expect(source.at).toBeLessThanOrEqual(BULK_WINDOW_BYTES + digested * BULK_CHUNK_BYTES_MAX);
    }
    expect(await world.settled(sent)).toEqual({ bytes: 20 * MIB });
    expect(sink.wrong).toBe(0);
  });

  test("reads one piece per turn, so that other frames of the sender leave in between", async () => {
    const { world, a, b } = pair();
    world.introduce(a, b);
    const channel = await world.link(a, b);
    let reads = 0;
    let deferredRan = true;
    const source = new PatternSource(10 * MIB);
    const paced: BulkSource = {
      next: (bytesMax) => {
        expect(deferredRan).toBe(true);
        deferredRan = false;
        a.clock.defer(() => {
          deferredRan = true;
        });
        reads++;
        return source.next(bytesMax);
      },
    };
    const sent = send(a, b, paced);
    sendText(channel, FRAME_RAFT, "heartbeat");
    await world.until(() => b.frames.length === 1, 20);
    await world.settled(sent);
    expect(reads).toBe((10 * MIB) / BULK_CHUNK_BYTES_MAX + 1);
  });

  test("keeps below the bandwidth it was given", async () => {
    const { world, a, b, sink } = pair();
    const sent = send(a, b, new PatternSource(MIB), { bytesPerSecondMax: 100 * 1024 });
    await world.clock.runFor(5_000);
    expect(sink.bytes).toBeGreaterThan(450 * 1024);
    expect(sink.bytes).toBeLessThan(550 * 1024);
    await world.settled(sent);
    expect(world.clock.nowMs()).toBeGreaterThan(9_800);
    expect(world.clock.nowMs()).toBeLessThan(10_800);
  });

  test("that is slow because it was told to be is not stalled, and one cannot be told to stand still", async () => {
    const world = new LinkWorld({ delayMs: 200 });
    const a = world.node(1, { options: { bulkStallTimeoutMs: 900 } });
    const b = world.node(2);
    const sink = new PatternSink();
    b.bulk.onIncoming = () => sink;
    const slow = { bytesPerSecondMax: 1_024 };
    expect(await world.settled(send(a, b, new PatternSource(20 * 1_024), slow))).toEqual({
      bytes: 20 * 1_024,
    });
    for (const bytesPerSecondMax of [1_023, 0, -1, Number.NaN]) {
      expect(() => {
        a.bulk.bytesPerSecondMax = bytesPerSecondMax;
      }).toThrow(RangeError);
    }
  });

  test("is refused with the receiver's reason", async () => {
    const { world, a, b } = pair();
    b.bulk.onIncoming = () => new CremaError("CREMA_NOT_READY", "no such group", { retryable: true });
    const source = new PatternSource(MIB);
    await expect(world.settled(send(a, b, source))).rejects.toMatchObject({
      code: "CREMA_NOT_READY",
      message: "no such group",
      retryable: true,
    });
    expect(source.at).toBe(0);
  });

  test("goes only to the node it is meant for", async () => {
    const { world, a, b, sink } = pair();
    const sent = a.bulk.send(idOf(5), b.address, null, new PatternSource(1));
    await expect(world.settled(sent)).rejects.toMatchObject({ code: "CREMA_UNREACHABLE" });
    expect(sink.outcome).toBe("");
  });
});

describe("a bulk stream that fails", () => {
  test("because its source throws: the sender gets the very error, the sink an abort", async () => {
    const { world, a, b, sink } = pair();
    const failure = new Error("disk gone");
    const source = new PatternSource(20 * MIB);
    const failing: BulkSource = {
      next: (bytesMax) => {
        if (source.at > MIB) throw failure;
        return source.next(bytesMax);
      },
    };
    await expect(world.settled(send(a, b, failing))).rejects.toBe(failure);
    await world.clock.runFor(50);
    expect(sink.outcome).toBe("aborted: bulk stream failed: disk gone");
  });

  test.each(["write", "promise", "finish"])(
    "because the sink fails in its %s: the sender hears why",
    async (where) => {
      const { world, a, b, sink } = pair();
      const failure = new CremaError("CREMA_REMOVED", "group removed");
      if (where === "finish") sink.finish = () => Promise.reject(failure);
      else {
        sink.write = () => {
          if (where === "promise") return Promise.reject(failure);
          throw failure;
        };
      }
      await expect(world.settled(send(a, b, new PatternSource(8 * MIB)))).rejects.toMatchObject({
        code: "CREMA_REMOVED",
        message: "group removed",
      });
      await world.clock.runFor(50);
      expect(sink.outcome).toBe(where === "finish" ? "" : "aborted: group removed");
      expect(b.bulk.receiving).toBe(0);
    },
  );

  test("because its sender gives up: the sink hears an abort, once", async () => {
    const { world, a, b, sink } = pair();
    const controller = new AbortController();
    const sent = send(a, b, new PatternSource(MIB), { bytesPerSecondMax: 10_000, signal: controller.signal });
    await world.clock.runFor(2_000);
    controller.abort();
    await expect(world.settled(sent)).rejects.toMatchObject({ code: "CREMA_ABORTED" });
    await world.clock.runFor(50);
    expect(sink.outcome).toBe("aborted: the bulk stream was aborted by its sender");
  });

  test("because one end dies: the other waits for the grace period and no longer", async () => {
    for (const victim of ["sender", "receiver"]) {
      const { world, a, b, sink } = pair();
      const sent = send(a, b, new PatternSource(MIB), { bytesPerSecondMax: 10_000 });
      await world.clock.runFor(2_000);
      world.crash(victim === "sender" ? a : b);
      await world.clock.runFor(29_900);
      expect((victim === "sender" ? b : a).bulk.suspended).toBe(1);
      await world.clock.runFor(200);
      if (victim === "sender") expect(sink.outcome).toContain("broke for good");
      else await expect(sent).rejects.toMatchObject({ code: "CREMA_UNREACHABLE", retryable: true });
    }
  });

  test("because the network is cut: both ends give up after their timeouts", async () => {
    const { world, a, b, sink } = pair();
    const sent = send(a, b, new PatternSource(MIB), { bytesPerSecondMax: 100_000 });
    await world.clock.runFor(2_000);
    world.network.partition(a.address, b.address);
    await world.clock.runFor(5_500);
    expect([a.bulk.sending, b.bulk.receiving]).toEqual([1, 1]);
    await world.clock.runFor(35_500);
    await expect(sent).rejects.toMatchObject({ code: "CREMA_UNREACHABLE", retryable: true });
    expect(sink.outcome).toMatch(/^aborted: the bulk stream from \d+ broke for good$/);
    expect([a.bulk.sending, b.bulk.receiving]).toEqual([0, 0]);
  });

  test.each([false, true])("because a living sender sends nothing (header sent: %s)", async (opened) => {
    const { world, a, b, sink } = pair();
    let reason = "";
    a.links.dial({ to: b.address, purpose: "bulk", expected: null }, (channel) => {
      if (channel === null) return;
      channel.onFrame = (type, body) => {
        if (type === FRAME_BULK_ABORT) reason = readAbort(body).message;
      };
      if (opened) sendOpening(channel, { streamHigh: 1, streamLow: 2, resumed: false, header: null });
    });
    await world.clock.runFor(9_900);
    expect(b.bulk.receiving).toBe(opened ? 1 : 0);
    await world.clock.runFor(200);
    expect(reason).toMatch(/stalled for 10\d\d\d ms$/);
    expect(sink.outcome === "").toBe(!opened);
    expect(b.bulk.receiving).toBe(0);
  });

  test("because the sink never digests: the sender gives up, and a sink that takes its time does not make it", async () => {
    const { world, a, b, sink } = pair();
    sink.write = () => new Promise(() => {});
    const sent = send(a, b, new PatternSource(8 * MIB));
    await expect(world.settled(sent, 12_000)).rejects.toMatchObject({ code: "CREMA_TIMEOUT" });
    const patient = pair();
    let digesting = 0;
    const write = patient.sink.write.bind(patient.sink);
    patient.sink.write = (chunk) => {
      write(chunk);
      digesting++;
      return new Promise<void>((resolve) => {
        patient.b.clock.setTimer(9_000, () => {
          digesting--;
          resolve();
        });
      });
    };
    patient.sink.finish = () => ({ bytes: patient.sink.bytes, digesting });
    const result = await patient.world.settled(send(patient.a, patient.b, new PatternSource(20 * MIB)));
    expect(result).toEqual({ bytes: 20 * MIB, digesting: 0 });
  });

  test("because the receiver takes too long to finish: the outcome is ambiguous", async () => {
    const { world, a, b, sink } = pair();
    sink.finish = () => new Promise(() => {});
    const sent = send(a, b, new PatternSource(100));
    await world.clock.runFor(59_000);
    expect(a.bulk.sending).toBe(1);
    await world.clock.runFor(12_000);
    await expect(sent).rejects.toMatchObject({ code: "CREMA_TIMEOUT", ambiguous: true });
  });

  test("because there are too many, at either end: busy", async () => {
    const { world, a, b } = pair();
    const c = world.node(3);
    b.bulk.onIncoming = () => new PatternSink();
    const slow = { bytesPerSecondMax: 2_000 };
    const held = Array.from({ length: 4 }, () => send(a, b, new PatternSource(MIB), slow));
    await expect(send(a, b, new PatternSource(1))).rejects.toMatchObject({ code: "CREMA_BUSY" });
    await world.until(() => b.bulk.receiving === 4, 100);
    await expect(world.settled(send(c, b, new PatternSource(1)), 100)).rejects.toMatchObject({
      code: "CREMA_BUSY",
      retryable: true,
    });
    b.bulk.close();
    for (const each of held)
      await expect(world.settled(each, 100)).rejects.toMatchObject({ code: "CREMA_CLOSED" });
  });
});
