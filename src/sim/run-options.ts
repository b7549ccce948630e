/**
 * What one simulated run is made from. Everything else is drawn from the seed, so these few values replay it.
 */
import { FAULT_KINDS, type FaultKind } from "./fault-kind.ts";

/** What a restarted machine remembers. `memory`: nothing, it comes back under a new id. `either`: drawn from the seed. */
export type Storage = "memory" | "disk" | "either";

/** What nodes may hold. `small`: limits so small that nodes live at them, and idle keys go; drawn from the seed. */
export type Limits = "none" | "small";

export interface RunOptions {
  /** 0 .. 2^64-1. */
  readonly seed: bigint;
  /** Machines the fleet has when nothing is wrong. Default 5. Limit 1 .. 9. */
  readonly nodes: number;
  /** Default 16. Limit 1 .. 64. */
  readonly shards: number;
  /** Default 3. Limit 1 .. 7. */
  readonly replicationFactor: number;
  /** Virtual milliseconds with faults; founding before and healing after come on top. Default 60,000. */
  readonly chaosMs: number;
  /** Clients, spread over the nodes. Default 6. */
  readonly clients: number;
  /** What may go wrong. Default: everything. */
  readonly faults: readonly FaultKind[];
  /** Whether a random part of `faults` is switched on, instead of all of them. Default true. */
  readonly swarm: boolean;
  /** Default either. */
  readonly storage: Storage;
  /** Default none. */
  readonly limits: Limits;
}

export const DEFAULT_RUN_OPTIONS: Omit<RunOptions, "seed"> = Object.freeze({
  nodes: 5,
  shards: 16,
  replicationFactor: 3,
  chaosMs: 60_000,
  clients: 6,
  faults: FAULT_KINDS,
  swarm: true,
  storage: "either",
  limits: "none",
});

const SEED_END = 1n << 64n;

/** Fills in defaults and validates. Throws `RangeError` naming the option. */
export function resolveRunOptions(given: Partial<RunOptions> & { readonly seed: bigint }): RunOptions {
  const options: RunOptions = { ...DEFAULT_RUN_OPTIONS, ...given };
  if (options.seed < 0n || options.seed >= SEED_END) throw new RangeError("seed must be 0 .. 2^64-1");
  within("nodes", options.nodes, 1, 9);
  within("shards", options.shards, 1, 64);
  within("replicationFactor", options.replicationFactor, 1, 7);
  within("chaosMs", options.chaosMs, 0, 24 * 3_600_000);
  within("clients", options.clients, 0, 64);
  return options;
}

/** The command that runs `options` again. */
export function replayCommand(options: RunOptions): string {
  const words = [`npx crema sim run --seed ${options.seed}`, "--trace"];
  const defaults = DEFAULT_RUN_OPTIONS;
  if (options.nodes !== defaults.nodes) words.push(`--nodes ${options.nodes}`);
  if (options.shards !== defaults.shards) words.push(`--shards ${options.shards}`);
  if (options.replicationFactor !== defaults.replicationFactor)
    words.push(`--replication-factor ${options.replicationFactor}`);
  if (options.chaosMs !== defaults.chaosMs) words.push(`--minutes ${options.chaosMs / 60_000}`);
  if (options.clients !== defaults.clients) words.push(`--clients ${options.clients}`);
  if (options.faults.length !== defaults.faults.length)
    words.push(`--faults ${options.faults.length === 0 ? "none" : options.faults.join(",")}`);
  if (!options.swarm) words.push("--no-swarm");
  if (options.storage !== defaults.storage) words.push(`--storage ${options.storage}`);
  if (options.limits !== defaults.limits) words.push(`--limits ${options.limits}`);
  return words.join(" ");
}

function within(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${name} must be an integer ${least} .. ${most}, got ${value}`);
  }
}
