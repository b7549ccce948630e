/** INCRBYFLOAT: adds to a floating point number; answers the sum as text. */
import { singleKeySpec } from "../command-spec.ts";
import { faultText, NOT_A_FLOAT } from "../error-text.ts";
import { parseFloat64 } from "../number-arguments.ts";
import { bulkForm } from "../reply-forms.ts";

export const INCRBYFLOAT = singleKeySpec({
  name: "incrbyfloat",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  group: "string",
  summary:
    "Increment the floating point value of a key by a number. Uses 0 as initial value if the key doesn't exist.",
  run(request) {
    const by = parseFloat64(request.arg(2));
    if (by === null) {
      request.refuse(NOT_A_FLOAT);
      return;
    }
    if (!Number.isFinite(by)) {
      request.refuse(faultText("increment-nan"));
      return;
    }
    const key = request.arg(1);
    request.writeKey(key, { type: "increment-float", key, by }, bulkForm);
  },
});
