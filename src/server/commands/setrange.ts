/** SETRANGE: overwrites part of a value. Writing nothing changes nothing, so it is a read of the length. */
import { VALUE_BYTES_MAX } from "../../base/limits.ts";
import { singleKeySpec } from "../command-spec.ts";
import { NOT_AN_INTEGER, OFFSET_OUT_OF_RANGE, STRING_TOO_LONG } from "../error-text.ts";
import { clamped, parseInteger } from "../number-arguments.ts";
import { integerForm } from "../reply-forms.ts";

export const SETRANGE = singleKeySpec({
  name: "setrange",
  arity: 4,
  flags: ["write", "denyoom"],
  group: "string",
  summary:
    "Overwrites a part of a string value with another by an offset. Creates the key if it doesn't exist.",
  run(request) {
    const key = request.arg(1);
    const value = request.arg(3);
    const given = parseInteger(request.arg(2));
    if (given === null) {
      request.refuse(NOT_AN_INTEGER);
      return;
    }
    const offset = clamped(given);
    if (offset < 0) request.refuse(OFFSET_OUT_OF_RANGE);
    else if (value === "") request.readKey(key, { type: "length", key }, integerForm);
    else if (offset + value.length > VALUE_BYTES_MAX) request.refuse(STRING_TOO_LONG);
    else request.writeKey(key, { type: "set-range", key, offset, value }, integerForm);
  },
});
