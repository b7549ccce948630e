/**
 * What is shown while keys move between a cluster and a file. Pure: numbers in, lines out.
 */
import { counted, countText, rateText, spanText } from "../sim/figures.ts";
import type { Colours } from "../terminal/colours.ts";
import { progressBar } from "../terminal/progress-bar.ts";

/** How far a transfer has come. */
export interface TransferProgress {
  /** `backing up`, `checking`, `restoring`. */
  readonly doing: string;
  readonly shards: number;
  readonly shardsDone: number;
  readonly keys: number;
  /** As far as is known when it begins; a cluster in use may turn out to hold more or fewer. */
  readonly keysExpected: number;
  /** Moved to or from the file. */
  readonly bytes: number;
  readonly elapsedMs: number;
}

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** `12 B`, `3.4 MB`: decimal units. */
export function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? countText(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** Lines for a terminal: the bar, and how fast it goes. */
export function transferLines(progress: TransferProgress, colours: Colours): readonly string[] {
  const bar = progressBar(shareOf(progress), colours);
  return ["", `${bar}  ${doneText(progress)}`, `${goingText(progress)}${leftText(progress)}`];
}

/** The same in one line, for logs. */
export function transferText(progress: TransferProgress): string {
  const percent = `${Math.floor(shareOf(progress) * 100)}%`;
  return `${progress.doing}: ${percent}, ${doneText(progress)}, ${goingText(progress)}${leftText(progress)}`;
}

/** `12,345 keys (8 MB) in 1.2 s, 10k keys/s, 6.7 MB/s`: the last word of a transfer. */
export function totalText(keys: number, bytes: number, elapsedMs: number): string {
  const bytesPerSecond = bytesText(perSecond(bytes, elapsedMs));
  return `${counted(keys, "key")} (${bytesText(bytes)}) ${paceText(keys, elapsedMs)}, ${bytesPerSecond}/s`;
}

/** `in 1.2 s, 10k keys/s`. */
export function paceText(keys: number, elapsedMs: number): string {
  return `in ${spanText(elapsedMs)}, ${rateText(perSecond(keys, elapsedMs))} keys/s`;
}

/** 1 only when every shard is done, whatever was expected. */
function shareOf({ shards, shardsDone, keys, keysExpected }: TransferProgress): number {
  if (shardsDone === shards) return 1;
  return Math.min(0.99, keysExpected === 0 ? shardsDone / shards : keys / keysExpected);
}

function doneText({ shards, shardsDone, keys }: TransferProgress): string {
  return `${countText(shardsDone)} of ${counted(shards, "shard")}, ${counted(keys, "key")}`;
}

function goingText({ keys, bytes, elapsedMs }: TransferProgress): string {
  const rates = `${rateText(perSecond(keys, elapsedMs))} keys/s, ${bytesText(perSecond(bytes, elapsedMs))}/s`;
  return `${bytesText(bytes)}, ${rates}, after ${spanText(elapsedMs)}`;
}

function leftText(progress: TransferProgress): string {
  const share = shareOf(progress);
  if (share === 0 || share === 1) return "";
  return `, about ${spanText((progress.elapsedMs / share) * (1 - share))} left`;
}

function perSecond(count: number, elapsedMs: number): number {
  return elapsedMs === 0 ? 0 : (count * 1_000) / elapsedMs;
}
