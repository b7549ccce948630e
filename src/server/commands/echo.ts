/** ECHO: what was sent. */
import { keylessSpec } from "../command-spec.ts";
import { bulkForm } from "../reply-forms.ts";

export const ECHO = keylessSpec({
  name: "echo",
  arity: 2,
  flags: ["fast"],
  family: "connection",
  order: "free",
  group: "connection",
  summary: "Returns the given string.",
  run: (request) => request.answer(bulkForm, request.arg(1)),
});
