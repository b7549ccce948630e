import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CremaError } from "../../src/base/errors.ts";
import { shardId } from "../../src/base/ids.ts";
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from "../../src/base/limits.ts";
import {
  BACKUP_FRAME_BYTES_MAX,
  BackupEntriesWriter,
  type BackupEntry,
  backupFrameBytes,
  decodeBackupEntries,
  decodeBackupFrame,
  encodeBackupBlock,
  encodeBackupFailed,
} from "../../src/wire/backup-codec.ts";
import { WireError } from "../../src/wire/wire-error.ts";
import { binaryString } from "./arbitrary-bytes.ts";
import { blockOf, entry, fileParts, SMALL_FILE } from "./backup-support.ts";

const entries: fc.Arbitrary<BackupEntry[]> = fc.array(
  fc.record({
    key: binaryString(40).filter((key) => key !== ""),
    value: binaryString(200),
    remainingMs: fc.option(fc.maxSafeInteger().map((ms) => Math.max(1, Math.abs(ms)))),
  }),
  { maxLength: 30 },
);

function entriesOf(frame: Uint8Array): readonly BackupEntry[] {
  const block = decodeBackupFrame(frame);
  if (block.type !== "block") throw new Error(`a ${block.type}, not a block`);
  return decodeBackupEntries(block);
}

describe("a block of a backup", () => {
  it("carries keys, values and times to live, whatever bytes they are made of", () => {
    fc.assert(
      fc.property(entries, fc.nat(4_095), fc.nat(), (given, shard, sequence) => {
        const frame = blockOf(shard, sequence, given);
        expect(decodeBackupFrame(frame)).toMatchObject({ shard, sequence, entries: given.length });
        expect(entriesOf(frame)).toEqual(given);
        expect(backupFrameBytes(frame, 0)).toBe(frame.length);
      }),
    );
  });

  it("holds the largest entry there can be, also one that cannot be packed", () => {
    const noise = Buffer.from(
      Uint8Array.from({ length: VALUE_BYTES_MAX }, (_, at) => Math.imul(at + 1, 2_654_435_761) >>> 13),
    ).toString("latin1");
    const largest = entry("k".repeat(KEY_BYTES_MAX), noise, Number.MAX_SAFE_INTEGER);
    const frame = blockOf(0, 0, [entry("before", "v".repeat(256 * 1024 - 20)), largest]);
    expect(frame.length).toBeLessThanOrEqual(BACKUP_FRAME_BYTES_MAX);
    const [, back] = entriesOf(frame);
    expect(back?.value === noise && back.key === largest.key).toBe(true);
  });

  it("that announces another number of keys than it holds is refused", () => {
    const writer = new BackupEntriesWriter();
    writer.add(entry("a"));
    const packed = writer.pack();
    for (const count of [0, 2, 1_000_000_000]) {
      const frame = encodeBackupBlock({ shard: shardId(0), sequence: 0, entries: count, packed });
      expect(() => entriesOf(frame)).toThrow(WireError);
    }
  });

  it("with an empty key, or a time to live that is over, is refused", () => {
    expect(() => entriesOf(blockOf(0, 0, [entry("")]))).toThrow(WireError);
    expect(() => entriesOf(blockOf(0, 0, [entry("a", "b", 0)]))).toThrow(WireError);
  });
});

describe("a part of a backup", () => {
  it("is refused with any bit flipped and at any cut", () => {
    for (const part of fileParts(SMALL_FILE).slice(1)) {
      for (let bit = 0; bit < part.length * 8; bit++) {
        const damaged = Uint8Array.from(part);
        damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(() => decodeBackupFrame(damaged)).toThrow(WireError);
      }
      for (let end = 0; end < part.length; end++) {
        expect(() => decodeBackupFrame(part.subarray(0, end))).toThrow(WireError);
      }
    }
  });

  it("of an absurd length is refused before anybody waits for it", () => {
    expect(() => backupFrameBytes(Uint8Array.of(2, 0xff, 0xff, 0xff, 0xff), 0)).toThrow(WireError);
    expect(backupFrameBytes(Uint8Array.of(2, 0xff, 0xff), 0)).toBeNull();
  });

  it("carries the failure of a stream with its code", () => {
    const error = new CremaError("CREMA_UNREACHABLE", "the leader died", { retryable: true });
    const frame = decodeBackupFrame(encodeBackupFailed(error));
    expect(frame).toMatchObject({
      type: "failed",
      error: { code: error.code, message: error.message, retryable: true },
    });
  });
});
