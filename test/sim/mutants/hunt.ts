/**
 * Runs one seed after the other until a run reports a failure. Compiled into the tree of one mutant and run in a process of
 * its own: what is imported here is that tree's product and that tree's simulator.
 *
 * Arguments: the options as JSON, without the seed; the number of seeds. Writes one JSON line per seed.
 */
import { resolveRunOptions } from "../../../src/sim/run-options.ts";
import { runSeed } from "../../../src/sim/run-seed.ts";
import type { SeedLine } from "./seed-line.ts";

const [optionsText = "{}", seedsText = "1"] = process.argv.slice(2);
const given = JSON.parse(optionsText) as object;

for (let seed = 1; seed <= Number(seedsText); seed++) {
  const { failure, virtualMs } = await runSeed(resolveRunOptions({ ...given, seed: BigInt(seed) }));
  const line: SeedLine = {
    seed,
    checker: failure?.checker ?? null,
    message: failure?.message ?? "",
    details: failure?.details ?? "",
    virtualMs,
  };
  console.log(JSON.stringify(line));
  if (failure !== null) break;
}
// Whatever a broken product left behind must not keep the process.
process.exit(0);
