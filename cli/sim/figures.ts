/**
 * Counts and lengths of time as people read them.
 */

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** `1,234,567`. */
export function countText(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

/** `1 seed`, `2 seeds`. */
export function counted(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Two units at most: `850 ms`, `12.3 s`, `3 min 20 s`, `5 h 2 min`. */
export function spanText(spanMs: number): string {
  if (spanMs < 1_000) return `${spanMs.toFixed(0)} ms`;
  if (spanMs < MINUTE_MS) return `${(spanMs / 1_000).toFixed(1)} s`;
  if (spanMs < HOUR_MS) {
    const seconds = Math.floor((spanMs % MINUTE_MS) / 1_000);
    return `${Math.floor(spanMs / MINUTE_MS)} min ${seconds} s`;
  }
  return `${countText(Math.floor(spanMs / HOUR_MS))} h ${Math.floor((spanMs % HOUR_MS) / MINUTE_MS)} min`;
}

/** `12.5 virtual minutes`, `9.41 virtual hours`, `1,204 virtual hours`: as exact as their size makes sensible. */
export function virtualText(spanMs: number): string {
  if (spanMs < HOUR_MS) return `${(spanMs / MINUTE_MS).toFixed(1)} virtual minutes`;
  const hours = spanMs / HOUR_MS;
  return `${hours >= 100 ? countText(hours) : hours.toFixed(hours >= 10 ? 1 : 2)} virtual hours`;
}

/** `1.2M`, `350k`: rates. */
export function rateText(perSecond: number): string {
  if (perSecond >= 1_000_000) return `${(perSecond / 1_000_000).toFixed(1)}M`;
  if (perSecond >= 10_000) return `${(perSecond / 1_000).toFixed(0)}k`;
  return countText(perSecond);
}
