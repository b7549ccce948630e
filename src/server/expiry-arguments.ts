/**
 * Expiry times as clients write them: seconds or milliseconds, from now or since 1970. Inside, every expiry travels as
 * milliseconds from the stamp of its log entry.
 */
import { NOT_AN_INTEGER } from "./error-text.ts";
import { parseBigInteger } from "./number-arguments.ts";

/** The unit and the origin of a time argument, by the option that names it. */
export type ExpiryUnit = "EX" | "PX" | "EXAT" | "PXAT";

/** Longest expiry kept, in milliseconds: 2^52, some 142,000 years. Later ones become this. */
export const TTL_MS_MAX = 2 ** 52;

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/**
 * `text` as milliseconds from `nowMs`, zero or less when the time has passed. A string is the error to answer;
 * `overflow` is the one for times outside 64 bits.
 */
export function parseExpiry(
  text: string,
  unit: ExpiryUnit,
  nowMs: number,
  overflow: string,
): number | string {
  const given = parseBigInteger(text);
  if (given === null) return NOT_AN_INTEGER;
  const ms = unit === "EX" || unit === "EXAT" ? given * 1_000n : given;
  const now = BigInt(Math.trunc(nowMs));
  const atMs = unit === "EX" || unit === "PX" ? now + ms : ms;
  if (ms > INT64_MAX || ms < INT64_MIN || atMs > INT64_MAX) return overflow;
  const ttlMs = Number(atMs - now);
  return Math.max(-TTL_MS_MAX, Math.min(TTL_MS_MAX, ttlMs));
}

/** `word` as a unit of SET and GETEX, in any case; null when it is something else. */
export function expiryUnitOf(word: string): ExpiryUnit | null {
  switch (word.toUpperCase()) {
    case "EX":
      return "EX";
    case "PX":
      return "PX";
    case "EXAT":
      return "EXAT";
    case "PXAT":
      return "PXAT";
    default:
      return null;
  }
}

/** Whether `text` is a positive time, as SET and GETEX demand of all their units. */
export function isPositive(text: string): boolean {
  return !text.startsWith("-") && text !== "0";
}
