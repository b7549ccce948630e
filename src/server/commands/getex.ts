/** GETEX: reads a value and sets or removes its expiry in one step. Without options it is a GET. */
import { singleKeySpec } from "../command-spec.ts";
import { invalidExpireTime, SYNTAX_ERROR } from "../error-text.ts";
import { expiryUnitOf, isPositive, parseExpiry } from "../expiry-arguments.ts";
import { bulkForm } from "../reply-forms.ts";
import { NO_TTL } from "../vocabulary.ts";

export const GETEX = singleKeySpec({
  name: "getex",
  arity: -2,
  flags: ["write", "fast"],
  group: "string",
  summary: "Returns the string value of a key after setting its expiration time.",
  run(request) {
    const key = request.arg(1);
    const [, , word, time] = request.args;
    if (word === undefined) {
      request.readKey(key, { type: "get", key }, bulkForm);
      return;
    }
    if (word.toUpperCase() === "PERSIST" && request.args.length === 3) {
      request.writeKey(key, { type: "get-expire", key, ttlMs: NO_TTL }, bulkForm);
      return;
    }
    const unit = expiryUnitOf(word);
    if (unit === null || time === undefined || request.args.length !== 4) {
      request.refuse(SYNTAX_ERROR);
      return;
    }
    const invalid = invalidExpireTime("getex");
    const ttlMs = parseExpiry(time, unit, request.client.services.door.wallMs(), invalid);
    if (typeof ttlMs === "string") request.refuse(ttlMs);
    else if (!isPositive(time)) request.refuse(invalid);
    else if (ttlMs <= 0) request.writeKey(key, { type: "get-delete", key }, bulkForm);
    else request.writeKey(key, { type: "get-expire", key, ttlMs }, bulkForm);
  },
});
