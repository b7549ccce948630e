/**
 * The command line of `crema`: one table of commands, one way to refuse what is not in it.
 */
import yargs, { type Argv } from "yargs";
import { backupCommand } from "../backup/backup-command.ts";
import { restoreCommand } from "../backup/restore-command.ts";
import { localCommand } from "../local/local-command.ts";
import { didYouMean } from "../nearest-name.ts";
import { packageVersion } from "../package-version.ts";
import { demoCommand } from "../sim/demo-command.ts";
import { runCommand } from "../sim/run-command.ts";
import { scenarioCommand } from "../sim/scenario-command.ts";
import { UsageError } from "../usage-error.ts";
import type { CommandArguments, CommandFlag, OperatorCommand } from "./command.ts";
import { eventsCommand } from "./events.ts";
import { healthCommand } from "./health.ts";
import { delCommand, getCommand, setCommand } from "./keys.ts";
import { joinCommand, leaveCommand } from "./membership.ts";
import { rebalancePauseCommand, rebalanceResumeCommand, rebalanceStatusCommand } from "./rebalance.ts";
import { recoverCommand } from "./recover.ts";
import { membersCommand, shardsCommand, statusCommand } from "./show.ts";

export const COMMANDS: readonly OperatorCommand[] = Object.freeze([
  localCommand,
  statusCommand,
  membersCommand,
  shardsCommand,
  healthCommand,
  getCommand,
  setCommand,
  delCommand,
  joinCommand,
  leaveCommand,
  recoverCommand,
  eventsCommand,
  rebalanceStatusCommand,
  rebalancePauseCommand,
  rebalanceResumeCommand,
  backupCommand,
  restoreCommand,
  demoCommand,
  runCommand,
  scenarioCommand,
]);

/** What the first word of all commands of two words stands for. */
export const COMMAND_GROUPS: Readonly<Record<string, string>> = Object.freeze({
  rebalance: "moving replicas so that every node carries its share: how far it is, pausing, resuming",
  sim: "whole clusters in virtual time: a story to read, or thousands of seeds against every fault",
});

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
  const [only = "", ...more] = argv;
  if (more.length === 0 && only in COMMAND_GROUPS) {
    const words = membersOf(only).map(([word]) => word);
    throw new UsageError(`which command of ${only}: ${words.join(" or ")}?`);
  }
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
  const choose = (choice: ChosenCommand) => chosen.push(choice);
  for (const command of COMMANDS) {
    if (!command.name.includes(" ")) parser = addCommand(parser, command.name, command, choose);
    for (const [line, meaning] of command.examples) parser = parser.example(line, meaning);
  }
  for (const [group, meaning] of Object.entries(COMMAND_GROUPS)) {
    parser = parser.command(`${group} <command>`, meaning, (builder) => {
      builder.usage(`$0 ${group} <command>\n\n${meaning}`);
      for (const [word, command] of membersOf(group)) addCommand(builder, word, command, choose);
    });
  }
  const parsed = await parser.parseAsync();
  if (chosen[0] !== undefined) return chosen[0];
  throw new UsageError(notChosen(parsed));
}

/** The commands of `group`, each with its second word. */
function membersOf(group: string): readonly (readonly [word: string, command: OperatorCommand])[] {
  return COMMANDS.flatMap((command) => {
    const [first, second] = command.name.split(" ");
    return first === group && second !== undefined ? [[second, command] as const] : [];
  });
}

/** Makes `parser` understand `command` under its last `word`. */
function addCommand(
  parser: Argv,
  word: string,
  command: OperatorCommand,
  choose: (choice: ChosenCommand) => void,
): Argv {
  return parser.command(
    `${word} ${command.usage}`.trim(),
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
    (parsed) => choose({ command, given: argumentsOf(command, parsed) }),
  );
}

/** Why no command was chosen, for people. */
function notChosen(parsed: { readonly _: readonly (string | number)[]; readonly command?: unknown }): string {
  const [first] = parsed._;
  if (first === undefined) return "which command?";
  const name = parsed.command === undefined ? String(first) : `${first} ${parsed.command}`;
  const known = [...COMMANDS.map((command) => command.name), ...Object.keys(COMMAND_GROUPS)];
  return `unknown command '${name}'${didYouMean(name, known)}`;
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
      const extra = Array.isArray(value) ? value[command.name.split(" ").length] : undefined;
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
