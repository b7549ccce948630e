/** GETSET: stores a value and answers the one it replaced. */
import { singleKeySpec } from "../command-spec.ts";
import { oldValueForm } from "../reply-forms.ts";
import { NO_TTL } from "../vocabulary.ts";

export const GETSET = singleKeySpec({
  name: "getset",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  group: "string",
  summary: "Returns the previous string value of a key after setting it to a new value.",
  run(request) {
    const value = request.arg(2);
    if (!request.valueFits(value)) return;
    const key = request.arg(1);
    request.writeKey(
      key,
      { type: "set", key, value, ttlMs: NO_TTL, condition: "always", expectedVersion: 0, returnOld: true },
      oldValueForm,
    );
  },
});
