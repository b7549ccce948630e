/** PERSIST: lets a key live for ever. */
import { singleKeySpec } from "../command-spec.ts";
import { integerForm } from "../reply-forms.ts";

export const PERSIST = singleKeySpec({
  name: "persist",
  arity: 2,
  flags: ["write", "fast"],
  group: "generic",
  summary: "Removes the expiration time of a key.",
  run(request) {
    const key = request.arg(1);
    request.writeKey(key, { type: "persist", key }, integerForm);
  },
});
