/**
 * V8 does not build the text of `a + b` or `a.slice()`: it points at the parts. Stored like that, a value of ten bytes
 * could keep one of ten megabytes alive, and one appended to a million times would be a tree of a million nodes.
 */
import { assert } from "../base/assert.ts";

/** The same binary string, in one piece of its own. Costs O(length) where the argument was not flat. */
export function flatConcat(left: string, right: string): string {
  const joined = left + right;
  // Reading a character makes V8 build the text. The result is used, else the optimiser would drop the reading.
  assert(joined.length === 0 || joined.charCodeAt(0) <= 0xff, "a value is a binary string");
  return joined;
}
