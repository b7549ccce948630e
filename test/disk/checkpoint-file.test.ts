/**
 * A checkpoint is whole, or known not to be: whatever byte it was cut at and whatever bit of it was flipped.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { groupId } from "../../src/base/ids.ts";
import { CheckpointEncoder, checkpointDamage, readCheckpoint } from "../../src/disk/checkpoint-file.ts";
import { CheckpointFiles, KeptFile } from "../../src/disk/checkpoint-files.ts";
import type { KeptCheckpoint } from "../../src/host/ports.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "crema-ckpt-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const SLICES = [Buffer.from("a slice "), Buffer.from("that repeats itself ".repeat(40)), Buffer.alloc(0)];

async function written(path: string, slices: readonly Uint8Array[]): Promise<number> {
  const file = await open(path, "w");
  const encoder = new CheckpointEncoder(file);
  for (const slice of slices) await encoder.write(slice);
  await encoder.finish();
  await file.close();
  return encoder.bytes;
}

describe("a checkpoint file", () => {
  it("gives back its slices in order, and knows its size", async () => {
    const path = join(folder, "one");
    const bytes = await written(path, SLICES);
    expect(readFileSync(path).length).toBe(bytes);
    expect(bytes).toBeLessThan(200);
    expect(checkpointDamage(path)).toBeNull();
    expect([...readCheckpoint(path)].map((slice) => Buffer.from(slice))).toEqual(SLICES);
  });

  it("that is cut anywhere, or longer than it should be, is damaged", async () => {
    const path = join(folder, "one");
    await written(path, SLICES);
    const whole = readFileSync(path);
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length));
      expect(checkpointDamage(path), `cut at ${length}`).toContain(path);
    }
    writeFileSync(path, Buffer.concat([whole, Buffer.from([0])]));
    expect(checkpointDamage(path)).toContain("goes on behind its end");
    expect(checkpointDamage(join(folder, "none"))).toContain("is missing");
  });

  it("in which any bit is flipped is damaged, and is never read to its end", async () => {
    const path = join(folder, "one");
    await written(path, SLICES);
    const whole = readFileSync(path);
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const bytes = Buffer.from(whole);
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      writeFileSync(path, bytes);
      expect(checkpointDamage(path), `bit ${bit}`).not.toBeNull();
      expect(() => [...readCheckpoint(path)], `bit ${bit}`).toThrow();
    }
  });
});

describe("the folder of checkpoints", () => {
  const finish = (files: CheckpointFiles): Promise<KeptCheckpoint> =>
    new Promise((resolve, reject) => {
      const writer = files.begin(groupId(7));
      for (const slice of SLICES) void writer.write(slice);
      writer.finish((error, kept) => (kept === null ? reject(error) : resolve(kept)));
    });

  it("shows a file under its name only when all of it is written, and nothing of what was abandoned", async () => {
    const files = new CheckpointFiles(folder, (error) => expect.unreachable(error.message));
    await files.sweep(new Set());
    const abandoned = files.begin(groupId(7));
    await abandoned.write(Buffer.alloc(1_000));
    const kept = await finish(files);
    if (!(kept instanceof KeptFile)) throw new Error("a file was kept");
    abandoned.abandon();
    abandoned.abandon();
    await files.idle();
    expect(readdirSync(folder)).toEqual([kept.checkpoint.file]);
    expect(files.damage(kept.checkpoint)).toBeNull();
    kept.discard();
    await files.idle();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is swept of what no record names, and never gives a name twice", async () => {
    const files = new CheckpointFiles(folder, (error) => expect.unreachable(error.message));
    await files.sweep(new Set());
    const first = (await finish(files)) as KeptFile;
    const second = (await finish(files)) as KeptFile;
    writeFileSync(join(folder, "group-1-9.ckpt.tmp"), "half of it");
    const later = new CheckpointFiles(folder, (error) => expect.unreachable(error.message));
    await later.sweep(new Set([second.checkpoint.file]));
    expect(readdirSync(folder)).toEqual([second.checkpoint.file]);
    const third = (await finish(later)) as KeptFile;
    expect([first.checkpoint.file, second.checkpoint.file]).not.toContain(third.checkpoint.file);
  });

  it("says that a disk took no more, at the end at the latest", async () => {
    const files = new CheckpointFiles(join(folder, "not", "there"), () => {});
    const writer = files.begin(groupId(1));
    await expect(Promise.resolve(writer.write(Buffer.alloc(2 * 1024 * 1024)))).rejects.toThrow(/ENOENT/);
    const [error, kept] = await new Promise<[Error | null, KeptCheckpoint | null]>((resolve) => {
      writer.finish((...answer) => resolve(answer));
    });
    expect([error?.message, kept]).toEqual([expect.stringContaining("ENOENT"), null]);
    await files.idle();
  });
});
