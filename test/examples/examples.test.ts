/**
 * Every example runs as a user would run it, and prints what it promises.
 */
import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const EXAMPLES = new URL("../../examples", import.meta.url);

const PROMISED: Readonly<Record<string, readonly string[]>> = {
  embedded: [
    "local read: Alice",
    "linearizable read: Alice",
    "local read without waiting: Alice",
    "watched: put user:123 Alice",
    "put if absent, though present: null",
    "counted to: 5",
    "deleted: true then found: null",
  ],
  "three-nodes": ["members: 3", "found: 100", "entries: 100", "shards with a leader: 16"],
  "join-leave": [
    "alone: 1 member",
    "one cluster: true joins seen: 1",
    "together: 2 members",
    "why not stop one now: of two nodes both are needed for a majority",
    "after the founder left: 50 of 50 keys",
  ],
};

describe("example", () => {
  it.each(Object.entries(PROMISED))(
    "%s prints what it promises and ends",
    async (name, lines) => {
      const { stdout } = await run(["dist/examples/run.js", name]);
      expect(stdout.trimEnd().split("\n")).toEqual(lines);
    },
    60_000,
  );

  it("names without a program list those there are", async () => {
    const failure: unknown = await run(["dist/examples/run.js", "nothing"]).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("embedded | join-leave | three-nodes"),
    });
  });

  it("exists for every program in the folder", () => {
    const files = readdirSync(EXAMPLES).filter((file) => file.endsWith(".ts"));
    const names = files.map((file) => file.replace(/\.ts$/, "")).filter((name) => name !== "run");
    expect(names.sort()).toEqual(Object.keys(PROMISED).sort());
  });

  it("that is no program has a test of its own", () => {
    const folders = readdirSync(EXAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.length).toBeGreaterThan(0);
    for (const { name } of folders) {
      expect(existsSync(new URL(`${name}.test.ts`, import.meta.url)), `examples/${name}`).toBe(true);
    }
  });
});

function run(argv: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(process.execPath, argv, { timeout: 50_000 });
}
