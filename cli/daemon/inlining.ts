/**
 * How much V8 may inline.
 *
 * The work of a command is spread over many short functions, called once each on its way from socket to socket. V8's compiler stops inlining into a function after 920
 * bytes of their bytecode, and never takes in one of more than 460: made for pages, where compiling often costs more than running. A node runs for long, and
 * with more than that a command that comes alone costs it some 7 % less (docs/decisions/0020). What is set belongs to the process, so only the daemon does it: a program with a
 * node in it is started as its author wishes.
 */
import { setFlagsFromString } from "node:v8";

const FLAGS = ["--max-inlined-bytecode-size=1000", "--max-inlined-bytecode-size-cumulative=2500"] as const;

/** Before there is anything to compile. Whoever gave Node.js one of the flags is obeyed. */
export function inlineMore(
  flagsOfNode: readonly string[] = process.execArgv,
  set: (flag: string) => void = setFlagsFromString,
): void {
  if (flagsOfNode.some((flag) => /^--max[-_]inlined[-_]bytecode[-_]size/.test(flag))) return;
  for (const flag of FLAGS) set(flag);
}
