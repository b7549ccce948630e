/**
 * The flags of `crema sim run`, and the plan that comes of them.
 */
import { randomInt } from "node:crypto";
import { FAULT_KINDS, type FaultKind, isFaultKind } from "../../src/sim/fault-kind.ts";
import {
  DEFAULT_RUN_OPTIONS,
  type Limits,
  type RunOptions,
  resolveRunOptions,
  type Storage,
} from "../../src/sim/run-options.ts";
import { didYouMean } from "../nearest-name.ts";
import { type CommandFlag, JSON_FLAG } from "../operator/command.ts";
import { UsageError } from "../usage-error.ts";

const SEEDS_DEFAULT = 100;
const SEEDS_MAX = 1_000_000_000;
export const JOBS_DEFAULT_MAX = 8;
export const JOBS_MAX = 256;
const MINUTE_MS = 60_000;
const SEED_END = 1n << 64n;
/** A first seed drawn by chance is short enough to be typed. */
export const RANDOM_SEED_END = 2 ** 40;

const defaults = DEFAULT_RUN_OPTIONS;

export const RUN_FLAGS: readonly CommandFlag[] = [
  { name: "seeds", meaning: `how many seeds [default: ${SEEDS_DEFAULT}]`, placeholder: "n" },
  {
    name: "first",
    meaning: "the first of them; the others count up from it [default: random]",
    placeholder: "seed",
  },
  { name: "seed", meaning: "run this one seed and report on it", placeholder: "seed" },
  {
    name: "trace",
    meaning: "with --seed: print everything that happens, with its virtual time",
    placeholder: null,
  },
  { name: "shrink", meaning: "make the first failing run as small as possible", placeholder: null },
  { name: "nodes", meaning: `machines, 1 .. 9 [default: ${defaults.nodes}]`, placeholder: "n" },
  { name: "shards", meaning: `shards, 1 .. 64 [default: ${defaults.shards}]`, placeholder: "n" },
  {
    name: "replication-factor",
    meaning: `voters of every shard, 1 .. 7 [default: ${defaults.replicationFactor}]`,
    placeholder: "n",
  },
  {
    name: "minutes",
    meaning: `virtual minutes of faults per seed, 0.5 for instance [default: ${defaults.chaosMs / MINUTE_MS}]`,
    placeholder: "m",
  },
  { name: "clients", meaning: `clients, 0 .. 64 [default: ${defaults.clients}]`, placeholder: "n" },
  {
    name: "faults",
    meaning: "what may go wrong: all, none, or some by name [default: all]",
    placeholder: "a,b,c",
  },
  {
    name: "no-swarm",
    meaning: "switch all of --faults on for every seed, not a random part",
    placeholder: null,
  },
  {
    name: "storage",
    meaning: `what restarted machines remember: memory, disk or either [default: ${defaults.storage}]`,
    placeholder: "kind",
  },
  {
    name: "limits",
    meaning: `what nodes may hold: none, or small (they live at their limits) [default: ${defaults.limits}]`,
    placeholder: "kind",
  },
  {
    name: "jobs",
    meaning: `threads that run seeds side by side [default: one per core, at most ${JOBS_DEFAULT_MAX}]`,
    placeholder: "n",
  },
  JSON_FLAG,
];

/** What is to be run, and what is to be said about it. */
export interface RunPlan {
  /** All options but the seed. */
  readonly options: Omit<RunOptions, "seed">;
  readonly first: bigint;
  readonly seeds: number;
  /** One seed was named: its whole report is wanted. */
  readonly single: boolean;
  readonly jobs: number;
  readonly trace: boolean;
  readonly shrink: boolean;
  readonly json: boolean;
}

/** Throws `UsageError` for whatever makes no sense. `cores`: of this machine. */
export function readRunFlags(flags: Readonly<Record<string, string>>, cores: number): RunPlan {
  const single = flags.seed !== undefined;
  if (single) {
    if (flags.seeds !== undefined)
      throw new UsageError(
        "--seed runs one seed and --seeds many: give one of the two (--first says where many begin)",
      );
    if (flags.first !== undefined) throw new UsageError("--first belongs to --seeds, not to --seed");
  }
  if (flags.trace !== undefined && !single)
    throw new UsageError("--trace needs --seed: it tells one history");
  if (flags.trace !== undefined && flags.json !== undefined)
    throw new UsageError("--trace and --json exclude each other");
  const seeds = single ? 1 : integer(flags, "seeds", 1, SEEDS_MAX, SEEDS_DEFAULT);
  const firstFlag = single ? "seed" : "first";
  const given = flags[firstFlag];
  const first = given === undefined ? BigInt(randomInt(RANDOM_SEED_END)) : parseSeed(firstFlag, given);
  if (first + BigInt(seeds) > SEED_END)
    throw new UsageError(`--first: only ${SEED_END - first} seeds are left from there on`);
  return {
    options: readOptions(flags),
    first,
    seeds,
    single,
    jobs: Math.min(seeds, integer(flags, "jobs", 1, JOBS_MAX, Math.min(cores, JOBS_DEFAULT_MAX))),
    trace: flags.trace !== undefined,
    shrink: flags.shrink !== undefined,
    json: flags.json !== undefined,
  };
}

/** A seed as people write it: a decimal number below 2^64. */
export function parseSeed(flag: string, text: string): bigint {
  const seed = /^\d{1,20}$/.test(text) ? BigInt(text) : SEED_END;
  if (seed >= SEED_END) throw new UsageError(`--${flag}: '${text}' is not an integer 0 .. 2^64-1`);
  return seed;
}

/** `all`, `none`, or names with commas between them, in the order in which the simulator lists them. */
export function parseFaults(text: string): readonly FaultKind[] {
  if (text === "all") return FAULT_KINDS;
  if (text === "none") return [];
  const named = text.split(",").map((word) => word.trim());
  for (const word of named) {
    if (isFaultKind(word)) continue;
    const hint = didYouMean(word, [...FAULT_KINDS, "all", "none"]) || `; there are ${FAULT_KINDS.join(", ")}`;
    throw new UsageError(`--faults: unknown fault '${word}'${hint}`);
  }
  return FAULT_KINDS.filter((kind) => named.includes(kind));
}

function readOptions(flags: Readonly<Record<string, string>>): Omit<RunOptions, "seed"> {
  const { seed: _, ...options } = resolveRunOptions({
    seed: 0n,
    nodes: integer(flags, "nodes", 1, 9, defaults.nodes),
    shards: integer(flags, "shards", 1, 64, defaults.shards),
    replicationFactor: integer(flags, "replication-factor", 1, 7, defaults.replicationFactor),
    chaosMs: flags.minutes === undefined ? defaults.chaosMs : parseMinutesMs(flags.minutes),
    clients: integer(flags, "clients", 0, 64, defaults.clients),
    faults: parseFaults(flags.faults ?? "all"),
    swarm: flags["no-swarm"] === undefined,
    storage: flags.storage === undefined ? defaults.storage : parseStorage(flags.storage),
    limits: flags.limits === undefined ? defaults.limits : parseLimits(flags.limits),
  });
  return options;
}

function parseMinutesMs(text: string): number {
  const minutes = /^(\d+(\.\d+)?|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
  if (!(minutes <= 24 * 60)) throw new UsageError(`--minutes: '${text}' is not a number 0 .. 1440`);
  return Math.round(minutes * MINUTE_MS);
}

function parseStorage(text: string): Storage {
  if (text === "memory" || text === "disk" || text === "either") return text;
  throw new UsageError(`--storage: '${text}' is not memory, disk or either`);
}

function parseLimits(text: string): Limits {
  if (text === "none" || text === "small") return text;
  throw new UsageError(`--limits: '${text}' is not none or small`);
}

export function integer(
  flags: Readonly<Record<string, string>>,
  name: string,
  least: number,
  most: number,
  otherwise: number,
): number {
  const text = flags[name];
  if (text === undefined) return otherwise;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most))
    throw new UsageError(`--${name}: '${text}' is not an integer ${least} .. ${most}`);
  return value;
}
