import { describe, expect, it } from "vitest";
import { CremaError } from "../../src/base/errors.ts";
import { encodeBackupFailed, encodeBackupHeader } from "../../src/wire/backup-codec.ts";
import { BackupFault, type BackupPart, BackupReader } from "../../src/wire/backup-reader.ts";
import { crc32c } from "../../src/wire/crc32c.ts";
import {
  blockOf,
  CLUSTER,
  CREATED_AT_MS,
  entry,
  fileParts,
  OTHER_CLUSTER,
  SMALL_FILE,
  sectionParts,
} from "./backup-support.ts";

/** Reads `bytes` in pieces of `pieceBytes`. */
function read(
  bytes: Uint8Array,
  pieceBytes = bytes.length || 1,
  deep = true,
): { parts: BackupPart[]; reader: BackupReader } {
  const reader = new BackupReader({ of: "file", deep });
  const parts: BackupPart[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes)
    parts.push(...reader.push(bytes.subarray(at, at + pieceBytes)));
  reader.finish();
  return { parts, reader };
}

function faultOf(bytes: Uint8Array): BackupFault {
  try {
    read(bytes);
  } catch (error) {
    if (error instanceof BackupFault) return error;
    throw error;
  }
  throw new Error("it was read");
}

const PARTS = fileParts(SMALL_FILE);
const FILE = Buffer.concat(PARTS);

describe("reading a backup", () => {
  it("gives the same parts in pieces of any size", () => {
    for (const pieceBytes of [1, 2, 3, 7, 64, FILE.length]) {
      const { parts, reader } = read(FILE, pieceBytes);
      expect(Buffer.concat(parts.map(({ bytes }) => bytes))).toEqual(FILE);
      expect(parts.map(({ frame }) => frame?.type ?? "header")).toEqual([
        "header",
        ...["begin", "block", "block", "shard-end"],
        ...["begin", "shard-end"],
        "end",
      ]);
      expect(reader.header).toEqual({ clusterId: CLUSTER, shardCount: 2, createdAtMs: CREATED_AT_MS });
      expect(reader.totals).toEqual({ shards: 2, blocks: 2, entries: 3, bytes: 95 });
    }
  });

  it("gives parts that stay as they are while more is read", () => {
    const large = [[[entry("first", "1".repeat(50_000))], [entry("second", "2".repeat(200_000))]]];
    const { parts } = read(Buffer.concat(fileParts(large)), 1_000);
    expect(Buffer.concat(parts.map(({ bytes }) => bytes))).toEqual(Buffer.concat(fileParts(large)));
  });

  it("refuses a file with any bit flipped", () => {
    for (let bit = 0; bit < FILE.length * 8; bit++) {
      const damaged = Uint8Array.from(FILE);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(faultOf(damaged).kind).toBe(bit < 64 ? "not-a-backup" : "damaged");
    }
  });

  it("refuses a file cut at any byte", () => {
    for (let end = 0; end < FILE.length; end++) {
      expect(faultOf(FILE.subarray(0, end)), `${end} bytes`).toMatchObject({ kind: "damaged" });
    }
  });

  it.each([
    ["leaves a block out", (parts: Uint8Array[]) => parts.splice(2, 1)],
    ["holds a block twice", (parts: Uint8Array[]) => parts.splice(2, 0, parts[2] as Uint8Array)],
    [
      "swaps two blocks",
      (parts: Uint8Array[]) => parts.splice(2, 2, parts[3] as Uint8Array, parts[2] as Uint8Array),
    ],
    ["leaves a shard out", (parts: Uint8Array[]) => parts.splice(5, 2)],
    ["holds a shard twice", (parts: Uint8Array[]) => parts.splice(5, 0, ...parts.slice(1, 5))],
    ["has no end", (parts: Uint8Array[]) => parts.pop()],
    ["goes on after its end", (parts: Uint8Array[]) => parts.push(parts[1] as Uint8Array)],
    [
      "ends a shard with what another holds",
      (parts: Uint8Array[]) => parts.splice(4, 1, sectionParts(0, [[]])[2] as Uint8Array),
    ],
    [
      "holds a block of another shard",
      (parts: Uint8Array[]) => parts.splice(2, 1, blockOf(1, 0, [entry("a")])),
    ],
    [
      "ends with the totals of another",
      (parts: Uint8Array[]) => parts.splice(-1, 1, fileParts([[], []]).at(-1) as Uint8Array),
    ],
    [
      "holds a shard of another cluster",
      (parts: Uint8Array[]) =>
        parts.splice(1, 1, sectionParts(0, [], CREATED_AT_MS, OTHER_CLUSTER)[0] as Uint8Array),
    ],
    [
      "holds the failure of a stream",
      (parts: Uint8Array[]) => parts.splice(2, 0, encodeBackupFailed(new CremaError("CREMA_TIMEOUT", "t"))),
    ],
  ])("refuses a file that %s, though every part is in order", (_, damage) => {
    const parts = [...PARTS];
    damage(parts);
    expect(faultOf(Buffer.concat(parts)).kind).toBe("damaged");
  });

  it("says at which byte and in which shard the damage is", () => {
    const shards = [0, 1, 2].map((shard) => [[entry(`key of ${shard}`, "v".repeat(100))]]);
    const parts = fileParts(shards);
    // Header, three parts per shard: part 5 is the block of shard 1.
    const offset = parts.slice(0, 5).reduce((sum, part) => sum + part.length, 0);
    const damaged = Buffer.concat(parts);
    damaged[offset + 20] = (damaged[offset + 20] ?? 0) ^ 0x10;
    expect(faultOf(damaged)).toMatchObject({ kind: "damaged", offset, shard: 1 });
  });

  it("tells a newer format from damage, and something else from both", () => {
    const header = Buffer.from(encodeBackupHeader({ clusterId: CLUSTER, shardCount: 1, createdAtMs: 0 }));
    header.writeUInt16BE(2, 8);
    expect(faultOf(header).kind).toBe("damaged");
    header.writeUInt32BE(crc32c(header, 0, header.length - 4), header.length - 4);
    expect(faultOf(header)).toMatchObject({
      kind: "newer-format",
      message: expect.stringContaining("format 2"),
    });
    for (const stranger of ["REDIS0011", "C", "CREMABAG", "{}", "\0"])
      expect(faultOf(Buffer.from(stranger)).kind).toBe(stranger === "C" ? "damaged" : "not-a-backup");
    expect(faultOf(new Uint8Array(0)).kind).toBe("damaged");
  });

  it("of one shard throws what the stream failed with", () => {
    const [begin, block] = sectionParts(3, [[entry("a")]]);
    const reader = new BackupReader({ of: { shard: 3 }, deep: false });
    const failure = encodeBackupFailed(
      new CremaError("CREMA_UNREACHABLE", "the leader died", { retryable: true }),
    );
    const readAll = () => [...reader.push(Buffer.concat([begin ?? failure, block ?? failure, failure]))];
    expect(readAll).toThrow(expect.objectContaining({ code: "CREMA_UNREACHABLE", retryable: true }));
  });

  it("of one shard takes that shard and no other", () => {
    const reader = new BackupReader({ of: { shard: 3 }, deep: false });
    expect(() => [...reader.push(Buffer.concat(sectionParts(2, [])))]).toThrow(BackupFault);
    const right = new BackupReader({ of: { shard: 3 }, deep: false });
    expect([...right.push(Buffer.concat(sectionParts(3, [[entry("a", "bc")]])))]).toHaveLength(3);
    right.finish();
    expect(right.totals).toEqual({ shards: 1, blocks: 1, entries: 1, bytes: 3 });
  });
});
