/**
 * The flags of `crema sim scenario`, and the plan that comes of them.
 */
import { randomInt } from "node:crypto";
import { SCENARIOS } from "../../src/sim/scenarios/all-scenarios.ts";
import { didYouMean } from "../nearest-name.ts";
import { type CommandFlag, JSON_FLAG } from "../operator/command.ts";
import { UsageError } from "../usage-error.ts";
import { integer, JOBS_DEFAULT_MAX, JOBS_MAX, parseSeed, RANDOM_SEED_END } from "./run-flags.ts";

const SEEDS_DEFAULT = 10;
const SEEDS_MAX = 1_000_000_000;

export const SCENARIO_FLAGS: readonly CommandFlag[] = [
  { name: "list", meaning: "say which scenarios there are", placeholder: null },
  { name: "seeds", meaning: `how many seeds of each [default: ${SEEDS_DEFAULT}]`, placeholder: "n" },
  {
    name: "first",
    meaning: "the first of them; the others count up from it [default: random]",
    placeholder: "seed",
  },
  { name: "seed", meaning: "run this one seed and report on it", placeholder: "seed" },
  {
    name: "trace",
    meaning: "with a name and --seed: print everything that happens, with its virtual time",
    placeholder: null,
  },
  {
    name: "jobs",
    meaning: `threads that run side by side [default: one per core, at most ${JOBS_DEFAULT_MAX}]`,
    placeholder: "n",
  },
  JSON_FLAG,
];

export interface ScenarioPlan {
  /** Names, in the order in which they are listed. */
  readonly scenarios: readonly string[];
  readonly first: bigint;
  /** Of each. */
  readonly seeds: number;
  /** One seed was named: whole reports are wanted. */
  readonly single: boolean;
  readonly jobs: number;
  readonly trace: boolean;
  readonly json: boolean;
}

/** `name`: undefined for all. Throws `UsageError` for whatever makes no sense. `cores`: of this machine. */
export function readScenarioFlags(
  name: string | undefined,
  flags: Readonly<Record<string, string>>,
  cores: number,
): ScenarioPlan {
  const names = SCENARIOS.map((scenario) => scenario.name);
  if (name !== undefined && !names.includes(name))
    throw new UsageError(
      `there is no scenario '${name}'${didYouMean(name, names) || `; there are ${names.join(", ")}`}`,
    );
  const single = flags.seed !== undefined;
  if (single && (flags.seeds !== undefined || flags.first !== undefined))
    throw new UsageError("--seed runs one seed; --seeds and --first run many: give one or the other");
  if (flags.trace !== undefined && (!single || name === undefined))
    throw new UsageError("--trace needs a scenario and --seed: it tells one history");
  if (flags.trace !== undefined && flags.json !== undefined)
    throw new UsageError("--trace and --json exclude each other");
  const given = flags[single ? "seed" : "first"];
  const seeds = single ? 1 : integer(flags, "seeds", 1, SEEDS_MAX, SEEDS_DEFAULT);
  const scenarios = name === undefined ? names : [name];
  const jobs = integer(flags, "jobs", 1, JOBS_MAX, Math.min(cores, JOBS_DEFAULT_MAX));
  return {
    scenarios,
    first:
      given === undefined ? BigInt(randomInt(RANDOM_SEED_END)) : parseSeed(single ? "seed" : "first", given),
    seeds,
    single,
    jobs: Math.min(seeds * scenarios.length, jobs),
    trace: flags.trace !== undefined,
    json: flags.json !== undefined,
  };
}
