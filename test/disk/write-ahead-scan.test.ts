/**
 * Damage in LevelDB's write-ahead log is told from a torn write: by whether a sound record begins behind it.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LevelDatabase } from "../../src/disk/level-database.ts";
import { damageIn, writeAheadDamage } from "../../src/disk/write-ahead-scan.ts";

const folder = mkdtempSync(join(tmpdir(), "crema-scan-"));
let log: Buffer;
let path: string;

/** Records of many sizes, so that some fill a block of 32 KiB and others lie over several. */
const SIZES = [20, 5_000, 40_000, 10, 32_700, 100, 70_000, 300];

beforeAll(async () => {
  const database = new LevelDatabase(folder);
  await database.open();
  for (const [at, size] of SIZES.entries())
    await database.write([{ sequence: at + 1, bytes: Buffer.alloc(size, at) }], true);
  await database.close();
  const [file] = readdirSync(folder).filter((name) => name.endsWith(".log"));
  path = join(folder, file ?? "");
  log = readFileSync(path);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Bytes of the last record, with what LevelDB writes around it. */
const LAST_BYTES = 300 + 60;

describe("a write-ahead log", () => {
  it("that is sound has no damage, and neither has one that is cut anywhere", async () => {
    expect(damageIn(log)).toBeNull();
    expect(await writeAheadDamage(folder)).toBeNull();
    for (let length = 0; length < log.length; length += 997)
      expect(damageIn(log.subarray(0, length)), `cut at ${length}`).toBeNull();
  });

  it("with a bit flipped before its last record is damaged there", () => {
    for (let at = 0; at < log.length - LAST_BYTES; at += 211) {
      const changed = Buffer.from(log);
      changed[at] = (changed[at] as number) ^ 4;
      // Zeros that fill up a block belong to no record, and nobody reads them.
      if (damageIn(changed) === null) expect(isFilling(at), `byte ${at}`).toBe(true);
    }
  });

  it("with a bit flipped in its last record looks like a torn write", () => {
    const changed = Buffer.from(log);
    changed[log.length - 10] = (changed[log.length - 10] as number) ^ 1;
    expect(damageIn(changed)).toBeNull();
  });

  it("whose last write is torn in the middle is sound: pages may reach a disk in any order", () => {
    // The last but one record lies over three blocks; without the last, it is the one that was under way.
    const without = log.subarray(0, log.length - LAST_BYTES + 40);
    const torn = Buffer.from(without);
    const end = torn.length - 200;
    torn.fill(0, end - 45_000, end - 40_000);
    expect(damageIn(torn)).toBeNull();
  });

  it("names the file and the byte", async () => {
    const changed = Buffer.from(log);
    changed[8] = (changed[8] as number) ^ 1;
    writeFileSync(path, changed);
    expect(await writeAheadDamage(folder)).toMatch(
      /\.log: a record at byte 0 is damaged, and records follow it/,
    );
    writeFileSync(path, log);
  });
});

/** Whether a byte lies in the last six of a block. */
function isFilling(at: number): boolean {
  return at % (32 * 1024) >= 32 * 1024 - 6;
}
