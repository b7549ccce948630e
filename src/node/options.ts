/**
 * What a node can be told. Every option has a default, a unit in its name and one place where it is obeyed.
 */
import { type Address, isWildcardHost, parseAddress } from "../base/address.ts";
import { parseFsync } from "../base/fsync-policy.ts";
import { SHARDS_MAX } from "../base/ids.ts";
import { REPLICATION_FACTOR_MAX } from "../base/limits.ts";
import { IDLE_MS_LIMIT } from "../cache/heat.ts";

export interface NodeOptions {
  /** `host:port` of machines that may already run. None: found a cluster alone, at once. */
  readonly seeds: readonly string[];
  /** Interface of the cluster address. Default 127.0.0.1. Another than loopback needs `insecure`. */
  readonly host: string;
  /** Cluster port: gossip on UDP, links on TCP. 0 = any free one. Default 7946. */
  readonly port: number;
  /** What others dial, `host` or `host:port`. Default: the bound address; where that is all of them, the machine's only one. */
  readonly advertise: string | null;
  /** Redis door: a port (0 = any free one) or null for none. Embedded default null; `crema-node` uses 6380. */
  readonly respPort: number | null;
  /** HTTP door: likewise. Embedded default null; `crema-node` uses 7980. */
  readonly httpPort: number | null;
  /** Number of shards, fixed when the cluster is founded. Default 16. Limit 1 .. 4,096. */
  readonly shards: number;
  /** Voters of every shard once there are enough members, fixed at founding. Default 3. Limit 1 .. 7. */
  readonly replicationFactor: number;
  /** `auto`: found when the rules allow; `never`: only join; `force`: found alone at once although seeds are given. */
  readonly bootstrap: "auto" | "never" | "force";
  /** Found only once this many seeds answer; 0 = a majority of the seed list. */
  readonly bootstrapExpect: number;
  /** Placement: replicas avoid sharing a zone. Default "". */
  readonly zone: string;
  /** For people. Default: the advertised address. */
  readonly name: string;
  /** Placement: share of replicas relative to others. Default 1. Limit 0.1 .. 100. */
  readonly weight: number;
  /** Allows a cluster address that is not loopback although links are not encrypted. Default false. */
  readonly insecure: boolean;
  /** Time-to-live for `put` without one, in milliseconds; 0 = none. */
  readonly defaultTtlMs: number;
  /**
   * What this node may hold over all its replicas, in accounted bytes: keys, values and what they cost beside.
   * 0 = no limit. Default 0. Limit: 1 MiB at least. @see docs/limits.md
   */
  readonly maxMemoryBytes: number;
  /** Keys that this node may hold over all its replicas. 0 = no limit. Default 0. */
  readonly maxEntries: number;
  /**
   * What happens at these limits. `lru`: keys go that were not used for longest; `lfu`: keys that are used least;
   * `none`: nothing goes, and writes that add something are refused with CREMA_CAPACITY. Default `lru`.
   */
  readonly evictionPolicy: "lru" | "lfu" | "none";
  /** Keys that nobody has read or written for so long are removed, in milliseconds; 0 = never. Default 0. Limit 1 s .. 30 days. */
  readonly idleTtlMs: number;
  /** How long one request may take, all hops and retries included. Default 5,000. */
  readonly requestTimeoutMs: number;
  /** How long `leave()` may take before it gives up and closes. Default 25,000. 0 = close at once. */
  readonly drainTimeoutMs: number;
  /** What one Raft tick lasts, in milliseconds. Default 100. */
  readonly tickMs: number;
  /** Ticks without a leader before an election; drawn from [n, 2n). Default 10. */
  readonly electionTimeoutTicks: number;
  /** Gossip preset. Default `lan`. */
  readonly gossip: "lan" | "wan" | "local";
  /** How long a member must be dead before its replicas are replaced, in milliseconds. Default 10,000. */
  readonly deadGraceMs: number;
  /** Where this node keeps what outlives its process. null: nothing does, and every start is a new node. Default null. */
  readonly dataDir: string | null;
  /** When a write is durable: `always` (synced), `interval:<ms>` (synced soon), `never` (when the system likes). Default `always`. */
  readonly fsync: string;
  /** A checkpoint of a shard is due when its log has grown by so many bytes, and by the size of the last one. Default 16 MiB. */
  readonly checkpointLogBytes: number;
  /** A checkpoint is due when the last one is so old and there is any log behind it, in milliseconds. Default 300,000. */
  readonly checkpointIntervalMs: number;
  /** Checkpoints kept of every shard, with the log behind the oldest. Default 2. Limit 1 .. 10. */
  readonly checkpointsKept: number;
  /** With less free space than this on the disk of `dataDir` the node becomes read-only, in bytes. Default 64 MiB. 0: once it is full. */
  readonly minFreeDiskBytes: number;
  /**
   * What this node sends in snapshots, all together, in bytes per second; 0 = no limit. Default 64 MiB/s: half of a 1 Gbit/s
   * network stays for requests, and a shard of 1 GiB still moves in 16 s. Limit 64 KiB/s .. 1 TiB/s.
   */
  readonly snapshotBytesPerSecondMax: number;
  /**
   * Shards whose replicas move at the same time, while this node leads the system group: give every node the same. Default 16: a
   * fresh cluster of the default size grows in one go, and a larger one copies on a few streams per node. Limit 1 .. 4,096.
   */
  readonly rebalanceMovesMax: number;
  /** How long seeds may stay silent before founding goes on without them, in milliseconds. Default 3,000. */
  readonly foundingDelayMs: number;
}

export const DEFAULT_NODE_OPTIONS: NodeOptions = Object.freeze({
  seeds: Object.freeze([]),
  host: "127.0.0.1",
  port: 7946,
  advertise: null,
  respPort: null,
  httpPort: null,
  shards: 16,
  replicationFactor: 3,
  bootstrap: "auto",
  bootstrapExpect: 0,
  zone: "",
  name: "",
  weight: 1,
  insecure: false,
  defaultTtlMs: 0,
  maxMemoryBytes: 0,
  maxEntries: 0,
  evictionPolicy: "lru",
  idleTtlMs: 0,
  requestTimeoutMs: 5_000,
  drainTimeoutMs: 25_000,
  tickMs: 100,
  electionTimeoutTicks: 10,
  gossip: "lan",
  deadGraceMs: 10_000,
  snapshotBytesPerSecondMax: 64 * 1024 * 1024,
  rebalanceMovesMax: 16,
  foundingDelayMs: 3_000,
  dataDir: null,
  fsync: "always",
  checkpointLogBytes: 16 * 1024 * 1024,
  checkpointIntervalMs: 300_000,
  checkpointsKept: 2,
  minFreeDiskBytes: 64 * 1024 * 1024,
});

/** Less than this is no limit but a mistake of units. */
export const MEMORY_BYTES_MIN = 1024 * 1024;
/** Idleness is noticed in tenths of a second and judged when a sweep comes round. */
export const IDLE_TTL_MS_MIN = 1_000;
export const IDLE_TTL_MS_MAX = IDLE_MS_LIMIT;

export const DEFAULT_CLUSTER_PORT = 7946;
export const DEFAULT_RESP_PORT = 6380;
export const DEFAULT_HTTP_PORT = 7980;

/** Fills in defaults and validates. Throws `TypeError` or `RangeError` naming the option and what it takes. */
export function resolveNodeOptions(given: Partial<NodeOptions> = {}): NodeOptions {
  for (const name of Object.keys(given)) {
    if (!(name in DEFAULT_NODE_OPTIONS)) throw new TypeError(`unknown option '${name}'`);
  }
  const defined = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const options: NodeOptions = { ...DEFAULT_NODE_OPTIONS, ...defined };
  for (const seed of options.seeds) parseSeed(seed);
  if (options.advertise !== null) {
    const { host } = parseOption("advertise", options.advertise, options.port);
    if (isWildcardHost(host)) throw new RangeError(`option advertise: nobody can dial ${host}`);
  }
  integerWithin("port", options.port, 0, 65_535);
  if (options.respPort !== null) integerWithin("respPort", options.respPort, 0, 65_535);
  if (options.httpPort !== null) integerWithin("httpPort", options.httpPort, 0, 65_535);
  integerWithin("shards", options.shards, 1, SHARDS_MAX);
  integerWithin("replicationFactor", options.replicationFactor, 1, REPLICATION_FACTOR_MAX);
  integerWithin("bootstrapExpect", options.bootstrapExpect, 0, 1_000);
  integerWithin("requestTimeoutMs", options.requestTimeoutMs, 1, 3_600_000);
  integerWithin("drainTimeoutMs", options.drainTimeoutMs, 0, 3_600_000);
  integerWithin("tickMs", options.tickMs, 10, 10_000);
  integerWithin("electionTimeoutTicks", options.electionTimeoutTicks, 3, 1_000);
  integerWithin("deadGraceMs", options.deadGraceMs, 0, 86_400_000);
  if (options.snapshotBytesPerSecondMax !== 0)
    integerWithin("snapshotBytesPerSecondMax", options.snapshotBytesPerSecondMax, 65_536, 2 ** 40);
  integerWithin("rebalanceMovesMax", options.rebalanceMovesMax, 1, SHARDS_MAX);
  integerWithin("foundingDelayMs", options.foundingDelayMs, 0, 600_000);
  integerWithin("defaultTtlMs", options.defaultTtlMs, 0, Number.MAX_SAFE_INTEGER);
  integerWithin("checkpointLogBytes", options.checkpointLogBytes, 64 * 1024, 2 ** 40);
  integerWithin("checkpointIntervalMs", options.checkpointIntervalMs, 1_000, 7 * 86_400_000);
  integerWithin("checkpointsKept", options.checkpointsKept, 1, 10);
  integerWithin("minFreeDiskBytes", options.minFreeDiskBytes, 0, Number.MAX_SAFE_INTEGER);
  if (options.dataDir !== null && (typeof options.dataDir !== "string" || options.dataDir === ""))
    throw new TypeError("option dataDir must be the path of a folder, or null");
  if (parseFsync(options.fsync) === null)
    throw new RangeError(
      `option fsync must be always, never or interval:<1 .. 60000 ms>, got ${options.fsync}`,
    );
  integerWithin("maxEntries", options.maxEntries, 0, Number.MAX_SAFE_INTEGER);
  if (options.maxMemoryBytes !== 0)
    integerWithin("maxMemoryBytes", options.maxMemoryBytes, MEMORY_BYTES_MIN, Number.MAX_SAFE_INTEGER);
  if (options.idleTtlMs !== 0)
    integerWithin("idleTtlMs", options.idleTtlMs, IDLE_TTL_MS_MIN, IDLE_TTL_MS_MAX);
  if (!(options.weight >= 0.1 && options.weight <= 100)) {
    throw new RangeError(`option weight must be 0.1 .. 100, got ${options.weight}`);
  }
  for (const name of ["name", "zone"] as const) {
    if (typeof options[name] !== "string" || options[name].length > 64) {
      throw new RangeError(`option ${name} must be a text of at most 64 characters`);
    }
  }
  if (!["auto", "never", "force"].includes(options.bootstrap)) {
    throw new RangeError(`option bootstrap must be auto, never or force, got ${options.bootstrap}`);
  }
  if (!["lru", "lfu", "none"].includes(options.evictionPolicy)) {
    throw new RangeError(`option evictionPolicy must be lru, lfu or none, got ${options.evictionPolicy}`);
  }
  if (!["lan", "wan", "local"].includes(options.gossip)) {
    throw new RangeError(`option gossip must be lan, wan or local, got ${options.gossip}`);
  }
  return Object.freeze(options);
}

/** One seed as an address; the cluster port is 7946 unless the text says otherwise. */
export function parseSeed(text: string): Address {
  return parseOption("seeds", text, DEFAULT_CLUSTER_PORT);
}

function parseOption(name: string, text: string, defaultPort: number): Address {
  const address = parseAddress(text, defaultPort === 0 ? DEFAULT_CLUSTER_PORT : defaultPort);
  if (address === null) throw new TypeError(`option ${name}: '${text}' is not host:port`);
  return address;
}

function integerWithin(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`option ${name} must be an integer ${least} .. ${most}, got ${value}`);
  }
}
