/**
 * Time, randomness, network and storage come from ports: the rooms above the adapters cannot reach for them.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { codeAlone, ROOT, readSource, sourceFiles } from "./imports.ts";

const PORTED_ROOMS = ["base", "raft", "swim", "cache", "placement", "wire", "host", "cluster", "node"];
const WORLDLY =
  /\b(Date|performance|setTimeout|setInterval|setImmediate|queueMicrotask|process|crypto|Math\.random|console)\b(?!\s*\??:)/;

/** The simulator speaks of processes of its own; the linter sees to it that none of them is the real one. */
const WORLDLY_BUT_PROCESS =
  /\b(Date|performance|setTimeout|setInterval|setImmediate|queueMicrotask|crypto|Math\.random|console)\b(?!\s*\??:)/;

const directory = mkdtempSync(join(tmpdir(), "crema-purity-"));
afterAll(() => rmSync(directory, { recursive: true }));

describe("purity", () => {
  it("compiles the pure rooms with the language alone", async () => {
    await expect(compile(join(ROOT, "tsconfig.pure.json"))).resolves.toBe("");
  }, 60_000);

  it.each([
    "setTimeout(() => {}, 1);",
    "console.log(1);",
    'import { readFileSync } from "node:fs"; readFileSync("x");',
  ])(
    "does not compile %s in a pure room",
    async (code) => {
      writeFileSync(join(directory, "planted.ts"), `${code}\nexport const planted = 1;\n`);
      const config = { extends: join(ROOT, "tsconfig.pure.json"), include: [join(directory, "planted.ts")] };
      writeFileSync(join(directory, "tsconfig.json"), JSON.stringify(config));
      await expect(compile(join(directory, "tsconfig.json"))).resolves.toMatch(/planted\.ts.*error TS/);
    },
    60_000,
  );

  it("finds no clock, chance or process in the rooms above the adapters", () => {
    const findings = PORTED_ROOMS.flatMap((room) => sourceFiles(`src/${room}`)).flatMap((file) =>
      worldlyLines(readSource(file)).map((line) => `${file}: ${line}`),
    );
    expect(findings).toEqual([]);
  });

  it("finds none in the simulator", () => {
    const findings = sourceFiles("src/sim").flatMap((file) =>
      worldlyLines(readSource(file), WORLDLY_BUT_PROCESS).map((line) => `${file}: ${line}`),
    );
    expect(findings).toEqual([]);
  });

  it.each(["const now = Date.now();", "const chance = Math.random();", "setTimeout(() => {}, 5);"])(
    "sees %s",
    (code) => {
      expect(worldlyLines(`// Date\nconst text = "Date";\n${code}`)).toEqual([code]);
    },
  );
});

function worldlyLines(source: string, worldly: RegExp = WORLDLY): readonly string[] {
  const original = source.split("\n");
  return codeAlone(source)
    .split("\n")
    .flatMap((line, index) => (worldly.test(line) ? [(original[index] ?? "").trim()] : []));
}

/** The compiler's complaints; empty when there are none. */
async function compile(config: string): Promise<string> {
  const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  try {
    await promisify(execFile)(process.execPath, [tsc, "-p", config, "--noEmit"], { cwd: ROOT });
    return "";
  } catch (error) {
    if (typeof error === "object" && error !== null && "stdout" in error) return String(error.stdout);
    throw error;
  }
}
