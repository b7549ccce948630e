/**
 * The Redis door's counters in Prometheus' text form. Written by hand: its histograms are counted in plain arrays on
 * the hot path, and a library's histogram would have to be fed one observation at a time.
 */

import { COMMAND_SPECS } from "../command-table.ts";
import { LATENCY_BOUNDS_MS } from "../latency-buckets.ts";
import { FAMILIES, OUTCOMES, type RespStats } from "../resp-stats.ts";

/** All metrics of `stats`, each name beginning with `prefix`. */
export function respMetricsText(stats: RespStats, prefix: string): string {
  return [
    ...simpleLines(stats, prefix),
    ...commandLines(stats, `${prefix}resp_commands_total`),
    ...latencyLines(stats, `${prefix}resp_command_duration_seconds`),
    "",
  ].join("\n");
}

function simpleLines(stats: RespStats, prefix: string): readonly string[] {
  const rows: readonly (readonly ["counter" | "gauge", string, string, number])[] = [
    ["gauge", "resp_connections", "Redis clients connected", stats.connectionsOpen],
    ["counter", "resp_connections_accepted_total", "Redis clients accepted", stats.connectionsAccepted],
    [
      "counter",
      "resp_connections_rejected_total",
      "Redis clients refused at the limit",
      stats.connectionsRejected,
    ],
    [
      "counter",
      "resp_protocol_errors_total",
      "Redis clients closed for what they sent",
      stats.protocolErrors,
    ],
    [
      "counter",
      "resp_slow_readers_total",
      "Redis clients closed because they did not read",
      stats.slowReaders,
    ],
    ["counter", "resp_unknown_commands_total", "Requests that named no command", stats.unknownCommands],
    ["counter", "resp_read_bytes_total", "Bytes received from Redis clients", stats.bytesRead],
    ["counter", "resp_written_bytes_total", "Bytes sent to Redis clients", stats.bytesWritten],
    ["counter", "resp_socket_writes_total", "Writes to sockets of Redis clients", stats.socketWrites],
  ];
  return rows.flatMap(([type, name, help, value]) => [
    ...header(prefix + name, type, help),
    `${prefix}${name} ${value}`,
  ]);
}

function commandLines(stats: RespStats, name: string): readonly string[] {
  const lines = [...header(name, "counter", "Requests answered, by command")];
  for (const [index, { name: command }] of COMMAND_SPECS.entries()) {
    lines.push(`${name}{command="${command}"} ${stats.commands[index]?.calls ?? 0}`);
  }
  return lines;
}

function latencyLines(stats: RespStats, name: string): readonly string[] {
  const lines = [...header(name, "histogram", "Time from a request to its answer, by family and outcome")];
  for (const family of FAMILIES) {
    for (const outcome of OUTCOMES) {
      const latency = stats.latency(family, outcome);
      const labels = `family="${family}",outcome="${outcome}"`;
      let below = 0;
      for (const [bucket, boundMs] of LATENCY_BOUNDS_MS.entries()) {
        below += latency.counts[bucket] ?? 0;
        lines.push(`${name}_bucket{${labels},le="${boundMs / 1_000}"} ${below}`);
      }
      lines.push(`${name}_bucket{${labels},le="+Inf"} ${latency.total}`);
      lines.push(`${name}_sum{${labels}} ${latency.totalMs / 1_000}`);
      lines.push(`${name}_count{${labels}} ${latency.total}`);
    }
  }
  return lines;
}

function header(name: string, type: string, help: string): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}
