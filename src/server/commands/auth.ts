/** AUTH: this door has no password. As in Redis, the default user may pass with any, and nobody else exists. */
import { keylessSpec } from "../command-spec.ts";
import { SYNTAX_ERROR } from "../error-text.ts";

export const WRONG_PASSWORD = "WRONGPASS invalid username-password pair or user is disabled.";
const NO_PASSWORD_SET =
  "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?";

export const AUTH = keylessSpec({
  name: "auth",
  arity: -2,
  flags: ["noscript", "loading", "stale", "fast", "no_auth"],
  family: "connection",
  order: "free",
  group: "connection",
  summary: "Authenticates the connection.",
  run(request) {
    if (request.args.length > 3) request.refuse(SYNTAX_ERROR);
    else if (request.args.length === 2) request.refuse(NO_PASSWORD_SET);
    else if (!isKnownUser(request.arg(1))) request.refuse(WRONG_PASSWORD);
    else request.ok();
  },
});

/** Whether `user` may pass, with any password. */
export function isKnownUser(user: string): boolean {
  return user === "default";
}
