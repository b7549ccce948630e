/**
 * The command line of `crema-node`, read by yargs and judged here: an unknown flag is refused by name, together with
 * the nearest one there is.
 */
import yargs from "yargs";
import { didYouMean } from "../nearest-name.ts";
import { packageVersion } from "../package-version.ts";
import { UsageError } from "../usage-error.ts";
import { environmentName, FLAG_NAMES, FLAGS, type FlagName, type FlagValues, readFlag } from "./flags.ts";

const GROUPS: readonly (readonly [title: string, flags: readonly FlagName[]])[] = [
  ["Finding the others:", ["seed", "bootstrap", "bootstrap-expect"]],
  [
    "Where it listens:",
    ["host", "port", "advertise", "resp-port", "http-port", "no-resp", "no-http", "insecure"],
  ],
  [
    "The cluster:",
    ["shards", "replication-factor", "zone", "name", "weight", "default-ttl", "dead-grace", "gossip"],
  ],
  ["The process:", ["config", "drain-timeout", "log-level", "log-format", "exit-with-parent"]],
];

const EXAMPLES: readonly (readonly [command: string, meaning: string])[] = [
  ["$0", "found a cluster of one, at once"],
  ["$0 --seed 10.0.0.5:7946", "join the cluster that 10.0.0.5 belongs to"],
  ["$0 --seed 127.0.0.1:7946 --port 7947 --resp-port 6381 --http-port 7981", "a second node on one machine"],
  ["$0 --seed a:7946,b:7946,c:7946 --host 0.0.0.0 --insecure", "the same command on a, b and c: one cluster"],
];

/**
 * Reads `argv` (without node and script). `--help` and `--version` print and end the process with 0.
 * Throws `UsageError` naming the flag for anything it does not understand.
 */
export function readCommandLine(argv: readonly string[]): FlagValues {
  const parsed = commandLine(argv).parseSync();
  const positional = parsed._[0];
  if (positional !== undefined)
    throw new UsageError(`unexpected argument '${positional}'; settings start with --`);
  const values: FlagValues[] = [];
  for (const [name, value] of Object.entries(parsed)) {
    if (name === "_" || name === "$0" || value === undefined) continue;
    const flag = FLAG_NAMES.find((known) => known === name);
    if (flag === undefined) {
      const dashes = name.length === 1 ? "-" : "--";
      throw new UsageError(`unknown flag ${dashes}${name}${didYouMean(name, FLAG_NAMES, "--")}`);
    }
    const texts = (Array.isArray(value) ? value : [value]).map(String);
    values.push(readFlag(flag, texts, `--${flag}`));
  }
  return Object.assign({}, ...values);
}

/** The help text, for `--help` and for the test that compares it with the README. */
export function helpText(): Promise<string> {
  return commandLine([]).getHelp();
}

function commandLine(argv: readonly string[]) {
  let parser = yargs(argv)
    .scriptName("crema-node")
    .locale("en")
    .usage("$0 [settings]\n\nRuns one node of a crema cluster until it is told to stop.")
    .parserConfiguration({
      "boolean-negation": false,
      "camel-case-expansion": false,
      "dot-notation": false,
      "parse-numbers": false,
      "parse-positional-numbers": false,
    })
    .help()
    .version(packageVersion())
    .wrap(Math.min(110, process.stdout.columns ?? 110))
    .fail((message, error) => {
      throw error ?? new UsageError(message);
    });
  for (const [title, flags] of GROUPS) {
    for (const name of flags) {
      const flag = FLAGS[name];
      const meaning =
        flag.defaultText === null ? flag.meaning : `${flag.meaning} [default: ${flag.defaultText}]`;
      parser = parser.option(name, {
        type: flag.placeholder === null ? "boolean" : "string",
        describe: meaning,
        group: title,
      });
    }
  }
  for (const [command, meaning] of EXAMPLES) parser = parser.example(command, meaning);
  return parser.epilogue(
    `Every setting can also be given in the environment (--resp-port is ${environmentName("resp-port")}) and in a JSON ` +
      `file named by --config. The command line wins, then the environment, then the file.`,
  );
}
