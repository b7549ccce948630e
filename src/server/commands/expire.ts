/** EXPIRE, PEXPIRE, EXPIREAT and PEXPIREAT: set when a key ends, under a condition on the expiry it has. */
import { type CommandSpec, singleKeySpec } from "../command-spec.ts";
import { invalidExpireTime } from "../error-text.ts";
import { type ExpiryUnit, parseExpiry } from "../expiry-arguments.ts";
import { integerForm } from "../reply-forms.ts";

export const EXPIRE = expireSpec("expire", "EX", "Sets the expiration time of a key in seconds.");
export const PEXPIRE = expireSpec("pexpire", "PX", "Sets the expiration time of a key in milliseconds.");
export const EXPIREAT = expireSpec(
  "expireat",
  "EXAT",
  "Sets the expiration time of a key to a Unix timestamp.",
);
export const PEXPIREAT = expireSpec(
  "pexpireat",
  "PXAT",
  "Sets the expiration time of a key to a Unix milliseconds timestamp.",
);

type Condition = "always" | "if-none" | "if-some" | "if-later" | "if-earlier";

function expireSpec(name: string, unit: ExpiryUnit, summary: string): CommandSpec {
  return singleKeySpec({
    name,
    arity: -3,
    flags: ["write", "fast"],
    group: "generic",
    summary,
    run(request) {
      const condition = parseCondition(request.args);
      if (!isCondition(condition)) {
        request.refuse(condition);
        return;
      }
      const nowMs = request.client.services.door.wallMs();
      const ttlMs = parseExpiry(request.arg(2), unit, nowMs, invalidExpireTime(name));
      if (typeof ttlMs === "string") {
        request.refuse(ttlMs);
        return;
      }
      const key = request.arg(1);
      request.writeKey(key, { type: "expire", key, ttlMs, condition }, integerForm);
    },
  });
}

/** The condition that the options after the time add up to, or the error to answer. */
function parseCondition(args: readonly string[]): Condition | string {
  const given = new Set<string>();
  for (const word of args.slice(3)) {
    const option = word.toUpperCase();
    if (!(option in CONDITIONS)) return `ERR Unsupported option ${word}`;
    given.add(option);
  }
  if (given.has("NX") && given.size > 1) {
    return "ERR NX and XX, GT or LT options at the same time are not compatible";
  }
  if (given.has("GT") && given.has("LT")) return "ERR GT and LT options at the same time are not compatible";
  // No expiry counts as infinite: GT implies XX. LT does not.
  if (given.has("XX") && given.has("LT")) return "ERR XX and LT options at the same time are not supported";
  for (const option of ["NX", "GT", "LT", "XX"] as const) if (given.has(option)) return CONDITIONS[option];
  return "always";
}

const CONDITIONS = { NX: "if-none", XX: "if-some", GT: "if-later", LT: "if-earlier" } as const;

function isCondition(text: Condition | string): text is Condition {
  return !text.startsWith("ERR ");
}
