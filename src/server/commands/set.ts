/** SET with all its options. The plain form is the hottest path of the door and takes no detour. */
import { singleKeySpec } from "../command-spec.ts";
import { invalidExpireTime, SYNTAX_ERROR } from "../error-text.ts";
import { type ExpiryUnit, expiryUnitOf, isPositive, parseExpiry } from "../expiry-arguments.ts";
import { bulkForm, okForm, okOrNullForm, oldValueForm, type ReplyForm } from "../reply-forms.ts";
import type { Request } from "../request.ts";
import { KEEP_TTL, NO_TTL } from "../vocabulary.ts";

export const SET = singleKeySpec({
  name: "set",
  arity: -3,
  flags: ["write", "denyoom"],
  group: "string",
  summary: "Sets the string value of a key, ignoring its type. The key is created if it doesn't exist.",
  run(request) {
    if (!request.valueFits(request.arg(2))) return;
    if (request.args.length === 3) {
      sendSet(request, NO_TTL, "always", false);
      return;
    }
    const options = parseSetOptions(request.args);
    if (options === null) {
      request.refuse(SYNTAX_ERROR);
      return;
    }
    const ttlMs = ttlOf(request, options);
    if (typeof ttlMs === "string") request.refuse(ttlMs);
    else if (ttlMs < KEEP_TTL || (ttlMs <= 0 && options.unit !== null)) sendExpiredSet(request, options);
    else sendSet(request, ttlMs, options.condition, options.returnOld);
  },
});

interface SetOptions {
  readonly condition: "always" | "if-absent" | "if-present";
  readonly returnOld: boolean;
  readonly keepTtl: boolean;
  readonly unit: ExpiryUnit | null;
  readonly time: string;
}

function parseSetOptions(args: readonly string[]): SetOptions | null {
  let condition: SetOptions["condition"] = "always";
  let returnOld = false;
  let keepTtl = false;
  let unit: ExpiryUnit | null = null;
  let time = "";
  for (let at = 3; at < args.length; at++) {
    const word = args[at] as string;
    const option = word.toUpperCase();
    const next = args[at + 1];
    if (
      (option === "NX" || option === "XX") &&
      (condition === "always" || condition === CONDITIONS[option])
    ) {
      condition = CONDITIONS[option];
    } else if (option === "GET") {
      returnOld = true;
    } else if (option === "KEEPTTL" && unit === null) {
      keepTtl = true;
    } else {
      const found = expiryUnitOf(word);
      if (found === null || (unit ?? found) !== found || keepTtl || next === undefined) return null;
      unit = found;
      time = next;
      at++;
    }
  }
  return { condition, returnOld, keepTtl, unit, time };
}

const CONDITIONS = { NX: "if-absent", XX: "if-present" } as const;

/** Milliseconds, or the error to answer. Zero or less with a unit means that the time has passed. */
function ttlOf(request: Request, options: SetOptions): number | string {
  if (options.unit === null) return options.keepTtl ? KEEP_TTL : NO_TTL;
  const invalid = invalidExpireTime("set");
  const ttlMs = parseExpiry(options.time, options.unit, request.client.services.door.wallMs(), invalid);
  if (typeof ttlMs === "string") return ttlMs;
  return isPositive(options.time) ? ttlMs : invalid;
}

function sendSet(
  request: Request,
  ttlMs: number,
  condition: SetOptions["condition"],
  returnOld: boolean,
): void {
  const form = returnOld ? oldValueForm : condition === "always" ? okForm : okOrNullForm;
  const key = request.arg(1);
  request.writeKey(
    key,
    { type: "set", key, value: request.arg(2), ttlMs, condition, expectedVersion: 0, returnOld },
    form,
  );
}

/** A value that has expired before it is stored: what is left of SET is the removal of the key, under its condition. */
function sendExpiredSet(request: Request, options: SetOptions): void {
  const key = request.arg(1);
  if (options.condition === "if-absent") {
    if (options.returnOld) request.readKey(key, { type: "get", key }, bulkForm);
    else request.readKey(key, { type: "exists", keys: [key] }, okUnlessFoundForm);
  } else if (options.returnOld) {
    request.writeKey(key, { type: "get-delete", key }, bulkForm);
  } else {
    const form = options.condition === "always" ? okForm : okIfFoundForm;
    request.writeKey(key, { type: "delete", keys: [key] }, form);
  }
}

const okIfFoundForm: ReplyForm = (writer, value) => {
  okOrNullForm(writer, value === 0 ? null : value);
};

const okUnlessFoundForm: ReplyForm = (writer, value) => {
  okOrNullForm(writer, value === 0 ? value : null);
};
