/**
 * Every setting of `crema-node`, once. The command line, the environment and the configuration file all read this
 * table: setting `resp-port` is `--resp-port`, `CREMA_RESP_PORT` and the field "resp-port".
 * A setting that the node does not obey must not stand here.
 */
import {
  DEFAULT_HTTP_PORT,
  DEFAULT_NODE_OPTIONS,
  DEFAULT_RESP_PORT,
  IDLE_TTL_MS_MAX,
  IDLE_TTL_MS_MIN,
  MEMORY_BYTES_MIN,
} from "../../src/index.ts";
import { formatByteSize } from "../byte-size.ts";
import { formatDuration } from "../duration.ts";
import {
  addressesFlag,
  addressFlag,
  byteSizeFlag,
  choiceFlag,
  durationFlag,
  type Flag,
  fsyncFlag,
  hostFlag,
  integerFlag,
  numberFlag,
  portFlag,
  switchFlag,
  textFlag,
} from "./flag.ts";

const defaults = DEFAULT_NODE_OPTIONS;
const DAY_MS = 86_400_000;

export const FLAGS = Object.freeze({
  seed: addressesFlag({
    meaning: "a machine that may already run; repeatable. None: found a cluster alone",
  }),
  host: hostFlag({ meaning: "interface all doors listen on", defaultText: defaults.host }),
  port: portFlag({
    meaning: "cluster port: gossip on UDP, peers on TCP; 0 = any free one",
    defaultText: String(defaults.port),
  }),
  advertise: addressFlag({
    meaning: "what other machines dial",
    defaultText: "the bound address; of 0.0.0.0 the only one",
  }),
  "resp-port": portFlag({
    meaning: "Redis protocol; 0 = any free one",
    defaultText: String(DEFAULT_RESP_PORT),
  }),
  "http-port": portFlag({
    meaning: "status, health, metrics, keys over HTTP; 0 = any free one",
    defaultText: String(DEFAULT_HTTP_PORT),
  }),
  "no-resp": switchFlag({ meaning: "open no Redis port" }),
  "no-http": switchFlag({ meaning: "open no HTTP port" }),
  insecure: switchFlag({ meaning: "allow a --host that is not loopback although nothing is encrypted yet" }),
  shards: integerFlag(1, 4_096, {
    meaning: "shards of the key space; fixed at founding",
    defaultText: String(defaults.shards),
  }),
  "replication-factor": integerFlag(1, 7, {
    meaning: "voters of every shard; fixed at founding",
    defaultText: String(defaults.replicationFactor),
  }),
  bootstrap: choiceFlag(["auto", "never", "force"], {
    meaning: "found once the seeds agree, never, or alone and at once",
    defaultText: defaults.bootstrap,
  }),
  "bootstrap-expect": integerFlag(0, 1_000, {
    meaning: "found once this many seeds answer; 0 = a majority of them",
    defaultText: String(defaults.bootstrapExpect),
  }),
  zone: textFlag(64, { meaning: "replicas of a shard avoid sharing a zone", placeholder: "zone" }),
  name: textFlag(64, {
    meaning: "what people call this node",
    placeholder: "name",
    defaultText: "its address",
  }),
  weight: numberFlag(0.1, 100, {
    meaning: "share of replicas relative to other nodes",
    defaultText: String(defaults.weight),
  }),
  "data-dir": textFlag(4_096, {
    meaning: "folder that outlives the process; else a restart is a new, empty node",
    placeholder: "dir",
  }),
  fsync: fsyncFlag({
    meaning: "when a write counts as durable, and is acknowledged",
    defaultText: defaults.fsync,
  }),
  "checkpoint-log-bytes": byteSizeFlag(64 * 1024, 2 ** 40, {
    meaning: "checkpoint a shard when its log has grown by so much",
    defaultText: formatByteSize(defaults.checkpointLogBytes),
  }),
  "checkpoint-interval": durationFlag(7 * DAY_MS, {
    meaning: "checkpoint a shard when its last one is so old",
    defaultText: formatDuration(defaults.checkpointIntervalMs),
  }),
  "checkpoints-kept": integerFlag(1, 10, {
    meaning: "checkpoints kept of every shard, with the log behind them",
    defaultText: String(defaults.checkpointsKept),
  }),
  "min-free-disk": byteSizeFlag(0, 2 ** 50, {
    meaning: "become read-only with less free space than this",
    defaultText: formatByteSize(defaults.minFreeDiskBytes),
  }),
  "max-memory": byteSizeFlag(MEMORY_BYTES_MIN, 2 ** 50, {
    meaning: "what this node may hold, all replicas together; 0 = no limit",
    defaultText: "0",
  }),
  "max-entries": integerFlag(0, Number.MAX_SAFE_INTEGER, {
    meaning: "keys this node may hold, all replicas together; 0 = no limit",
    defaultText: String(defaults.maxEntries),
  }),
  eviction: choiceFlag(["lru", "lfu", "none"], {
    meaning: "what goes at a limit: longest unused, least used, nothing",
    defaultText: defaults.evictionPolicy,
  }),
  "idle-ttl": durationFlag(
    IDLE_TTL_MS_MAX,
    {
      meaning: "remove keys that nobody has used for so long; 0 = never",
      defaultText: "0",
    },
    IDLE_TTL_MS_MIN,
  ),
  "dead-grace": durationFlag(DAY_MS, {
    meaning: "how long a member must be dead before its replicas are replaced",
    defaultText: formatDuration(defaults.deadGraceMs),
  }),
  "drain-timeout": durationFlag(3_600_000, {
    meaning: "budget for leaving in order on SIGTERM; 0 = stop at once",
    defaultText: formatDuration(defaults.drainTimeoutMs),
  }),
  "snapshot-bandwidth": byteSizeFlag(0, 2 ** 40, {
    meaning: "bytes per second for snapshots to others; 0 = no limit",
    defaultText: formatByteSize(defaults.snapshotBytesPerSecondMax),
  }),
  "rebalance-moves": integerFlag(1, 4_096, {
    meaning: "shards whose replicas move at once; the same on every node",
    defaultText: String(defaults.rebalanceMovesMax),
  }),
  gossip: choiceFlag(["lan", "wan", "local"], {
    meaning: "timing of failure detection",
    defaultText: defaults.gossip,
  }),
  "log-level": choiceFlag(["trace", "debug", "info", "warn", "error", "fatal", "silent"], {
    placeholder: "level",
    meaning: "least severe line: trace, debug, info, warn, error, fatal, silent",
    defaultText: "info",
  }),
  "log-format": choiceFlag(["pretty", "json"], {
    meaning: "how log lines look",
    defaultText: "pretty on a terminal, else json",
  }),
  "exit-with-parent": switchFlag({
    meaning: "stop when the process that started this one over an IPC channel goes away",
  }),
  config: textFlag(4_096, { meaning: "JSON file with any of these settings", placeholder: "file" }),
});

export type FlagName = keyof typeof FLAGS;

/** What was set, by whichever way; absent = not set. */
export type FlagValues = {
  readonly [Name in FlagName]?: (typeof FLAGS)[Name] extends Flag<infer Value> ? Value : never;
};

export const FLAG_NAMES: readonly FlagName[] = Object.freeze(
  Object.keys(FLAGS).filter((name): name is FlagName => name in FLAGS),
);

export function isFlagName(name: string): name is FlagName {
  return Object.hasOwn(FLAGS, name);
}

/** `resp-port` in the environment: `CREMA_RESP_PORT`. */
export function environmentName(flag: FlagName): string {
  return `CREMA_${flag.toUpperCase().replaceAll("-", "_")}`;
}

/** Reads the texts of one setting. */
export function readFlag(name: FlagName, texts: readonly string[], origin: string): FlagValues {
  return { [name]: FLAGS[name].read(texts, origin) };
}
