/** INCR, DECR, INCRBY and DECRBY: 64-bit counters. */
import { type CommandSpec, singleKeySpec } from "../command-spec.ts";
import { NOT_AN_INTEGER } from "../error-text.ts";
import { narrowed, parseInteger } from "../number-arguments.ts";
import { integerForm } from "../reply-forms.ts";
import type { Request } from "../request.ts";

const FLAGS = ["write", "denyoom", "fast"] as const;
const INT64_MIN = -(2n ** 63n);

export const INCR = stepSpec(
  "incr",
  1,
  "Increments the integer value of a key by one. Uses 0 as initial value if the key doesn't exist.",
);
export const DECR = stepSpec(
  "decr",
  -1,
  "Decrements the integer value of a key by one. Uses 0 as initial value if the key doesn't exist.",
);

export const INCRBY = singleKeySpec({
  name: "incrby",
  arity: 3,
  flags: FLAGS,
  group: "string",
  summary:
    "Increments the integer value of a key by a number. Uses 0 as initial value if the key doesn't exist.",
  run(request) {
    const by = parseInteger(request.arg(2));
    if (by === null) request.refuse(NOT_AN_INTEGER);
    else increment(request, by);
  },
});

export const DECRBY = singleKeySpec({
  name: "decrby",
  arity: 3,
  flags: FLAGS,
  group: "string",
  summary:
    "Decrements a number from the integer value of a key. Uses 0 as initial value if the key doesn't exist.",
  run(request) {
    const by = parseInteger(request.arg(2));
    if (by === null) request.refuse(NOT_AN_INTEGER);
    else if (by === INT64_MIN) request.refuse("ERR decrement would overflow");
    else increment(request, typeof by === "number" ? 0 - by : narrowed(-by));
  },
});

function stepSpec(name: string, by: number, summary: string): CommandSpec {
  return singleKeySpec({
    name,
    arity: 2,
    flags: FLAGS,
    group: "string",
    summary,
    run: (request) => increment(request, by),
  });
}

function increment(request: Request, by: number | bigint): void {
  const key = request.arg(1);
  request.writeKey(key, { type: "increment", key, by }, integerForm);
}
