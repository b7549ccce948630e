/**
 * What happened, twice: as one number that two equal histories share and two different ones do not, and as the last
 * lines of text of every life, for whoever has to understand a failure.
 *
 * Every entry of every process counts into the hash: when, who, why, and a fingerprint of the bytes it was handed.
 */
import { HistoryHash } from "./history-hash.ts";

const LINES_PER_LIFE_MAX = 250;

/** Hears every line when a run is watched. */
export type TraceListener = (atMs: number, who: string, text: string) => void;

export class Trace {
  readonly #hash = new HistoryHash();
  readonly #lines = new Map<string, string[]>();
  onLine: TraceListener | null = null;

  /** Counts one entry of a process into the hash. */
  entered(atMs: number, process: number, entry: number, detail: number): void {
    this.#hash.add(atMs, (process << 8) ^ entry, detail);
  }

  /** Whether anybody listens: texts that only listeners want need not be made otherwise. */
  get watched(): boolean {
    return this.onLine !== null;
  }

  /** A line about `who`, kept for a while. Not part of the hash: what it tells of is. */
  say(atMs: number, who: string, text: string): void {
    let lines = this.#lines.get(who);
    if (lines === undefined) {
      lines = [];
      this.#lines.set(who, lines);
    }
    lines.push(`${atMs.toFixed(1).padStart(10)} ms  ${who}: ${text}`);
    if (lines.length > LINES_PER_LIFE_MAX * 2) lines.splice(0, lines.length - LINES_PER_LIFE_MAX);
    this.onLine?.(atMs, who, text);
  }

  /** 64 bits, 16 hexadecimal digits: equal for equal histories. */
  get hash(): string {
    return this.#hash.toString();
  }

  /** The last `count` lines of all of `who`, in order of time. */
  lastLines(who: readonly string[], count: number): readonly string[] {
    const lines = who.flatMap((name) => this.#lines.get(name) ?? []);
    return lines.sort((left, right) => Number.parseFloat(left) - Number.parseFloat(right)).slice(-count);
  }
}
