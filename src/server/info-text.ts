/**
 * The text of INFO, section by section. Fields carry the names Redis gives them where they mean the same; what is
 * crema's own begins with `crema_`.
 */
import process from "node:process";
import { unreachable } from "../base/assert.ts";
import { REDIS_VERSION, type RespServices } from "./resp-services.ts";

export const INFO_SECTIONS = [
  "server",
  "clients",
  "memory",
  "persistence",
  "stats",
  "replication",
  "cpu",
  "commandstats",
  "errorstats",
  "cluster",
  "keyspace",
] as const;

export type InfoSection = (typeof INFO_SECTIONS)[number];

/** What INFO answers when it is asked for nothing in particular. */
export const INFO_DEFAULT_SECTIONS: readonly InfoSection[] = INFO_SECTIONS.filter(
  (section) => section !== "commandstats",
);

type Field = readonly [name: string, value: string | number];

/** The text of `sections`. `keys` is the number of keys in all shards, or why it is not known; null when not wanted. */
export function infoText(
  services: RespServices,
  sections: ReadonlySet<InfoSection>,
  keys: number | "unknown" | null,
): string {
  const texts: string[] = [];
  for (const section of INFO_SECTIONS) {
    if (!sections.has(section)) continue;
    const title = section.charAt(0).toUpperCase() + section.slice(1);
    const lines = fieldsOf(section, services, keys).map(([name, value]) => `${name}:${value}\r\n`);
    texts.push(`# ${title}\r\n${lines.join("")}`);
  }
  return texts.join("\r\n");
}

function fieldsOf(
  section: InfoSection,
  services: RespServices,
  keys: number | "unknown" | null,
): readonly Field[] {
  switch (section) {
    case "server":
      return serverFields(services);
    case "clients":
      return [
        ["connected_clients", services.stats.connectionsOpen],
        ["maxclients", services.settings.maxClients],
      ];
    case "memory":
      return memoryFields(services);
    case "persistence":
      return [
        ["loading", 0],
        ["aof_enabled", services.settings.get("appendonly") === "yes" ? 1 : 0],
      ];
    case "stats":
      return statsFields(services);
    case "replication":
      // Each node takes writes for every shard; where the replicas are is the business of `crema status`.
      return [
        ["role", "master"],
        ["connected_slaves", 0],
      ];
    case "cpu":
      return cpuFields();
    case "commandstats":
      return commandFields(services);
    case "errorstats":
      return [["crema_errors", `refused=${refusedOf(services)},failed=${failedOf(services)}`]];
    case "cluster":
      return [
        ["cluster_enabled", 0],
        ["crema_shards", services.door.shardCount],
        ["crema_ready", services.admin.notReadyReason() === null ? 1 : 0],
      ];
    case "keyspace":
      if (keys === "unknown") return [["crema_keys", "unknown"]];
      return keys === null || keys === 0 ? [] : [["db0", `keys=${keys}`]];
    default:
      return unreachable(section);
  }
}

function serverFields(services: RespServices): readonly Field[] {
  const uptimeSeconds = Math.floor(process.uptime());
  return [
    ["redis_version", REDIS_VERSION],
    ["redis_mode", "standalone"],
    ["crema_version", services.cremaVersion],
    ["crema_node_id", services.admin.nodeId],
    ["node_version", process.version],
    ["os", `${process.platform} ${process.arch}`],
    ["arch_bits", 64],
    ["process_id", process.pid],
    ["tcp_port", services.port()],
    ["server_time_usec", Math.floor(services.door.wallMs() * 1_000)],
    ["uptime_in_seconds", uptimeSeconds],
    ["uptime_in_days", Math.floor(uptimeSeconds / 86_400)],
  ];
}

function memoryFields(services: RespServices): readonly Field[] {
  const { rss, heapUsed, external } = process.memoryUsage();
  const used = heapUsed + external;
  const { gauges } = services.admin.metrics();
  return [
    ["used_memory", used],
    ["used_memory_human", human(used)],
    ["used_memory_rss", rss],
    ["used_memory_rss_human", human(rss)],
    ["crema_dataset_bytes", gauges.cache_accounted_bytes ?? 0],
    ["crema_dataset_keys", gauges.cache_replica_keys ?? 0],
    ["maxmemory", services.settings.get("maxmemory") ?? ""],
    ["maxmemory_policy", services.settings.get("maxmemory-policy") ?? ""],
  ];
}

function statsFields({ stats, admin }: RespServices): readonly Field[] {
  const { counters } = admin.metrics();
  return [
    ["total_connections_received", stats.connectionsAccepted],
    ["total_commands_processed", stats.requests],
    ["total_net_input_bytes", stats.bytesRead],
    ["total_net_output_bytes", stats.bytesWritten],
    ["rejected_connections", stats.connectionsRejected],
    ["total_error_replies", stats.errors],
    ["total_writes_processed", stats.socketWrites],
    ["expired_keys", counters.cache_expirations_total ?? 0],
    ["evicted_keys", counters.cache_evictions_total ?? 0],
    ["keyspace_hits", counters.cache_hits_total ?? 0],
    ["keyspace_misses", counters.cache_misses_total ?? 0],
    ["crema_idle_expired_keys", counters.cache_idle_expirations_total ?? 0],
    ["crema_writes_refused_for_room", counters.capacity_writes_refused_total ?? 0],
    ["crema_protocol_errors", stats.protocolErrors],
    ["crema_slow_readers_closed", stats.slowReaders],
  ];
}

function cpuFields(): readonly Field[] {
  const { user, system } = process.cpuUsage();
  return [
    ["used_cpu_sys", (system / 1e6).toFixed(6)],
    ["used_cpu_user", (user / 1e6).toFixed(6)],
  ];
}

function commandFields({ commands, stats }: RespServices): readonly Field[] {
  const fields: Field[] = [];
  for (const { spec, index } of commands.entries) {
    const counts = stats.commands[index];
    if (counts === undefined || counts.calls === 0) continue;
    const usec = Math.round(counts.totalMs * 1_000);
    const perCall = (usec / counts.calls).toFixed(2);
    fields.push([
      `cmdstat_${spec.name}`,
      `calls=${counts.calls},usec=${usec},usec_per_call=${perCall},rejected_calls=${counts.refused},failed_calls=${counts.failed}`,
    ]);
  }
  return fields;
}

function refusedOf({ stats }: RespServices): number {
  return stats.commands.reduce((sum, { refused }) => sum + refused, stats.unknownCommands);
}

function failedOf({ stats }: RespServices): number {
  return stats.commands.reduce((sum, { failed }) => sum + failed, 0);
}

function human(bytes: number): string {
  const units = ["B", "K", "M", "G", "T"];
  let value = bytes;
  let unit = 0;
  while (value >= 1_024 && unit < units.length - 1) {
    value /= 1_024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(2)}${units[unit]}`;
}
