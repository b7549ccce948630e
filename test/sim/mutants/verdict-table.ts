/**
 * The table that a campaign prints, a row at a time.
 */
import type { Hunt } from "./hunting.ts";

export const NAME_WIDTH = 42;
const WIDTHS = [NAME_WIDTH, 8, 27, 6, 10, 8] as const;
const HEADINGS = ["mutant", "room", "caught by", "seeds", "virtual s", "wall s"] as const;

export function headingRow(): string {
  return `${row(HEADINGS)}\n${row(WIDTHS.map((width) => "-".repeat(width)))}`;
}

export function verdictRow(name: string, room: string, verdict: string, hunt: Hunt | null): string {
  const figures =
    hunt === null
      ? ["-", "-", "-"]
      : [String(hunt.seeds), (hunt.virtualMs / 1_000).toFixed(1), (hunt.wallMs / 1_000).toFixed(1)];
  return row([name, room, verdict, ...figures]);
}

function row(cells: readonly string[]): string {
  return cells
    .map((cell, at) => (at < 3 ? cell.padEnd(WIDTHS[at] ?? 0) : cell.padStart(WIDTHS[at] ?? 0)))
    .join("  ")
    .trimEnd();
}
