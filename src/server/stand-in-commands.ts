/**
 * What stands in the line of requests where no command does: a name that is none, and input that is no request.
 */
import { keylessSpec } from "./command-spec.ts";
import type { CommandEntry } from "./command-table.ts";
import type { Request } from "./request.ts";

/** Characters of the name, and of the arguments together, that the answer repeats. */
const SHOWN_MAX = 128;

/** Stands in for the command that was not found. Its index has no counters. */
export const UNKNOWN_COMMAND: CommandEntry = Object.freeze({
  spec: keylessSpec({
    name: "unknown",
    arity: -1,
    flags: [],
    family: "server",
    order: "free",
    group: "server",
    summary: "Not a command.",
    run: (request: Request) => request.refuse(unknownCommandText(request.args)),
  }),
  index: -1,
  writes: false,
});

/** The last answer on a connection whose input is not understood; its only argument is why. Not counted as a command. */
export const PROTOCOL_ERROR: CommandEntry = Object.freeze({
  ...UNKNOWN_COMMAND,
  spec: { ...UNKNOWN_COMMAND.spec, run: (request: Request) => request.refuse(`ERR ${request.arg(0)}`) },
});

/** In Redis' words. */
function unknownCommandText(args: readonly string[]): string {
  let shown = "";
  for (let at = 1; at < args.length && shown.length < SHOWN_MAX; at++) {
    shown += `'${(args[at] as string).slice(0, SHOWN_MAX - shown.length)}' `;
  }
  return `ERR unknown command '${(args[0] as string).slice(0, SHOWN_MAX)}', with args beginning with: ${shown}`;
}
