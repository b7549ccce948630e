/**
 * `npm run sim:mutants`: hunts every mutant with the simulator and says which checker caught it, and after how many seeds. The
 * product as it is goes first, through all seeds of all worlds: what finds something there proves nothing elsewhere. `(!)` marks a
 * mutant that was caught by another checker than expected.
 *
 * `--mutant NAME` one mutant and its world, or several if said several times; `--seeds N` how many seeds each has; `--no-control` without the product as it is;
 * `--explain` tells what was found. Exit code 1 when a mutant survives or the control finds something.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ALL_MUTANTS } from "./all-mutants.ts";
import { type Hunt, hunt } from "./hunting.ts";
import type { Mutant } from "./mutant.ts";
import { growTree } from "./mutant-tree.ts";
import { headingRow, NAME_WIDTH, verdictRow } from "./verdict-table.ts";
import { WORLDS, type World, type WorldOptions } from "./worlds.ts";

const SEEDS_DEFAULT = "30";

const { values } = parseArgs({
  options: {
    mutant: { type: "string", multiple: true, default: [] },
    seeds: { type: "string", default: SEEDS_DEFAULT },
    "no-control": { type: "boolean", default: false },
    explain: { type: "boolean", default: false },
  },
});

const root = process.cwd();
const seeds = Number(values.seeds);
if (!Number.isInteger(seeds) || seeds < 1) throw new RangeError("--seeds must be a whole number above 0");
for (const name of values.mutant)
  if (!ALL_MUTANTS.some((mutant) => mutant.name === name)) throw new RangeError(`there is no mutant ${name}`);
const mutants = ALL_MUTANTS.filter(({ name }) => values.mutant.length === 0 || values.mutant.includes(name));

const trees = await mkdtemp(join(tmpdir(), "crema-mutants-"));
let wrong = 0;
try {
  console.log(headingRow());
  if (!values["no-control"]) await control();
  for (const mutant of mutants) await judge(mutant);
} finally {
  await rm(trees, { recursive: true, force: true });
}
console.log(wrong === 0 ? "every mutant was caught" : `${wrong} rows are not as they should be`);
process.exitCode = wrong === 0 ? 0 : 1;

/** Every world as it is, and once more for each mutant that changes it. */
async function control(): Promise<void> {
  const program = await growTree(root, join(trees, "control"), []);
  const controlled = new Set<string>();
  for (const mutant of mutants) {
    const options = optionsFor(mutant);
    const text = JSON.stringify(options);
    if (controlled.has(text)) continue;
    controlled.add(text);
    const found = await hunt(program, options, seedsFor(mutant));
    const ok = found.caught === null && found.broken === null;
    const changed = mutant.options === undefined ? "" : ` for ${mutant.name}`;
    report(
      `control: ${mutant.world}${changed}`.slice(0, NAME_WIDTH),
      "-",
      ok ? "nothing, as it should be" : verdictOf(found),
      found,
      ok,
    );
  }
}

async function judge(mutant: Mutant): Promise<void> {
  const { name, room, edits, caughtBy } = mutant;
  const tree = join(trees, name);
  try {
    const program = await growTree(root, tree, edits);
    const found = await hunt(program, optionsFor(mutant), seedsFor(mutant));
    const ok = found.caught !== null;
    const expected = !ok || caughtBy.includes(found.caught?.checker ?? "");
    report(name, room, `${verdictOf(found)}${expected ? "" : " (!)"}`, found, ok);
  } catch (error) {
    report(name, room, "NO MUTANT", null, false);
    console.log(indented(error instanceof Error ? error.message : String(error)));
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}

function report(name: string, room: string, verdict: string, found: Hunt | null, ok: boolean): void {
  if (!ok) wrong++;
  console.log(verdictRow(name, room, verdict, found));
  if (found === null || (ok && !values.explain)) return;
  const { caught, broken } = found;
  if (caught !== null) console.log(indented(`seed ${caught.seed}: ${caught.message}\n${caught.details}`));
  if (broken !== null) console.log(indented(broken));
}

function verdictOf({ caught, broken }: Hunt): string {
  if (broken !== null) return "BROKEN";
  return caught === null ? "SURVIVES" : (caught.checker ?? "");
}

function optionsFor({ world, options }: Mutant): WorldOptions {
  return { ...worldOf(world).options, ...options };
}

function seedsFor({ world }: Mutant): number {
  return seeds * worldOf(world).patience;
}

function worldOf(name: string): World {
  const world = WORLDS[name];
  if (world === undefined) throw new RangeError(`there is no world ${name}`);
  return world;
}

function indented(text: string): string {
  return text.replace(/^/gm, "    ");
}
