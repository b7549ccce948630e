/**
 * The command line of `crema`: one table of commands, one way to refuse what is not in it.
 */
import yargs from "yargs";
import { localCommand } from "../local/local-command.ts";
import { didYouMean } from "../nearest-name.ts";
import { packageVersion } from "../package-version.ts";
import { UsageError } from "../usage-error.ts";
import type { CommandArguments, CommandFlag, OperatorCommand } from "./command.ts";
import { eventsCommand } from "./events.ts";
import { delCommand, getCommand, setCommand } from "./keys.ts";
import { joinCommand, leaveCommand } from "./membership.ts";
import { membersCommand, shardsCommand, statusCommand } from "./show.ts";

export const COMMANDS: readonly OperatorCommand[] = Object.freeze([
  localCommand,
  statusCommand,
  membersCommand,
  shardsCommand,
  getCommand,
  setCommand,
  delCommand,
  joinCommand,
  leaveCommand,
  eventsCommand,
]);

/** The flag every command takes. */
export const HTTP_FLAG: CommandFlag = {
  name: "http",
  meaning: "HTTP address of any node; also CREMA_HTTP [default: 127.0.0.1:7980]",
  placeholder: "host:port",
};

export interface ChosenCommand {
  readonly command: OperatorCommand;
  readonly given: CommandArguments;
}

/**
 * Reads `argv` (without node and script). `--help` and `--version` print and end the process with 0.
 * Throws `UsageError` for anything it does not understand.
 */
export async function readCommandLine(argv: readonly string[]): Promise<ChosenCommand> {
  const chosen: ChosenCommand[] = [];
  let parser = yargs(argv)
    .scriptName("crema")
    .locale("en")
    .usage("$0 <command>\n\nShows and changes a crema cluster through the HTTP address of any node.")
    .parserConfiguration({
      "boolean-negation": false,
      "camel-case-expansion": false,
      "dot-notation": false,
      "parse-numbers": false,
      "parse-positional-numbers": false,
    })
    .help()
    .version(packageVersion())
    .wrap(Math.min(100, process.stdout.columns ?? 100))
    .fail((message, error) => {
      throw error ?? new UsageError(message);
    })
    .option(HTTP_FLAG.name, { type: "string", describe: HTTP_FLAG.meaning });
  for (const command of COMMANDS) {
    parser = parser.command(
      `${command.name} ${command.usage}`.trim(),
      command.meaning,
      (builder) => {
        for (const flag of command.flags) {
          builder.option(flag.name, {
            type: flag.placeholder === null ? "boolean" : "string",
            describe: flag.meaning,
          });
        }
        for (const name of positionalNames(command)) builder.positional(name, { type: "string" });
        for (const [line, meaning] of command.examples) builder.example(line, meaning);
      },
      (parsed) => {
        chosen.push({ command, given: argumentsOf(command, parsed) });
      },
    );
    for (const [line, meaning] of command.examples) parser = parser.example(line, meaning);
  }
  const parsed = await parser.parseAsync();
  if (chosen[0] !== undefined) return chosen[0];
  const name = parsed._[0];
  if (name === undefined) throw new UsageError("which command?");
  throw new UsageError(
    `unknown command '${name}'${didYouMean(
      String(name),
      COMMANDS.map((each) => each.name),
    )}`,
  );
}

/** The names in `<key> [value]`; one that ends in dots swallows all that follow. */
function positionalNames(command: OperatorCommand): readonly string[] {
  return [...command.usage.matchAll(/[<[](\w+)(?:\.\.)?[>\]]/g)].map((match) => match[1] ?? "");
}

function argumentsOf(command: OperatorCommand, parsed: Readonly<Record<string, unknown>>): CommandArguments {
  const positional: Record<string, string> = {};
  const flags: Record<string, string> = {};
  const list: string[] = [];
  const names = positionalNames(command);
  const known = [...command.flags, HTTP_FLAG];
  for (const [name, value] of Object.entries(parsed)) {
    if (name === "$0" || value === undefined) continue;
    if (name === "_") {
      const extra = Array.isArray(value) ? value[1] : undefined;
      if (extra !== undefined) throw new UsageError(`unexpected argument '${extra}' after ${command.name}`);
    } else if (names.includes(name)) {
      if (Array.isArray(value)) list.push(...value.map(String));
      else positional[name] = String(value);
    } else {
      const flag = known.find((each) => each.name === name);
      if (flag === undefined) {
        const dashes = name.length === 1 ? "-" : "--";
        const near = didYouMean(
          name,
          known.map((each) => each.name),
          "--",
        );
        throw new UsageError(`unknown flag ${dashes}${name} of '${command.name}'${near}`);
      }
      if (Array.isArray(value))
        throw new UsageError(`--${name} was given ${value.length} times; it takes one value`);
      if (value === "") throw new UsageError(`--${name} needs a value: ${flag.placeholder}`);
      if (value !== false) flags[name] = String(value);
    }
  }
  return { positional, list, flags };
}
