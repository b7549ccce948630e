import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FRAME_BYTES_MAX } from "../../src/base/limits.ts";
import { ByteWriter } from "../../src/wire/byte-writer.ts";
import { beginFrame, endFrame, FrameReader } from "../../src/wire/frame.ts";
import { WireError } from "../../src/wire/wire-error.ts";

interface Frame {
  readonly type: number;
  readonly body: Buffer;
}

function encode(frames: readonly Frame[]): Uint8Array {
  const writer = new ByteWriter();
  for (const { type, body } of frames) {
    const start = beginFrame(writer, type);
    writer.raw(body);
    endFrame(writer, start);
  }
  return new Uint8Array(writer.copy());
}

function collector(frameBytesMax?: number): { reader: FrameReader; frames: Frame[] } {
  const frames: Frame[] = [];
  const reader = new FrameReader(
    (type, body) => frames.push({ type, body: Buffer.from(body) }),
    frameBytesMax,
  );
  return { reader, frames };
}

const SOME: readonly Frame[] = [
  { type: 1, body: Buffer.from("hello") },
  { type: 255, body: Buffer.alloc(0) },
  { type: 7, body: Buffer.from("a longer body of a frame") },
];

describe("FrameReader", () => {
  test("a stream cut in two anywhere gives the same frames", () => {
    const bytes = encode(SOME);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const { reader, frames } = collector();
      reader.push(bytes.slice(0, cut));
      reader.push(bytes.slice(cut));
      expect(frames).toEqual(SOME);
    }
  });

  test("a stream cut anyhow gives the same frames, though every chunk is overwritten after the call", () => {
    const frame = fc.record({
      type: fc.integer({ min: 0, max: 255 }),
      body: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    });
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 50 })),
        (sent, sizes) => {
          const bytes = encode(sent);
          const { reader, frames } = collector();
          let at = 0;
          for (let turn = 0; at < bytes.length; turn++) {
            const size = sizes.length === 0 ? 1 : (sizes[turn % sizes.length] as number);
            const chunk = bytes.slice(at, at + size);
            reader.push(chunk);
            chunk.fill(0xee);
            at += size;
          }
          expect(frames).toEqual(sent);
        },
      ),
    );
  });

  test("a frame that lies within one chunk is a view on it, not a copy", () => {
    const bytes = encode(SOME);
    const views: Uint8Array[] = [];
    const reader = new FrameReader((_type, body) => views.push(body));
    reader.push(bytes);
    expect(views.every((view) => view.buffer === bytes.buffer)).toBe(true);
  });

  test("the largest frame goes through, in pieces, without quadratic copying", () => {
    const body = Buffer.alloc(FRAME_BYTES_MAX - 5, 3);
    const bytes = encode([{ type: 9, body }]);
    let copied = 0;
    const set = Buffer.prototype.set;
    let received = 0;
    const reader = new FrameReader((_type, view) => {
      received = view.length;
    });
    Buffer.prototype.set = function (source: ArrayLike<number>, offset?: number) {
      copied += source.length;
      set.call(this, source, offset);
    };
    try {
      for (let at = 0; at < bytes.length; at += 16_384) reader.push(bytes.subarray(at, at + 16_384));
    } finally {
      Buffer.prototype.set = set;
    }
    expect(received).toBe(body.length);
    expect(copied).toBeLessThanOrEqual(bytes.length);
    expect(copied).toBeGreaterThan(bytes.length / 2);
  });

  test("large frames one after the other share one buffer, and none is seen in another", () => {
    const bodies = [1_000_000, 700_000, 1_200_000, 300_000].map((bytes, at) => Buffer.alloc(bytes, at + 1));
    const bytes = encode(bodies.map((body) => ({ type: 9, body })));
    const buffers: ArrayBufferLike[] = [];
    const frames: Buffer[] = [];
    const reader = new FrameReader((_type, body) => {
      buffers.push(body.buffer);
      frames.push(Buffer.from(body));
    });
    for (let at = 0; at < bytes.length; at += 50_000) reader.push(bytes.subarray(at, at + 50_000));
    expect(frames.map((frame, at) => frame.equals(bodies[at] as Buffer))).toEqual([true, true, true, true]);
    // The third did not fit.
    expect(buffers[1]).toBe(buffers[0]);
    expect(buffers[2]).not.toBe(buffers[1]);
    expect(buffers[3]).toBe(buffers[2]);
  });

  test("a frame that is heard while a large one is, has a buffer of its own", () => {
    const outer = Buffer.alloc(600_000, 1);
    const inner = Buffer.alloc(500_000, 2);
    let seen = "";
    const reader: FrameReader = new FrameReader((type, body) => {
      if (type === 1) {
        const bytes = encode([{ type: 2, body: inner }]);
        reader.push(bytes.subarray(0, 10));
        reader.push(bytes.subarray(10));
      }
      seen += `${type}: ${body.every((byte) => byte === type)} `;
    });
    const bytes = encode([{ type: 1, body: outer }]);
    reader.push(bytes.subarray(0, 10));
    reader.push(bytes.subarray(10));
    expect(seen).toBe("2: true 1: true ");
  });

  test.each([
    ["zero", [0, 0, 0, 0]],
    ["one above the limit", [0x02, 0, 0, 0]],
    ["far above the limit", [0xff, 0xff, 0xff, 0xff]],
    ["the beginning of an HTTP request", [...Buffer.from("GET / HTTP/1.1\r\n")]],
  ])("a length that is %s is refused, whether it comes in one chunk or in bytes", (_name, bytes) => {
    const whole = collector();
    expect(() => whole.reader.push(Uint8Array.from(bytes))).toThrow(WireError);
    const single = collector();
    expect(() => {
      for (const byte of bytes) single.reader.push(Uint8Array.of(byte));
    }).toThrow(WireError);
    whole.reader.push(encode(SOME));
    expect(whole.frames).toEqual([]);
  });

  test("strangers get the small limit that was set for them, until it is lifted", () => {
    const big: Frame = { type: 1, body: Buffer.alloc(100) };
    const { reader, frames } = collector(50);
    reader.push(encode(SOME));
    expect(() => reader.push(encode([big]))).toThrow(WireError);
    const trusted = collector(50);
    trusted.reader.limit(200);
    trusted.reader.push(encode([big]));
    expect(frames).toEqual(SOME);
    expect(trusted.frames).toEqual([big]);
  });

  test("after stop nothing more is delivered, not even from the chunk at hand", () => {
    const types: number[] = [];
    const reader = new FrameReader((type) => {
      types.push(type);
      reader.stop();
    });
    reader.push(encode(SOME));
    reader.push(encode(SOME));
    expect(types).toEqual([1]);
  });
});

test("a frame above the limit is never sent, and the frames before it are kept", () => {
  const writer = new ByteWriter();
  const first = beginFrame(writer, 1);
  writer.u8(5);
  endFrame(writer, first);
  const kept = writer.length;
  const start = beginFrame(writer, 2);
  writer.raw(new Uint8Array(FRAME_BYTES_MAX - 4));
  expect(() => endFrame(writer, start)).toThrow("a frame keeps below its limit");
  expect(writer.length).toBe(kept);
});
