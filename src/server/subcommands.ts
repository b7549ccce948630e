/**
 * Commands that are families of subcommands: CLIENT, COMMAND, CONFIG. Dispatch, arity and HELP in one place.
 */
import { plainForm } from "./reply-forms.ts";
import type { Request } from "./request.ts";

export interface Subcommand {
  /** Arguments including the command and the subcommand; -n means at least n. */
  readonly arity: number;
  /** How to call it, for HELP. */
  readonly usage: string;
  readonly summary: string;
  readonly run: (request: Request) => void;
}

/** By name in lower case. */
export type Subcommands = Readonly<Record<string, Subcommand>>;

/** Whether `count` arguments satisfy `arity`. */
export function arityAllows(arity: number, count: number): boolean {
  return arity >= 0 ? count === arity : count >= -arity;
}

/** Runs the subcommand that `request` names, or refuses it in Redis' words. */
export function runSubcommand(request: Request, subcommands: Subcommands): void {
  const given = request.arg(1);
  const name = given.toLowerCase();
  const command = request.entry.spec.name;
  if (name === "help" && request.args.length === 2) {
    request.answer(plainForm, helpOf(command, subcommands));
    return;
  }
  const found = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  if (found === undefined) {
    request.refuse(`ERR unknown subcommand '${given.slice(0, 128)}'. Try ${command.toUpperCase()} HELP.`);
  } else if (!arityAllows(found.arity, request.args.length)) {
    request.refuseArity(`${command}|${name}`);
  } else {
    found.run(request);
  }
}

function helpOf(command: string, subcommands: Subcommands): readonly string[] {
  const lines = [`${command.toUpperCase()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`];
  for (const { usage, summary } of Object.values(subcommands)) lines.push(usage, `    ${summary}`);
  lines.push("HELP", "    Print this help.");
  return lines;
}
