/**
 * What a mutant is: a named bug, kept as a change of source text, so that no mutant exists in anything that is built or
 * shipped. The simulator is worth its time only if it catches them: a checker that finds nothing proves nothing until it
 * has been shown what to find. Nothing here reads or writes files.
 */
import type { RunOptions } from "../../../src/sim/run-options.ts";

/** A part of the product, named after its folder in `src`. */
export type Room = "wire" | "raft" | "host" | "cluster" | "cache" | "node";

/** One replacement in one file. */
export interface Edit {
  /** From the root of the repository: `src/raft/election.ts`. */
  readonly file: string;
  /** Occurs exactly once in `file`. */
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  /** Kebab-case, unique. */
  readonly name: string;
  readonly room: Room;
  /** What is wrong, and which promise it breaks. */
  readonly what: string;
  /** A rule that is kept in more than one place has to be broken in each of them. */
  readonly edits: readonly Edit[];
  /** The world it shows in. See `worlds.ts`. */
  readonly world: string;
  /** What differs from that world. */
  readonly options?: Partial<Omit<RunOptions, "seed">>;
  /** Checkers that have a right to find it first; any of them is as good as another. */
  readonly caughtBy: readonly string[];
}

/** `text` with `edit` made. Throws unless what is to be replaced occurs exactly once. */
export function applyEdit(text: string, { file, find, replace }: Edit): string {
  const parts = text.split(find);
  const occurrences = parts.length - 1;
  if (occurrences !== 1)
    throw new Error(`what a mutant replaces occurs ${occurrences} times in ${file}, not once:\n${find}`);
  return parts.join(replace);
}
