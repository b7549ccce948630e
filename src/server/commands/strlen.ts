/** STRLEN: the length of a value in bytes. */
import { singleKeySpec } from "../command-spec.ts";
import { integerForm } from "../reply-forms.ts";

export const STRLEN = singleKeySpec({
  name: "strlen",
  arity: 2,
  flags: ["readonly", "fast"],
  group: "string",
  summary: "Returns the length of a string value.",
  run(request) {
    const key = request.arg(1);
    request.readKey(key, { type: "length", key }, integerForm);
  },
});
