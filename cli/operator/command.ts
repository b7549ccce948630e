/**
 * What an operator's command is made of. `crema.ts` builds the command line from a table of these, so that help,
 * refusal of unknown flags and exit codes are the same everywhere.
 */
import type { Colours } from "../terminal/colours.ts";
import type { ClusterHttp } from "./cluster-http.ts";

/** One flag of a command. All values are text until the command reads them. */
export interface CommandFlag {
  readonly name: string;
  readonly meaning: string;
  /** null for a switch. */
  readonly placeholder: string | null;
}

export interface CommandArguments {
  /** A positional argument by name; the parser has made sure that the required ones are there. */
  readonly positional: Readonly<Record<string, string>>;
  /** All values of a variadic positional argument. */
  readonly list: readonly string[];
  /** A flag's text, "true" for a switch that was named; absent otherwise. */
  readonly flags: Readonly<Record<string, string>>;
}

/** Where a command reads from and writes to. */
export interface CommandContext {
  readonly cluster: ClusterHttp;
  readonly colours: Colours;
  readonly stdout: NodeJS.WriteStream;
  readonly stdin: NodeJS.ReadStream;
}

export interface OperatorCommand {
  /** One word, or two where several commands share the first: `sim run`. @see COMMAND_GROUPS */
  readonly name: string;
  /** Positional arguments as yargs writes them: `<key> [value]`. */
  readonly usage: string;
  readonly meaning: string;
  readonly flags: readonly CommandFlag[];
  readonly examples: readonly (readonly [command: string, meaning: string])[];
  /** Does the work; the number is the exit code. Throws `UsageError` (2) or any other error (1). */
  run(given: CommandArguments, context: CommandContext): Promise<number>;
}

export const JSON_FLAG: CommandFlag = { name: "json", meaning: "print JSON", placeholder: null };
export const WATCH_FLAG: CommandFlag = {
  name: "watch",
  meaning: "keep showing it until Ctrl-C",
  placeholder: null,
};
