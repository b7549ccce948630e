/**
 * The mutants fit the product as it is now. That each is caught is the affair of `npm run sim:mutants`, which takes minutes.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { resolveRunOptions } from "../../../src/sim/run-options.ts";
import { ALL_MUTANTS } from "./all-mutants.ts";
import { applyEdit, type Mutant } from "./mutant.ts";
import { WORLDS } from "./worlds.ts";

const CHECKERS = readdirSync("src/sim/checkers").map((file) => file.replace(/\.ts$/, ""));
/** What finds things without being a checker of its own. */
const OTHER_FINDERS = ["linearizability", "liveness", "local-reads", "counters", "crash"];

/** The files that `mutant` changes, as they become. */
function mutated({ edits }: Mutant): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const edit of edits) {
    const text = files.get(edit.file) ?? readFileSync(edit.file, "utf8");
    files.set(edit.file, applyEdit(text, edit));
  }
  return files;
}

describe.each(ALL_MUTANTS.map((mutant) => [mutant.name, mutant] as const))("%s", (_, mutant) => {
  test("changes what it says, and only that", () => {
    expect(mutant.edits.length).toBeGreaterThan(0);
    for (const [file, text] of mutated(mutant)) {
      expect(file).toMatch(/^src\/(?!sim\/).+\.ts$/);
      expect(text).not.toBe(readFileSync(file, "utf8"));
    }
  });

  test("belongs to the room it changes first", () => {
    expect(mutant.edits[0]?.file.split("/")[1]).toBe(mutant.room);
  });

  test("is hunted in a world there is, and awaited by checkers there are", () => {
    const world = WORLDS[mutant.world];
    expect(world).toBeDefined();
    expect(() => resolveRunOptions({ ...world?.options, ...mutant.options, seed: 1n })).not.toThrow();
    for (const checker of mutant.caughtBy) expect([...CHECKERS, ...OTHER_FINDERS]).toContain(checker);
    expect(mutant.caughtBy.length).toBeGreaterThan(0);
  });
});

test("every mutant has a name of its own", () => {
  const names = ALL_MUTANTS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
});

test("the rooms that keep promises have mutants", () => {
  const rooms = new Set(ALL_MUTANTS.map(({ room }) => room));
  for (const room of ["raft", "host", "cluster", "cache"]) expect(rooms).toContain(room);
});

test("an edit that does not fit is refused loudly", () => {
  const edit = { file: "a.ts", find: "x", replace: "y" };
  expect(() => applyEdit("nothing", edit)).toThrow("0 times in a.ts");
  expect(() => applyEdit("x and x", edit)).toThrow("2 times in a.ts");
  expect(applyEdit("one x", edit)).toBe("one y");
});

test("nothing that is shipped knows of mutants", () => {
  const { files } = JSON.parse(readFileSync("package.json", "utf8")) as { readonly files: readonly string[] };
  expect(files.filter((path) => path.startsWith("test") || path === "dist" || path === ".")).toEqual([]);
  const build = readFileSync("tsconfig.build.json", "utf8");
  expect(build).not.toContain('"test"');
  for (const folder of ["src", "cli", "dist/src", "dist/cli"]) {
    for (const file of sourceFiles(folder)) {
      const text = readFileSync(file, "utf8");
      const told = ["sim/mutants", ...ALL_MUTANTS.map(({ name }) => name)].filter((word) =>
        text.includes(word),
      );
      if (told.length > 0) expect.fail(`${file} knows of ${told.join(", ")}`);
    }
  }
});

test("the program compiles, and refuses a mutant that there is not", () => {
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "test/sim/mutants/tsconfig.json"]);
  const program = "node_modules/.cache/crema-mutants/test/sim/mutants/run-mutants.js";
  const attempt = (): unknown =>
    execFileSync(process.execPath, [program, "--mutant", "none"], { stdio: ["ignore", "pipe", "pipe"] });
  expect(attempt).toThrow("there is no mutant none");
});

/** Empty when `folder` was not built. */
function sourceFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => /\.(ts|js)$/.test(file))
      .map((file) => join(folder, file));
  } catch {
    return [];
  }
}
