/**
 * Sizes as people type and read them: `512mb`, `1gib`, `100m`; a bare number counts bytes. As in a Redis configuration a unit
 * with a `b` is a power of 1,024 and one without is a power of 1,000. What is printed cannot be misread: `64mib`.
 */

const UNIT_BYTES: Readonly<Record<string, number>> = {
  b: 1,
  k: 1_000,
  kb: 1_024,
  kib: 1_024,
  m: 1_000 ** 2,
  mb: 1_024 ** 2,
  mib: 1_024 ** 2,
  g: 1_000 ** 3,
  gb: 1_024 ** 3,
  gib: 1_024 ** 3,
  t: 1_000 ** 4,
  tb: 1_024 ** 4,
  tib: 1_024 ** 4,
};
const UNITS_WRITTEN = ["tib", "gib", "mib", "kib"];

/** Whole bytes, or null when `text` is not a size. Case does not matter. Never negative. */
export function parseByteSize(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]+)?$/.exec(text.trim().toLowerCase());
  if (match === null) return null;
  const unit = UNIT_BYTES[match[2] ?? "b"];
  if (unit === undefined) return null;
  const bytes = Math.round(Number(match[1]) * unit);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** The shortest exact form of `bytes` in one unit. */
export function formatByteSize(bytes: number): string {
  if (bytes === 0) return "0";
  for (const unit of UNITS_WRITTEN) {
    const unitBytes = UNIT_BYTES[unit] ?? 1;
    if (bytes % unitBytes === 0) return `${bytes / unitBytes}${unit}`;
  }
  return `${bytes}b`;
}
