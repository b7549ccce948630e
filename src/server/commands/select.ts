/** SELECT: there is one database, number 0. */
import { keylessSpec } from "../command-spec.ts";
import { NOT_AN_INTEGER } from "../error-text.ts";
import { parseInteger } from "../number-arguments.ts";

export const SELECT = keylessSpec({
  name: "select",
  arity: 2,
  flags: ["loading", "stale", "fast"],
  family: "connection",
  order: "free",
  group: "connection",
  summary: "Changes the selected database.",
  run(request) {
    const index = parseInteger(request.arg(1));
    if (index === null) request.refuse(NOT_AN_INTEGER);
    else if (index !== 0) request.refuse("ERR DB index is out of range");
    else request.ok();
  },
});
