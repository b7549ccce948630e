/** QUIT: OK, then the connection closes; requests sent after it are not looked at. */
import { keylessSpec } from "../command-spec.ts";

export const QUIT = keylessSpec({
  name: "quit",
  arity: -1,
  flags: ["noscript", "loading", "stale", "fast", "no_auth"],
  family: "connection",
  order: "alone",
  group: "connection",
  summary: "Closes the connection.",
  run(request) {
    request.client.connection.closeAfterReplies();
    request.ok();
  },
});
