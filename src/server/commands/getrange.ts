/** GETRANGE, and SUBSTR, its old name: part of a value. */
import { type CommandSpec, singleKeySpec } from "../command-spec.ts";
import { NOT_AN_INTEGER } from "../error-text.ts";
import { clamped, parseInteger } from "../number-arguments.ts";
import { bulkForm } from "../reply-forms.ts";

export const GETRANGE = rangeSpec("getrange", "Returns a substring of the string stored at a key.");
export const SUBSTR = rangeSpec("substr", "Returns a substring from a string value.");

function rangeSpec(name: string, summary: string): CommandSpec {
  return singleKeySpec({
    name,
    arity: 4,
    flags: ["readonly"],
    group: "string",
    summary,
    run(request) {
      const first = parseInteger(request.arg(2));
      const last = parseInteger(request.arg(3));
      if (first === null || last === null) {
        request.refuse(NOT_AN_INTEGER);
        return;
      }
      const key = request.arg(1);
      request.readKey(key, { type: "get-range", key, first: clamped(first), last: clamped(last) }, bulkForm);
    },
  });
}
