/**
 * Every failure as a Redis client reads it: the first word is a code that client libraries know, the rest is for
 * people. Where Redis has the same error, the words are Redis'.
 */
import { unreachable } from "../base/assert.ts";
import type { CremaError, CremaErrorCode } from "../base/errors.ts";
import { VALUE_BYTES_MAX } from "../base/limits.ts";
import type { FaultCode } from "./vocabulary.ts";

export const NOT_AN_INTEGER = "ERR value is not an integer or out of range";
export const NOT_A_FLOAT = "ERR value is not a valid float";
export const SYNTAX_ERROR = "ERR syntax error";
export const OVERFLOW = "ERR increment or decrement would overflow";
export const NO_SUCH_KEY = "ERR no such key";
export const OFFSET_OUT_OF_RANGE = "ERR offset is out of range";
export const STRING_TOO_LONG = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
export const CROSS_SLOT =
  "CROSSSLOT Keys in request don't hash to the same slot: use a {hash tag} to keep them on one shard";

export function wrongArguments(command: string): string {
  return `ERR wrong number of arguments for '${command}' command`;
}

export function invalidExpireTime(command: string): string {
  return `ERR invalid expire time in '${command}' command`;
}

/** The refusal of a command that a shard decided. */
export function faultText(code: FaultCode): string {
  switch (code) {
    case "not-an-integer":
      return NOT_AN_INTEGER;
    case "not-a-float":
      return NOT_A_FLOAT;
    case "increment-overflow":
      return OVERFLOW;
    case "increment-nan":
      return "ERR increment would produce NaN or Infinity";
    case "value-too-large":
      return STRING_TOO_LONG;
    case "no-such-key":
      return NO_SUCH_KEY;
    case "wrong-type":
      return "WRONGTYPE Operation against a key holding the wrong kind of value";
    case "shard-full":
      return "OOM command not allowed: the shard of this key holds as many keys as it can";
    case "session-expired":
    case "session-overrun":
      return "BUSY the session of this node was refused and nothing was written, retry";
    case "already-acknowledged":
      return "ERR the answer to this write is not kept any more";
    default:
      return unreachable(code);
  }
}

/** The failure of a request that reached no decision, or whose decision is not known. */
export function failureText(error: CremaError): string {
  if (!error.ambiguous) return `${FAILURE_WORDS[error.code] ?? "ERR"} ${error.message}`;
  // Never CLUSTERDOWN or TRYAGAIN here: cluster clients repeat those by themselves, and this write may have happened.
  return `TIMEOUT ${error.message} (ambiguous: the write may have been applied)`;
}

/** First words that client libraries act upon; ERR for the rest. */
const FAILURE_WORDS: Readonly<Partial<Record<CremaErrorCode, string>>> = {
  CREMA_NO_LEADER: "CLUSTERDOWN",
  CREMA_NO_QUORUM: "CLUSTERDOWN",
  CREMA_NOT_LEADER: "CLUSTERDOWN",
  CREMA_NOT_READY: "CLUSTERDOWN",
  CREMA_REMOVED: "CLUSTERDOWN",
  CREMA_UNREACHABLE: "CLUSTERDOWN",
  CREMA_BUSY: "BUSY",
  CREMA_CAPACITY: "OOM",
  CREMA_TIMEOUT: "TIMEOUT",
  CREMA_CROSS_SHARD: "CROSSSLOT",
  CREMA_DISK_FULL: "MISCONF",
  CREMA_WRONG_TYPE: "WRONGTYPE",
};

export function keyTooLong(bytes: number, bytesMax: number): string {
  return bytes === 0
    ? "ERR a key must have at least 1 byte"
    : `ERR a key of ${bytes} bytes is too long: at most ${bytesMax} are allowed`;
}

export function valueTooLarge(bytes: number): string {
  return `ERR a value of ${bytes} bytes is too large: at most ${VALUE_BYTES_MAX} are allowed`;
}
