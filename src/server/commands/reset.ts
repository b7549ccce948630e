/** RESET: the connection as it was when it opened. */
import { keylessSpec } from "../command-spec.ts";
import { statusForm } from "../reply-forms.ts";

export const RESET = keylessSpec({
  name: "reset",
  arity: 1,
  flags: ["noscript", "loading", "stale", "fast", "no_auth"],
  family: "connection",
  order: "alone",
  group: "connection",
  summary: "Resets the connection.",
  run(request) {
    request.client.reset();
    request.silent = false;
    request.answer(statusForm, "RESET");
  },
});
