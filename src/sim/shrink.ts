/**
 * Makes a failing run smaller: drops kinds of faults, clients, nodes, shards and time, one after the other, and keeps
 * what still fails. Every try is a whole run of its own.
 *
 * What is kept fails by the same checker as the run one began with: another failure is another bug. A smaller run has
 * another history, so "smaller" is found by trying, never by reasoning, and the result is small, not the smallest.
 */
import { FAULT_KINDS, type FaultKind } from "./fault-kind.ts";
import type { RunOptions } from "./run-options.ts";
import type { RunReport } from "./run-report.ts";

/** A second more or less of chaos makes nothing easier to understand. */
const CHAOS_STEP_MS = 1_000;

export interface ShrinkProgress {
  readonly tries: number;
  /** The smallest failing run so far. */
  readonly options: RunOptions;
}

/**
 * The smallest failing run found from `failed`; `failed` itself when nothing smaller fails, or nothing failed at all.
 * `run` is asked again and again, one run after the other, at most `triesMax` times. Equal answers give equal results.
 */
export async function shrink(
  failed: RunReport,
  run: (options: RunOptions) => Promise<RunReport>,
  onProgress: (progress: ShrinkProgress) => void = () => {},
  triesMax = 200,
): Promise<RunReport> {
  if (failed.failure === null) return failed;
  const search = new Search(failed, failed.failure.checker, run, onProgress, triesMax);
  await search.nameFaults();
  let before: RunReport;
  do {
    before = search.smallest;
    await search.dropFaults();
    // Early, because it makes all later tries shorter.
    await search.lower("chaosMs", 0, CHAOS_STEP_MS);
    await search.lower("clients", 0, 1);
    await search.lower("nodes", 1, 1);
    await search.lower("shards", 1, 1);
  } while (search.smallest !== before);
  return search.smallest;
}

class Search {
  /** The smallest run so far that fails as it should. */
  smallest: RunReport;
  readonly #checker: string;
  readonly #run: (options: RunOptions) => Promise<RunReport>;
  readonly #onProgress: (progress: ShrinkProgress) => void;
  readonly #triesMax: number;
  /** What was tried before, in vain or not: no run is made twice. */
  readonly #tried = new Set<string>();
  #tries = 0;

  constructor(
    failed: RunReport,
    checker: string,
    run: (options: RunOptions) => Promise<RunReport>,
    onProgress: (progress: ShrinkProgress) => void,
    triesMax: number,
  ) {
    this.smallest = failed;
    this.#checker = checker;
    this.#run = run;
    this.#onProgress = onProgress;
    this.#triesMax = triesMax;
    this.#tried.add(fingerprint(failed.options));
  }

  /** Instead of a part of all faults, drawn from the seed, exactly those that were drawn. */
  async nameFaults(): Promise<void> {
    const { options, enabled } = this.smallest;
    if (!options.swarm) return;
    const faults = FAULT_KINDS.filter((kind) => enabled.includes(kind));
    await this.#try({ ...options, faults, swarm: false });
  }

  /** Drops halves, then quarters, and in the end single kinds. @see Zeller, "Yesterday, my program worked" (ddmin) */
  async dropFaults(): Promise<void> {
    await this.#tryFaults([]);
    for (
      let size = Math.ceil(this.#faults.length / 2);
      size >= 1;
      size = size === 1 ? 0 : Math.ceil(size / 2)
    ) {
      let from = 0;
      while (from < this.#faults.length) {
        const left = [...this.#faults.slice(0, from), ...this.#faults.slice(from + size)];
        // Where a part could be dropped, the next one has moved to its place.
        if (!(await this.#tryFaults(left))) from += size;
      }
    }
  }

  /** Lowers a number towards `least`: there at once if that still fails, else by halves. */
  async lower(name: "chaosMs" | "clients" | "nodes" | "shards", least: number, step: number): Promise<void> {
    let tooLow = least - step;
    let next = least;
    for (let value = this.smallest.options[name]; value - tooLow > step && next < value; ) {
      if (await this.#try({ ...this.smallest.options, [name]: next })) value = next;
      else tooLow = next;
      const middle = tooLow + Math.floor((value - tooLow) / 2 / step) * step;
      next = Math.max(middle, tooLow + step);
    }
  }

  get #faults(): readonly FaultKind[] {
    return this.smallest.options.faults;
  }

  async #tryFaults(faults: readonly FaultKind[]): Promise<boolean> {
    return faults.length < this.#faults.length && this.#try({ ...this.smallest.options, faults });
  }

  /** Whether `options` fail as they should; then they are the smallest run from now on. */
  async #try(options: RunOptions): Promise<boolean> {
    const key = fingerprint(options);
    if (this.#tried.has(key) || this.#tries >= this.#triesMax) return false;
    this.#tried.add(key);
    this.#tries++;
    const report = await this.#run(options);
    const kept = report.failure?.checker === this.#checker;
    if (kept) this.smallest = report;
    this.#onProgress({ tries: this.#tries, options: this.smallest.options });
    return kept;
  }
}

function fingerprint({ seed, ...options }: RunOptions): string {
  return `${seed} ${JSON.stringify(options)}`;
}
