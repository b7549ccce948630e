import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BackupFileWriter } from "../../../cli/backup/backup-file-writer.ts";
import { CommandFailed } from "../../../cli/command-failed.ts";

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "crema-backup-"));
  path = join(folder, "a.crema");
});

afterEach(() => rm(folder, { recursive: true }));

test("a file has its name only once it is whole", async () => {
  const file = await BackupFileWriter.open(path, false);
  await file.write(Buffer.from("one "));
  await file.write(Buffer.from("two"));
  expect(await readdir(folder)).toEqual([`a.crema.${process.pid}.partial`]);
  await file.commit();
  await file.close();
  expect(await readdir(folder)).toEqual(["a.crema"]);
  expect(await readFile(path, "utf8")).toBe("one two");
  expect((await stat(path)).mode & 0o077).toBe(0);
});

test("what was written can be taken back", async () => {
  const file = await BackupFileWriter.open(path, false);
  await file.write(Buffer.from("kept, "));
  const kept = file.length;
  await file.write(Buffer.from("this is far too long"));
  await file.rewind(kept);
  expect(file.length).toBe(kept);
  await file.write(Buffer.from("again"));
  await file.commit();
  await file.close();
  expect(await readFile(path, "utf8")).toBe("kept, again");
});

test("without a commit nothing is left behind, nor is what was there touched", async () => {
  await writeFile(path, "older");
  const file = await BackupFileWriter.open(path, true);
  await file.write(Buffer.from("newer"));
  await file.close();
  expect(await readdir(folder)).toEqual(["a.crema"]);
  expect(await readFile(path, "utf8")).toBe("older");
});

test("a file that is there is replaced only by force, also one that appears meanwhile", async () => {
  await writeFile(path, "older");
  await expect(BackupFileWriter.open(path, false)).rejects.toThrow(
    `${path} exists already; --force replaces it`,
  );
  await rm(path);
  const late = await BackupFileWriter.open(path, false);
  await writeFile(path, "meanwhile");
  await expect(late.commit()).rejects.toThrow("exists already");
  await late.close();
  expect(await readFile(path, "utf8")).toBe("meanwhile");
  const forced = await BackupFileWriter.open(path, true);
  await forced.write(Buffer.from("newer"));
  await forced.commit();
  await forced.close();
  expect(await readFile(path, "utf8")).toBe("newer");
});

test("a place where nothing can be written is named", async () => {
  const nowhere = join(folder, "missing", "a.crema");
  await expect(BackupFileWriter.open(nowhere, false)).rejects.toThrow(CommandFailed);
  await expect(BackupFileWriter.open(nowhere, false)).rejects.toThrow(`${nowhere} cannot be written: ENOENT`);
});

test("a closed writer leaves the signals of the process alone", async () => {
  const before = process.listenerCount("SIGINT");
  const file = await BackupFileWriter.open(path, false);
  expect(process.listenerCount("SIGINT")).toBe(before + 1);
  await file.close();
  expect(process.listenerCount("SIGINT")).toBe(before);
});
