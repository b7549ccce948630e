/**
 * Puts the three sources of settings together and hands the node what it understands.
 * The command line wins over the environment, the environment over the file, the file over the defaults.
 */
import {
  DEFAULT_HTTP_PORT,
  DEFAULT_NODE_OPTIONS,
  DEFAULT_RESP_PORT,
  type NodeOptions,
} from "../../src/index.ts";
import { UsageError } from "../usage-error.ts";
import { readCommandLine } from "./command-line.ts";
import { readConfigFile } from "./config-file.ts";
import { readEnvironment } from "./environment.ts";
import type { FlagValues } from "./flags.ts";

export type LogLevel = NonNullable<FlagValues["log-level"]>;
export type LogFormat = NonNullable<FlagValues["log-format"]>;

export interface DaemonSettings {
  readonly node: Partial<NodeOptions>;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  /** Stop when the IPC channel to the starting process closes. */
  readonly exitWithParent: boolean;
  readonly warnings: readonly string[];
}

export interface SettingSources {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether standard output is a terminal: decides the default log format. */
  readonly onTerminal: boolean;
}

/** Throws `UsageError` for whatever a person typed wrong. */
export function resolveDaemonSettings(sources: SettingSources): DaemonSettings {
  const commandLine = readCommandLine(sources.argv);
  const environment = readEnvironment(sources.environment);
  const configPath = commandLine.config ?? environment.values.config;
  const file = configPath === undefined ? {} : readConfigFile(configPath);
  const values: FlagValues = { ...file, ...environment.values, ...commandLine };
  return {
    node: nodeOptions(values),
    logLevel: values["log-level"] ?? "info",
    logFormat: values["log-format"] ?? (sources.onTerminal ? "pretty" : "json"),
    exitWithParent: values["exit-with-parent"] ?? false,
    warnings: environment.warnings,
  };
}

/** What means nothing to a node in memory. */
const DISK_FLAGS = [
  "fsync",
  "checkpoint-log-bytes",
  "checkpoint-interval",
  "checkpoints-kept",
  "min-free-disk",
] as const;

function nodeOptions(values: FlagValues): Partial<NodeOptions> {
  const defaults = DEFAULT_NODE_OPTIONS;
  const host = values.host ?? defaults.host;
  const insecure = values.insecure ?? defaults.insecure;
  if (!insecure && !isLoopback(host)) {
    throw new UsageError(
      `--host ${host} is not a loopback address and nothing between nodes or clients is encrypted yet: ` +
        `add --insecure if the network is trusted, or bind 127.0.0.1`,
    );
  }
  for (const flag of DISK_FLAGS) {
    if (values[flag] === undefined || values["data-dir"] !== undefined) continue;
    throw new UsageError(`--${flag} needs --data-dir: without one this node keeps nothing on a disk`);
  }
  return {
    seeds: values.seed ?? defaults.seeds,
    host,
    insecure,
    port: values.port ?? defaults.port,
    advertise: values.advertise ?? defaults.advertise,
    respPort: doorPort(values, "no-resp", "resp-port", DEFAULT_RESP_PORT),
    httpPort: doorPort(values, "no-http", "http-port", DEFAULT_HTTP_PORT),
    shards: values.shards ?? defaults.shards,
    replicationFactor: values["replication-factor"] ?? defaults.replicationFactor,
    bootstrap: values.bootstrap ?? defaults.bootstrap,
    bootstrapExpect: values["bootstrap-expect"] ?? defaults.bootstrapExpect,
    zone: values.zone ?? defaults.zone,
    name: values.name ?? defaults.name,
    weight: values.weight ?? defaults.weight,
    dataDir: values["data-dir"] ?? defaults.dataDir,
    fsync: values.fsync ?? defaults.fsync,
    checkpointLogBytes: values["checkpoint-log-bytes"] ?? defaults.checkpointLogBytes,
    checkpointIntervalMs: values["checkpoint-interval"] ?? defaults.checkpointIntervalMs,
    checkpointsKept: values["checkpoints-kept"] ?? defaults.checkpointsKept,
    minFreeDiskBytes: values["min-free-disk"] ?? defaults.minFreeDiskBytes,
    maxMemoryBytes: values["max-memory"] ?? defaults.maxMemoryBytes,
    maxEntries: values["max-entries"] ?? defaults.maxEntries,
    evictionPolicy: values.eviction ?? defaults.evictionPolicy,
    idleTtlMs: values["idle-ttl"] ?? defaults.idleTtlMs,
    deadGraceMs: values["dead-grace"] ?? defaults.deadGraceMs,
    drainTimeoutMs: values["drain-timeout"] ?? defaults.drainTimeoutMs,
    snapshotBytesPerSecondMax: values["snapshot-bandwidth"] ?? defaults.snapshotBytesPerSecondMax,
    rebalanceMovesMax: values["rebalance-moves"] ?? defaults.rebalanceMovesMax,
    gossip: values.gossip ?? defaults.gossip,
  };
}

function doorPort(
  values: FlagValues,
  closed: "no-resp" | "no-http",
  port: "resp-port" | "http-port",
  defaultPort: number,
): number | null {
  const chosen = values[port];
  if (values[closed] !== true) return chosen ?? defaultPort;
  if (chosen !== undefined) throw new UsageError(`--${closed} and --${port} ${chosen} contradict each other`);
  return null;
}

/** Whether `host` can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}
