/**
 * Durations as people type and read them: `250ms`, `25s`, `10m`, `1h`, `2d`; a bare number counts seconds.
 */

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds, or null when `text` is not a duration. Never negative, always whole. */
export function parseDurationMs(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/.exec(text.trim());
  if (match === null) return null;
  const durationMs = Math.round(Number(match[1]) * (UNIT_MS[match[2] ?? "s"] ?? 0));
  return Number.isSafeInteger(durationMs) ? durationMs : null;
}

/** The shortest exact form of `durationMs` in one unit. */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return "0";
  for (const unit of ["d", "h", "m", "s"]) {
    const unitMs = UNIT_MS[unit] ?? 1;
    if (durationMs % unitMs === 0) return `${durationMs / unitMs}${unit}`;
  }
  return `${durationMs}ms`;
}
