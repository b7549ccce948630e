/**
 * A data directory that cannot be used says why, in words that tell what to do, and nothing in it is changed.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DATA_FORMAT, DataDirectory } from "../../src/disk/data-directory.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "crema-data-"));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

describe("a data directory", () => {
  it("is made where there is none, says what it is, and can be opened again", async () => {
    const path = join(root, "a", "b");
    await (await DataDirectory.open(path)).close();
    expect(JSON.parse(readFileSync(join(path, "crema.json"), "utf8"))).toEqual({
      product: "crema-node",
      format: DATA_FORMAT,
    });
    const again = await DataDirectory.open(path);
    expect(again.path).toBe(path);
    await again.close();
    await again.close();
  });

  it("is held by one at a time", async () => {
    const first = await DataDirectory.open(root);
    await expect(DataDirectory.open(root)).rejects.toMatchObject({
      code: "CREMA_STORE_LOCKED",
      message: expect.stringContaining(`${root} is in use by another process`),
    });
    await first.close();
    await (await DataDirectory.open(root)).close();
  });

  it("is begun again where the very first start crashed, on a file system with a folder of its own", async () => {
    mkdirSync(join(root, "lost+found"));
    mkdirSync(join(root, "lock"));
    writeFileSync(join(root, "crema.json.tmp"), '{"prod');
    await (await DataDirectory.open(root)).close();
    expect(readdirSync(root).sort()).toEqual(["crema.json", "lock", "lost+found"]);
  });

  it("is not somebody else's folder", async () => {
    writeFileSync(join(root, "thesis.txt"), "three years of work");
    await expect(DataDirectory.open(root)).rejects.toMatchObject({
      code: "CREMA_STORE_FORMAT",
      message: expect.stringContaining("thesis.txt"),
    });
    expect(readdirSync(root)).toEqual(["thesis.txt"]);
  });

  it.each([
    [
      "of a newer release",
      JSON.stringify({ product: "crema-node", format: 99 }),
      /format 99.*use the release/,
    ],
    ["of another product", JSON.stringify({ product: "etcd", format: 1 }), /does not describe/],
    ["with a damaged description", "{", /does not describe/],
    ["with an empty description", "null", /does not describe/],
  ])("%s is refused", async (_what, description, message) => {
    writeFileSync(join(root, "crema.json"), description);
    mkdirSync(join(root, "log"));
    await expect(DataDirectory.open(root)).rejects.toMatchObject({
      code: "CREMA_STORE_FORMAT",
      message: expect.stringMatching(message),
    });
    expect(readdirSync(root).sort()).toEqual(["crema.json", "log"]);
  });

  it("cannot be a file", async () => {
    writeFileSync(join(root, "file"), "");
    await expect(DataDirectory.open(join(root, "file"))).rejects.toMatchObject({
      code: "CREMA_STORE_UNWRITABLE",
    });
  });

  it("puts what it held aside, keeps the newest few of that, and is empty then", async () => {
    const directory = await DataDirectory.open(root);
    for (let time = 1; time <= 5; time++) {
      mkdirSync(directory.logPath);
      writeFileSync(join(directory.logPath, "records"), String(time));
      const archive = await directory.archive(`node-${time}`);
      expect(readFileSync(join(archive, "log", "records"), "utf8")).toBe(String(time));
      expect(readdirSync(root).sort()).toEqual(["archive", "crema.json", "lock"]);
    }
    const kept = readdirSync(join(root, "archive")).map((name) => name.replace(/.*-node-/, "node-"));
    expect(kept.sort()).toEqual(["node-3", "node-4", "node-5"]);
    await directory.close();
  });
});
