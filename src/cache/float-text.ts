/**
 * Floating point numbers as Redis keeps them in strings, added exactly.
 *
 * Redis adds 80-bit long doubles and prints 17 decimals, so that 0.1 + 0.2 is "0.3". JavaScript has no long double, and
 * rounding must not depend on the machine. So numbers are added as decimals: what the texts say, to 17 places, half to
 * even. The result never has an exponent, trailing zeros or a negative zero.
 */

const DECIMALS = 17;
const SCALE = 10n ** BigInt(DECIMALS);
/** As Redis: a longer text is not a number. */
const TEXT_LENGTH_MAX = 5 * 1024;
const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?$/;
const INFINITE = /^[+-]?inf(?:inity)?$/i;

/** A finite number, times 10^17. */
export type ScaledDecimal = bigint;

/** Reads a decimal; null when `text` is not a number, "infinite" when it is one beyond all bounds. */
export function parseDecimal(text: string): ScaledDecimal | "infinite" | null {
  if (text.length > TEXT_LENGTH_MAX) return null;
  const match = DECIMAL.exec(text);
  if (match === null) return INFINITE.test(text) ? "infinite" : null;
  const whole = match[2] ?? "";
  const fraction = match[3] ?? "";
  if (whole === "" && fraction === "") return null;
  if (!Number.isFinite(Number(text))) return null;
  const digits = BigInt(whole + fraction);
  if (digits === 0n) return 0n;
  const shift = Number(match[4] ?? "0") - fraction.length + DECIMALS;
  const magnitude = shift >= 0 ? digits * 10n ** BigInt(shift) : divideHalfEven(digits, -shift);
  return match[1] === "-" ? -magnitude : magnitude;
}

/** The sum as Redis prints it, or null when it is not a finite double any more. */
export function addDecimals(left: ScaledDecimal, right: ScaledDecimal): string | null {
  const text = formatDecimal(left + right);
  return Number.isFinite(Number(text)) ? text : null;
}

function formatDecimal(value: ScaledDecimal): string {
  const magnitude = value < 0n ? -value : value;
  const sign = value < 0n ? "-" : "";
  const whole = (magnitude / SCALE).toString();
  const rest = magnitude % SCALE;
  if (rest === 0n) return sign + whole;
  const fraction = rest.toString().padStart(DECIMALS, "0").replace(/0+$/, "");
  return `${sign}${whole}.${fraction}`;
}

/** `digits / 10^places`, rounded half to even. */
function divideHalfEven(digits: bigint, places: number): bigint {
  // Beyond the length of any accepted text the quotient is below one half.
  if (places > TEXT_LENGTH_MAX + 1) return 0n;
  const divisor = 10n ** BigInt(places);
  const quotient = digits / divisor;
  const twice = (digits % divisor) * 2n;
  const up = twice > divisor || (twice === divisor && (quotient & 1n) === 1n);
  return up ? quotient + 1n : quotient;
}
