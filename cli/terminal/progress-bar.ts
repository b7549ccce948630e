/**
 * The bar of everything that takes a while.
 */
import type { Colours } from "./colours.ts";

const BAR_WIDTH = 40;

/** `████░░░░  50%`. `share` is 0 .. 1. */
export function progressBar(share: number, colours: Colours): string {
  const full = Math.round(share * BAR_WIDTH);
  const bar = `${colours.cyan("█".repeat(full))}${colours.dim("░".repeat(BAR_WIDTH - full))}`;
  return `${bar} ${`${Math.floor(share * 100)}%`.padStart(4)}`;
}
