/**
 * What the programs of this folder have in common at their edges: options that are understood or explained, and an end that takes
 * everything along.
 */
import { existsSync } from "node:fs";

const SECONDS_MAX = 600;

/** What `read` makes of the command line; what it throws is told together with `usage`, and the process exits with 2. */
export function understood<Read>(read: () => Read, usage: string): Read {
  try {
    return read();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
    process.exit(2);
  }
}

/** Throws `RangeError` unless it is a whole number above 0. */
export function wholeNumber(option: string, text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1)
    throw new RangeError(`${option} must be a whole number above 0`);
  return number;
}

/** Of one measurement. Throws `RangeError` unless above 0 and at most 600. */
export function secondsOf(option: string, text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= SECONDS_MAX))
    throw new RangeError(`${option} must be above 0 and at most ${SECONDS_MAX}`);
  return seconds;
}

/** Throws where there are no nodes to start. */
export function expectBuilt(): void {
  if (!existsSync("dist/cli/crema-node.js"))
    throw new Error("run this by npm run, in the folder of the package");
}

/** Interrupted, the process exits in order: what stands at its exit (servers, folders) is cleared away. */
export function exitInOrder(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
}
