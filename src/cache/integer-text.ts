/**
 * 64-bit integers as Redis keeps them in strings: the shortest decimal form and no other. "+1", " 1", "01" and "-0" are
 * not integers. Numbers while they are exact, bigints beyond 2^53.
 */

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const CANONICAL = /^(?:0|-?[1-9][0-9]{0,18})$/;
/** Any canonical text of at most this many characters is a safe integer. */
const SAFE_LENGTH_MAX = 15;

/** Reads a canonical 64-bit integer; null when `text` is not one. */
export function parseInt64(text: string): number | bigint | null {
  if (!CANONICAL.test(text)) return null;
  if (text.length <= SAFE_LENGTH_MAX) return Number(text);
  const value = BigInt(text);
  if (value < INT64_MIN || value > INT64_MAX) return null;
  return narrow(value);
}

/** The sum, or null when it leaves 64 bits. */
export function addInt64(left: number | bigint, right: number | bigint): number | bigint | null {
  if (typeof left === "number" && typeof right === "number") {
    const sum = left + right;
    if (Number.isSafeInteger(sum)) return sum;
  }
  const sum = BigInt(left) + BigInt(right);
  return sum < INT64_MIN || sum > INT64_MAX ? null : narrow(sum);
}

function narrow(value: bigint): number | bigint {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}
