/**
 * Numbers as clients write them, read exactly as strictly as Redis reads them.
 */

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
/** Digits that always fit a safe integer. */
const SAFE_DIGITS = 15;

/** A signed 64-bit integer: no plus sign, no leading zeros, no spaces. A bigint only beyond 2^53; null when `text` is none. */
export function parseInteger(text: string): number | bigint | null {
  if (!/^(?:0|-?[1-9][0-9]{0,18})$/.test(text)) return null;
  if (text.length <= SAFE_DIGITS) return Number(text);
  const value = BigInt(text);
  if (value < INT64_MIN || value > INT64_MAX) return null;
  return narrowed(value);
}

/** Like {@link parseInteger}, always as a bigint. */
export function parseBigInteger(text: string): bigint | null {
  const value = parseInteger(text);
  return value === null ? null : BigInt(value);
}

/** `value` as a number where that is exact. */
export function narrowed(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** `value` unless it is beyond the safe integers, else the nearest of those: for positions and counts. */
export function clamped(value: number | bigint): number {
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(value)));
}

/** A decimal floating point number, infinities included; null when `text` is none. */
export function parseFloat64(text: string): number | null {
  if (/^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(text)) return Number(text);
  const infinite = /^([+-]?)inf(?:inity)?$/i.exec(text);
  if (infinite === null) return null;
  return infinite[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
