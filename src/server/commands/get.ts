/** GET: one value, never stale unless the client asked for local reads. */
import { singleKeySpec } from "../command-spec.ts";
import { bulkForm } from "../reply-forms.ts";

export const GET = singleKeySpec({
  name: "get",
  arity: 2,
  flags: ["readonly", "fast"],
  group: "string",
  summary: "Returns the string value of a key.",
  run(request) {
    const key = request.arg(1);
    request.readKey(key, { type: "get", key }, bulkForm);
  },
});
