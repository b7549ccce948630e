/**
 * `crema-node --help`: every setting with what it takes, what it means and what it is when nobody says anything.
 */
import { textTable } from "../terminal/text-table.ts";
import { environmentName, FLAGS, type FlagName } from "./flags.ts";

const GROUPS: readonly (readonly [title: string, flags: readonly FlagName[]])[] = [
  ["Finding the others:", ["seed", "bootstrap", "bootstrap-expect"]],
  [
    "Where it listens:",
    ["host", "port", "advertise", "resp-port", "http-port", "no-resp", "no-http", "insecure"],
  ],
  [
    "The cluster:",
    [
      "shards",
      "replication-factor",
      "zone",
      "name",
      "weight",
      "dead-grace",
      "snapshot-bandwidth",
      "rebalance-moves",
      "gossip",
    ],
  ],
  [
    "What outlives the process:",
    ["data-dir", "fsync", "checkpoint-log-bytes", "checkpoint-interval", "checkpoints-kept", "min-free-disk"],
  ],
  ["What it holds:", ["max-memory", "max-entries", "eviction", "idle-ttl"]],
  ["The process:", ["config", "drain-timeout", "log-level", "log-format", "exit-with-parent"]],
];

const EXAMPLES: readonly (readonly [command: string, meaning: string])[] = [
  ["crema-node", "found a cluster of one, at once"],
  ["crema-node --seed 10.0.0.5:7946", "join the cluster that 10.0.0.5 belongs to"],
  [
    "crema-node --seed 127.0.0.1:7946 --port 7947 --resp-port 6381 --http-port 7981",
    "a second node on one machine",
  ],
  [
    "crema-node --seed a:7946,b:7946,c:7946 --host 0.0.0.0 --insecure",
    "the same command on a, b and c: one cluster",
  ],
];

/** At most 110 columns wide. */
export function helpText(): string {
  const lines = ["crema-node [settings]", "", "Runs one node of a crema cluster until it is told to stop."];
  for (const [title, flags] of GROUPS) lines.push("", title, ...flagLines(flags));
  lines.push("", "Other:", "  --help     print this", "  --version  print the version");
  lines.push("", "Examples:");
  for (const [command, meaning] of EXAMPLES) lines.push(`  ${command}`, `      ${meaning}`);
  lines.push(
    "",
    `Every setting can also be given in the environment (--resp-port is ${environmentName("resp-port")}) and in a JSON file`,
    "named by --config. The command line wins, then the environment, then the file.",
  );
  return lines.join("\n");
}

function flagLines(flags: readonly FlagName[]): readonly string[] {
  const rows = flags.map((name) => {
    const { placeholder, meaning, defaultText } = FLAGS[name];
    return [
      placeholder === null ? `  --${name}` : `  --${name} ${placeholder}`,
      defaultText === null ? meaning : `${meaning} [default: ${defaultText}]`,
    ];
  });
  return textTable([{ title: "" }, { title: "" }], rows).slice(1);
}
