/**
 * Byte sizes as people type and read them: `512kib`, `64mib`, `1.5gib`; `kb`, `mb` and `gb` are powers of ten; a bare number
 * counts bytes. A single letter is refused, because `64m` means either to somebody.
 */

const UNIT_BYTES: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};
/** Largest first; at equal bytes a power of two is what people mean. */
const UNITS_WRITTEN = ["tib", "tb", "gib", "gb", "mib", "mb", "kib", "kb"];

/** Bytes, or null when `text` is not a byte size. Case does not matter. Never negative, always whole. */
export function parseByteSize(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?i?b)?$/.exec(text.trim().toLowerCase());
  if (match === null) return null;
  const unitBytes = UNIT_BYTES[match[2] ?? "b"];
  if (unitBytes === undefined) return null;
  const bytes = Math.round(Number(match[1]) * unitBytes);
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
