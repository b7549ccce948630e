/**
 * A store whose files were cut or changed answers what was written, or says what is wrong: never a wrong value. And it never
 * says one thing at one start and another at the next.
 */
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CremaError } from "../../src/base/errors.ts";
import { Random } from "../../src/base/random.ts";
import { DEFAULT_DISK_OPTIONS } from "../../src/disk/disk-options.ts";
import { LevelDatabase } from "../../src/disk/level-database.ts";
import { LevelLogStore } from "../../src/disk/level-log-store.ts";
import { LevelSubject } from "./level-subject.ts";
import { StoreModel, stateText } from "./store-calls.ts";

const root = mkdtempSync(join(tmpdir(), "crema-damage-"));
/** Some records and a bit. */
const CUT_BYTES = 330;
/** What the model held after each call: the only states that a cut may leave. */
const states: string[] = [];
const original = join(root, "original");

beforeAll(async () => {
  const subject = new LevelSubject();
  const random = new Random(3, 9);
  const model = new StoreModel();
  const store = subject.open();
  await store.load();
  states.push(model.state);
  model.saveNode(store);
  await store.idle();
  states.push(model.state);
  for (let call = 0; call < 40; call++) {
    await model.call(store, random);
    await store.idle();
    states.push(model.state);
  }
  await store.close();
  cpSync(subject.root, original, { recursive: true });
  await subject.dispose();
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** What the store at `folder` answers at a start. */
async function loaded(
  folder: string,
): Promise<{ readonly state: string; readonly damaged: readonly number[] } | CremaError> {
  const logPath = join(folder, "log");
  const store = new LevelLogStore({
    database: new LevelDatabase(logPath),
    logPath,
    checkpointsPath: join(folder, "checkpoints"),
    options: { ...DEFAULT_DISK_OPTIONS, minFreeDiskBytes: 0 },
    log: () => {},
  });
  try {
    const past = await store.load();
    return { state: stateText(past), damaged: past.damaged.map(({ group }) => group) };
  } catch (error) {
    if (!(error instanceof CremaError)) throw error;
    return error;
  } finally {
    await store.close();
  }
}

/** A copy with one file of it changed, and what it answers twice. */
async function changed(file: string, change: (path: string) => void) {
  const folder = mkdtempSync(join(root, "copy-"));
  cpSync(original, folder, { recursive: true });
  change(join(folder, file));
  const first = await loaded(folder);
  const second = await loaded(folder);
  rmSync(folder, { recursive: true, force: true });
  return { first, second };
}

function writeAheadLog(): string {
  const files = readdirSync(join(original, "log")).filter((file) => file.endsWith(".log"));
  const [file] = files.filter((each) => statSync(join(original, "log", each)).size > 0);
  if (file === undefined || files.length !== 1) throw new Error("one write-ahead log is expected");
  return `log/${file}`;
}

describe("a log that is cut at any byte of its last records", () => {
  it("loads what some first part of the calls made, and the longer it is the more of it", async () => {
    const file = writeAheadLog();
    const { size } = statSync(join(original, file));
    let reached = states.length - 1;
    for (let bytes = size; bytes > size - CUT_BYTES; bytes--) {
      const { first, second } = await changed(file, (path) => truncateSync(path, bytes));
      if (first instanceof CremaError) throw first;
      expect(second).toEqual(first);
      // So far back that files are gone which were removed since: said, not guessed. No crash cuts what was confirmed.
      if (first.damaged.length > 0) continue;
      const at = states.indexOf(first.state);
      expect(at, `cut at ${bytes}`).toBeGreaterThanOrEqual(0);
      expect(at).toBeLessThanOrEqual(reached);
      reached = at;
    }
    expect(reached).toBeLessThan(states.length - 2);
  }, 60_000);
});

describe("a store in which any bit was flipped", () => {
  it("never answers a wrong value, and answers the same at the next start", async () => {
    const random = new Random(1, 77);
    const outcomes = { unharmed: 0, lastRecordCut: 0, refused: 0, groupDamaged: 0, fallback: 0 };
    const files = ["log", "checkpoints"].flatMap((folder) =>
      readdirSync(join(original, folder))
        .filter((file) => !["LOCK", "LOG", "LOG.old"].includes(file))
        .map((file) => `${folder}/${file}`)
        .filter((file) => statSync(join(original, file)).size > 0),
    );
    const last = states.at(-1) as string;
    for (let round = 0; round < 120; round++) {
      const file = files[random.nextBelow(files.length)] as string;
      const bit = random.nextBelow(statSync(join(original, file)).size * 8);
      const { first, second } = await changed(file, (path) => {
        const bytes = readFileSync(path);
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
        writeFileSync(path, bytes);
      });
      const where = `${file}, bit ${bit}`;
      if (first instanceof CremaError) {
        expect(`${first.code} ${first.message} ${String(first.cause)}`, where).toContain(
          "CREMA_STORE_DAMAGED",
        );
        expect(first.message, where).toContain("log");
        expect(second, where).toMatchObject({ code: first.code });
        outcomes.refused++;
      } else if (first.damaged.length > 0) {
        outcomes.groupDamaged++;
      } else if (first.state === last) {
        outcomes.unharmed++;
      } else if (first.state === states.at(-2)) {
        outcomes.lastRecordCut++;
      } else {
        // An older checkpoint with a longer log holds the same in the end.
        expect(file, where).toContain("checkpoints/");
        outcomes.fallback++;
      }
      if (!(first instanceof CremaError)) expect(second, where).toEqual(first);
    }
    expect(outcomes.refused).toBeGreaterThan(10);
    expect(outcomes.fallback + outcomes.groupDamaged).toBeGreaterThan(3);
    expect(outcomes.lastRecordCut).toBeLessThan(20);
  }, 60_000);
});
