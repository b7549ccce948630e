/** GETDEL: removes a key and answers the value it had. */
import { singleKeySpec } from "../command-spec.ts";
import { bulkForm } from "../reply-forms.ts";

export const GETDEL = singleKeySpec({
  name: "getdel",
  arity: 2,
  flags: ["write", "fast"],
  group: "string",
  summary: "Returns the string value of a key after deleting the key.",
  run(request) {
    const key = request.arg(1);
    request.writeKey(key, { type: "get-delete", key }, bulkForm);
  },
});
