/** SETNX, SETEX and PSETEX: SET with one option, under names of their own. */
import { type CommandSpec, singleKeySpec } from "../command-spec.ts";
import { invalidExpireTime } from "../error-text.ts";
import { type ExpiryUnit, isPositive, parseExpiry } from "../expiry-arguments.ts";
import { okForm, presenceForm } from "../reply-forms.ts";
import type { Request } from "../request.ts";
import { NO_TTL } from "../vocabulary.ts";

export const SETNX = singleKeySpec({
  name: "setnx",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  group: "string",
  summary: "Set the string value of a key only when the key doesn't exist.",
  run(request) {
    const value = request.arg(2);
    if (!request.valueFits(value)) return;
    const key = request.arg(1);
    const condition = "if-absent";
    request.writeKey(
      key,
      { type: "set", key, value, ttlMs: NO_TTL, condition, expectedVersion: 0, returnOld: false },
      presenceForm,
    );
  },
});

export const SETEX = expiringSet("setex", "EX", "seconds");
export const PSETEX = expiringSet("psetex", "PX", "milliseconds");

function expiringSet(name: string, unit: ExpiryUnit, unitName: string): CommandSpec {
  return singleKeySpec({
    name,
    arity: 4,
    flags: ["write", "denyoom"],
    group: "string",
    summary: `Sets the string value and expiration time in ${unitName} of a key.`,
    run: (request) => setExpiring(request, unit),
  });
}

function setExpiring(request: Request, unit: ExpiryUnit): void {
  const key = request.arg(1);
  const time = request.arg(2);
  const value = request.arg(3);
  const invalid = invalidExpireTime(request.entry.spec.name);
  const ttlMs = parseExpiry(time, unit, request.client.services.door.wallMs(), invalid);
  if (typeof ttlMs === "string") {
    request.refuse(ttlMs);
    return;
  }
  if (!isPositive(time)) {
    request.refuse(invalid);
    return;
  }
  if (!request.valueFits(value)) return;
  request.writeKey(
    key,
    { type: "set", key, value, ttlMs, condition: "always", expectedVersion: 0, returnOld: false },
    okForm,
  );
}
