/**
 * Majorities that meet and majorities that miss each other, by example and by trying everything.
 */
import { expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import { type Configuration, configurationOf } from "../../../src/raft/configuration.ts";
import { jointVote } from "../../../src/raft/quorum.ts";
import { everyMajorityMeets } from "../../../src/sim/checkers/quorum-overlap.ts";
import { node } from "./support.ts";

function of(voters: readonly number[], outgoing: readonly number[] = []): Configuration {
  return { ...configurationOf(voters.map(node)), votersOutgoing: outgoing.map(node) };
}

test.each([
  ["one voter is added", of([1, 2, 3]), of([1, 2, 3, 4]), true],
  ["one voter is removed", of([1, 2]), of([1]), true],
  ["one voter is exchanged for another", of([1, 2, 3]), of([1, 2, 4]), false],
  ["two voters are added to two", of([1, 2]), of([1, 2, 3, 4]), true],
  ["two voters are added to three", of([1, 2, 3]), of([1, 2, 3, 4, 5]), false],
  ["a joint configuration is entered", of([1, 2, 3]), of([4, 5, 6], [1, 2, 3]), true],
  ["a joint configuration is left", of([4, 5, 6], [1, 2, 3]), of([4, 5, 6]), true],
  ["a joint configuration is left backwards", of([4, 5, 6], [1, 2, 3]), of([1, 2, 3]), true],
  ["nothing stays", of([1, 2, 3]), of([4, 5, 6]), false],
])("%s", (_, one, other, meets) => {
  expect(everyMajorityMeets(one, other)).toBe(meets);
  expect(everyMajorityMeets(other, one)).toBe(meets);
});

test("the answer is that of trying every way to split the nodes", () => {
  const random = new Random(7, 7);
  const draw = (nodes: number): number[] =>
    Array.from({ length: nodes }, (_, at) => at + 1).filter(() => random.nextBelow(2) === 0);
  let split = 0;
  for (let round = 0; round < 400; round++) {
    const nodes = 1 + random.nextBelow(7);
    const [one, other] = [of(draw(nodes), draw(nodes)), of(draw(nodes), draw(nodes))];
    if (one.voters.length === 0 || other.voters.length === 0) continue;
    let meets = true;
    for (let side = 0; side < 1 << nodes; side++) {
      const wins = (configuration: Configuration, wanted: number): boolean => {
        const votes = new Map(
          Array.from({ length: nodes }, (_, at) => [node(at + 1), ((side >> at) & 1) === wanted]),
        );
        return jointVote(configuration, votes) === "won";
      };
      if (wins(one, 1) && wins(other, 0)) meets = false;
    }
    if (!meets) split++;
    expect(everyMajorityMeets(one, other)).toBe(meets);
  }
  expect(split).toBeGreaterThan(20);
});
