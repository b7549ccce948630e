/**
 * Amounts of memory as people type and read them: `512mb`, `64mib`, `1g`; a bare number counts bytes. As in Redis, `k`, `m`, `g` and
 * `kb`, `mb`, `gb` are powers of 1,000 and 1,024: one letter counts in thousands, `kb` and `kib` alike in 1,024.
 */

const UNIT_BYTES: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1_000,
  kb: 1_024,
  kib: 1_024,
  m: 1_000_000,
  mb: 1_048_576,
  mib: 1_048_576,
  g: 1_000_000_000,
  gb: 1_073_741_824,
  gib: 1_073_741_824,
};

/** Bytes, or null when `text` is not an amount. Never negative, always whole. */
export function parseByteSize(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?i?b?)$/i.exec(text.trim());
  const unit = UNIT_BYTES[(match?.[2] ?? "").toLowerCase()];
  if (match === null || unit === undefined) return null;
  const bytes = Math.round(Number(match[1]) * unit);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** The shortest exact form of `bytes` in one unit. */
export function formatByteSize(bytes: number): string {
  if (bytes === 0) return "0";
  for (const unit of ["gib", "mib", "kib"]) {
    const unitBytes = UNIT_BYTES[unit] ?? 1;
    if (bytes % unitBytes === 0) return `${bytes / unitBytes}${unit}`;
  }
  return String(bytes);
}
