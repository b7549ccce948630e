/**
 * Runs two sides in turn, pair by pair, so that whatever the machine does meanwhile meets both alike. A pair that was disturbed
 * is run again, a bounded number of times; if it stays disturbed it counts all the same, and that is told.
 */
export interface Disturbable {
  /** Why the machine was not ours alone meanwhile; null when it was. */
  readonly disturbance: string | null;
}

export interface Pair<Measured> {
  readonly ours: Measured;
  /** null when there is nothing to compare with. */
  readonly peer: Measured | null;
}

export interface PairedRun<Measured> {
  readonly pairs: readonly Pair<Measured>[];
  /** Pairs that were thrown away because they were disturbed. */
  readonly runAgain: number;
  /** Pairs that count although they were disturbed. */
  readonly disturbed: number;
}

export interface PairingOptions<Measured> {
  readonly pairs: number;
  /** Disturbed pairs that are run again, all together. */
  readonly runAgainMax: number;
  readonly ours: () => Promise<Measured>;
  readonly peer: (() => Promise<Measured>) | null;
  /** Hears of every pair, also of those that do not count and of the warm-up. */
  readonly onPair: (title: string, pair: Pair<Measured>, disturbance: string | null) => void;
}

/** One pair to warm up, then the pairs that count; who goes first changes from pair to pair. */
export async function runPairs<Measured extends Disturbable>(
  options: PairingOptions<Measured>,
): Promise<PairedRun<Measured>> {
  const pairs: Pair<Measured>[] = [];
  let turn = 0;
  let runAgain = 0;
  let disturbed = 0;
  options.onPair("warm-up", await runPair(options, turn++), null);
  while (pairs.length < options.pairs) {
    const pair = await runPair(options, turn++);
    const disturbance = pair.ours.disturbance ?? pair.peer?.disturbance ?? null;
    options.onPair(`pair ${pairs.length + 1} of ${options.pairs}`, pair, disturbance);
    if (disturbance !== null && runAgain < options.runAgainMax) {
      runAgain++;
      continue;
    }
    if (disturbance !== null) disturbed++;
    pairs.push(pair);
  }
  return { pairs, runAgain, disturbed };
}

async function runPair<Measured>(options: PairingOptions<Measured>, turn: number): Promise<Pair<Measured>> {
  const { ours, peer } = options;
  if (peer === null) return { ours: await ours(), peer: null };
  if (turn % 2 === 0) return { ours: await ours(), peer: await peer() };
  const measured = await peer();
  return { ours: await ours(), peer: measured };
}

/** Throws `RangeError` for an empty list. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  if (upper === undefined || lower === undefined) throw new RangeError("nothing has no median");
  return (lower + upper) / 2;
}
