/**
 * A tree of its own for each mutant, outside of the repository: a copy of `src` with the change made, compiled by the rules of
 * the repository, except that a mutant may leave something unused. One that does not compile is no realistic mistake.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { applyEdit, type Edit } from "./mutant.ts";

const run = promisify(execFile);

const HERE = "test/sim/mutants";
/** What runs in the tree: the program, and what it imports beside the product. */
const HUNT = ["hunt.ts", "seed-line.ts"] as const;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/** Makes and compiles the tree at `tree`; the path of the program to run there. Throws what does not apply or compile. */
export async function growTree(root: string, tree: string, edits: readonly Edit[]): Promise<string> {
  await rm(tree, { recursive: true, force: true });
  await mkdir(join(tree, HERE), { recursive: true });
  await cp(join(root, "src"), join(tree, "src"), { recursive: true });
  for (const file of HUNT) await cp(join(root, HERE, file), join(tree, HERE, file));
  await symlink(join(root, "node_modules"), join(tree, "node_modules"), "dir");
  await writeFile(join(tree, "package.json"), JSON.stringify({ type: "module", private: true }));
  await writeFile(join(tree, "tsconfig.json"), JSON.stringify(compilerSettings(root)));
  for (const edit of edits) {
    const file = join(tree, edit.file);
    await writeFile(file, applyEdit(await readFile(file, "utf8"), edit));
  }
  await compile(root, tree);
  return join(tree, "out", HERE, "hunt.js");
}

function compilerSettings(root: string): object {
  return {
    extends: join(root, "tsconfig.json"),
    compilerOptions: {
      noEmit: false,
      noEmitOnError: true,
      allowImportingTsExtensions: false,
      outDir: "out",
      rootDir: ".",
      noUnusedLocals: false,
      noUnusedParameters: false,
      paths: {},
    },
    files: HUNT.map((file) => `${HERE}/${file}`),
    include: [],
  };
}

async function compile(root: string, tree: string): Promise<void> {
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  try {
    await run(process.execPath, [compiler, "-p", join(tree, "tsconfig.json")], {
      maxBuffer: OUTPUT_BYTES_MAX,
    });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { readonly stdout?: string; readonly stderr?: string };
    throw new Error(`it does not compile:\n${stdout}${stderr}`);
  }
}
