/** APPEND: adds bytes to the end of a value. */
import { singleKeySpec } from "../command-spec.ts";
import { integerForm } from "../reply-forms.ts";

export const APPEND = singleKeySpec({
  name: "append",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  group: "string",
  summary: "Appends a string to the value of a key. Creates the key if it doesn't exist.",
  run(request) {
    const value = request.arg(2);
    if (!request.valueFits(value)) return;
    const key = request.arg(1);
    request.writeKey(key, { type: "append", key, value }, integerForm);
  },
});
