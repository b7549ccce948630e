import { expect, test } from "vitest";
import { splitInlineArguments } from "../../../src/wire/resp/inline-arguments.ts";

test.each([
  ["", []],
  ["   \t ", []],
  ["PING", ["PING"]],
  ["  SET  k   v  ", ["SET", "k", "v"]],
  ['SET k "a b"', ["SET", "k", "a b"]],
  ['SET k ""', ["SET", "k", ""]],
  ["SET k ''", ["SET", "k", ""]],
  ['"\\x41\\x6a\\xff"', ["Aj\xff"]],
  ['"\\n\\r\\t\\b\\a\\\\\\"\\q"', ['\n\r\t\b\x07\\"q']],
  ['"\\xZZ"', ["xZZ"]],
  ["'it\\'s'", ["it's"]],
  ["'a\\nb'", ["a\\nb"]],
  ['a"b c"', ["ab c"]],
  ["a\0b", ["a", "b"]],
])("%j splits into %j", (line, args) => {
  expect(splitInlineArguments(line)).toEqual(args);
});

test.each([['"'], ["'"], ['"a'], ["'a"], ['"a"b'], ["'a'b"], ['"a\\"'], ["'a\\'"]])(
  "%j has quotes that do not balance",
  (line) => {
    expect(splitInlineArguments(line)).toBeNull();
  },
);
