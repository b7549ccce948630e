/** PING: PONG, or what was sent with it. */
import { keylessSpec } from "../command-spec.ts";
import { bulkForm, statusForm } from "../reply-forms.ts";

export const PING = keylessSpec({
  name: "ping",
  arity: -1,
  flags: ["fast"],
  family: "connection",
  order: "free",
  group: "connection",
  summary: "Returns the server's liveliness response.",
  run(request) {
    if (request.args.length > 2) request.refuseArity();
    else if (request.args.length === 2) request.answer(bulkForm, request.arg(1));
    else request.answer(statusForm, "PONG");
  },
});
