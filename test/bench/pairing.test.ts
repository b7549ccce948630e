import { describe, expect, it } from "vitest";
import { type Disturbable, median, type PairedRun, runPairs } from "./pairing.ts";

describe("pairs", () => {
  it("begin with a warm-up that does not count, and change who goes first", async () => {
    const { order, run } = await pairsOf(3, []);
    expect(order).toEqual(["ours", "peer", "peer", "ours", "ours", "peer", "peer", "ours"]);
    expect(run.pairs.length).toBe(3);
    expect([run.runAgain, run.disturbed]).toEqual([0, 0]);
  });

  it("are run again when they were disturbed", async () => {
    const { order, run } = await pairsOf(2, [1]);
    expect(order.length).toBe(2 * 4);
    expect(run.pairs.map(({ ours }) => ours.disturbance)).toEqual([null, null]);
    expect([run.runAgain, run.disturbed]).toEqual([1, 0]);
  });

  it("count after so many attempts although they were disturbed", async () => {
    const { run } = await pairsOf(2, [1, 2, 3, 4, 5, 6]);
    expect(run.pairs.length).toBe(2);
    expect([run.runAgain, run.disturbed]).toEqual([3, 2]);
  });

  it("are single runs when there is nothing to compare with", async () => {
    const { run } = await pairsOf(2, [], false);
    expect(run.pairs.map(({ peer }) => peer)).toEqual([null, null]);
  });
});

describe("a median", () => {
  it("is the middle, or between the two middle ones", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(() => median([])).toThrow(RangeError);
  });
});

/** Runs pairs of which ours is disturbed in the turns of `disturbedTurns`; the warm-up is turn 0. */
async function pairsOf(
  pairs: number,
  disturbedTurns: readonly number[],
  withPeer = true,
): Promise<{ readonly order: readonly string[]; readonly run: PairedRun<Disturbable> }> {
  const order: string[] = [];
  let turn = 0;
  const ours = async () => {
    order.push("ours");
    return { disturbance: disturbedTurns.includes(turn++) ? "somebody else" : null };
  };
  const peer = async () => {
    order.push("peer");
    return { disturbance: null };
  };
  const run = await runPairs<Disturbable>({
    pairs,
    runAgainMax: 3,
    ours,
    peer: withPeer ? peer : null,
    onPair: () => {},
  });
  return { order, run };
}
