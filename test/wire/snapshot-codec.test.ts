import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bootNonce, logIndex, nodeId } from "../../src/base/ids.ts";
import { CacheMachine } from "../../src/cache/cache-machine.ts";
import type { SnapshotChunk } from "../../src/cache/snapshot-record.ts";
import { ByteWriter } from "../../src/wire/byte-writer.ts";
import { crc32 } from "../../src/wire/crc32.ts";
import { decodeSnapshotChunk, encodeSnapshotChunk } from "../../src/wire/snapshot-codec.ts";
import { WireError } from "../../src/wire/wire-error.ts";
import { damaged } from "./arbitrary-bytes.ts";
import { crcBitByBit } from "./crc-bit-by-bit.ts";

function filled(): CacheMachine {
  const machine = new CacheMachine();
  const node = nodeId("00000000000000aa");
  const boot = bootNonce("00000000000000bb");
  machine.apply(logIndex(1), 1_000.5, [
    { session: 0, sequence: 0, lowWater: 0, command: { type: "open-session", node, boot } },
    ...Array.from({ length: 100 }, (_, at) => ({
      session: 1,
      sequence: at + 1,
      lowWater: 90,
      command: {
        type: "set" as const,
        key: `key-\xff${at}`,
        value: "\0\x80\xff".repeat(at),
        ttlMs: at % 2 === 0 ? 0 : 5_000 + at,
        condition: "always" as const,
        expectedVersion: 0,
        returnOld: true,
      },
    })),
  ]);
  return machine;
}

function chunksOf(machine: CacheMachine, maxBytes: number): SnapshotChunk[] {
  const source = machine.beginSnapshot();
  const chunks: SnapshotChunk[] = [];
  for (let chunk = source.next(maxBytes); chunk !== null; chunk = source.next(maxBytes)) chunks.push(chunk);
  return chunks;
}

function encoded(chunk: SnapshotChunk): Uint8Array {
  const writer = new ByteWriter();
  encodeSnapshotChunk(writer, chunk);
  return writer.take();
}

describe("snapshot codec", () => {
  it("carries a shard from one machine to another", () => {
    const machine = filled();
    const sink = new CacheMachine();
    const restore = sink.beginRestore();
    for (const chunk of chunksOf(machine, 1_000)) {
      const bytes = encoded(chunk);
      const decoded = decodeSnapshotChunk(bytes);
      expect(decoded).toEqual(chunk);
      bytes.fill(0);
      restore.write(decoded);
    }
    restore.finish();
    expect(sink.digest()).toBe(machine.digest());
  });

  it("notices any damage", () => {
    const bytes = chunksOf(filled(), 2_000).map(encoded);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), damaged, (at, damage) => {
        const original = bytes[at] ?? new Uint8Array();
        const changed = damage(original);
        fc.pre(Buffer.compare(changed, original) !== 0);
        expect(() => decodeSnapshotChunk(changed)).toThrow(WireError);
      }),
      { numRuns: 1_000 },
    );
  });

  it("refuses nonsense under a valid checksum with a WireError too", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (garbage) => {
        const bytes = Buffer.concat([Buffer.alloc(4), garbage]);
        bytes.writeUInt32BE(crc32(garbage));
        try {
          decodeSnapshotChunk(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("crc32", () => {
  it("is what its polynomial says, from any start", () => {
    expect(crc32(Buffer.from("123456789"))).toBe(0xcbf4_3926);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(20), (bytes, start) => {
        expect(crc32(bytes, start)).toBe(crcBitByBit(0xedb8_8320, bytes.slice(start)));
      }),
    );
  });
});
