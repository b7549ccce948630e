/**
 * The command line of `crema-node`, read by yargs and judged here: an unknown flag is refused by name, together with
 * the nearest one there is.
 */
import yargs from "yargs";
import { didYouMean } from "../nearest-name.ts";
import { packageVersion } from "../package-version.ts";
import { UsageError } from "../usage-error.ts";
import { FLAG_NAMES, FLAGS, type FlagValues, readFlag } from "./flags.ts";
import { helpText } from "./help-text.ts";

/**
 * Reads `argv` (without node and script). `--help` and `--version` print and end the process with 0.
 * Throws `UsageError` naming the flag for anything it does not understand.
 */
export function readCommandLine(argv: readonly string[]): FlagValues {
  const parsed = commandLine(argv).parseSync();
  if (parsed.help === true) {
    process.stdout.write(`${helpText()}\n`);
    process.exit(0);
  }
  const positional = parsed._[0];
  if (positional !== undefined)
    throw new UsageError(`unexpected argument '${positional}'; settings start with --`);
  const values: FlagValues[] = [];
  for (const [name, value] of Object.entries(parsed)) {
    if (name === "_" || name === "$0" || name === "help" || value === undefined) continue;
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

function commandLine(argv: readonly string[]) {
  const names = (switches: boolean) =>
    FLAG_NAMES.filter((name) => (FLAGS[name].placeholder === null) === switches);
  return yargs(argv)
    .scriptName("crema-node")
    .locale("en")
    .parserConfiguration({
      "boolean-negation": false,
      "camel-case-expansion": false,
      "dot-notation": false,
      "parse-numbers": false,
      "parse-positional-numbers": false,
    })
    .string(names(false))
    .boolean([...names(true), "help"])
    .help(false)
    .version(packageVersion())
    .fail((message, error) => {
      throw error ?? new UsageError(message);
    });
}
