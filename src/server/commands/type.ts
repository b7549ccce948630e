/** TYPE: what kind of value a key holds. */
import { singleKeySpec } from "../command-spec.ts";
import { statusForm } from "../reply-forms.ts";

export const TYPE = singleKeySpec({
  name: "type",
  arity: 2,
  flags: ["readonly", "fast"],
  group: "generic",
  summary: "Determines the type of value stored at a key.",
  run(request) {
    const key = request.arg(1);
    request.readKey(key, { type: "type-of", key }, statusForm);
  },
});
