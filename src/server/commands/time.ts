/** TIME: this node's wall clock, as seconds and microseconds. */
import { keylessSpec } from "../command-spec.ts";
import { plainForm } from "../reply-forms.ts";

export const TIME = keylessSpec({
  name: "time",
  arity: 1,
  flags: ["loading", "stale", "fast"],
  family: "server",
  order: "free",
  group: "server",
  summary: "Returns the server time.",
  run(request) {
    const nowMs = request.client.services.door.wallMs();
    const seconds = Math.floor(nowMs / 1_000);
    request.answer(plainForm, [String(seconds), String(Math.floor((nowMs - seconds * 1_000) * 1_000))]);
  },
});
