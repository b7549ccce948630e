import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NodeId } from "../../src/base/ids.ts";
import { configurationOf } from "../../src/raft/configuration.ts";
import {
  jointIndex,
  jointVote,
  majorityIndex,
  majorityVote,
  type QuorumMeasure,
} from "../../src/raft/quorum.ts";
import { nodeOf } from "./cluster.ts";
import { listOf, parseVectors, type VectorCase } from "./vectors.ts";

function vectors(name: string): VectorCase[] {
  return parseVectors(readFileSync(new URL(`vectors/etcd-raft/quorum/${name}`, import.meta.url), "utf8"));
}

function nodesOf(text: string | undefined): NodeId[] {
  return listOf(text).map((number) => nodeOf(Number(number)));
}

/** `_` stands for nothing known. */
function measureOf(voters: readonly NodeId[], values: readonly string[]): QuorumMeasure {
  return {
    of: (node) => {
      const value = values[voters.indexOf(node)];
      return value === undefined || value === "_" ? 0 : Number(value);
    },
  };
}

describe("etcd's majority_commit vectors", () => {
  const cases = vectors("majority_commit.txt");
  test.each(cases)("line $line", ({ args, expected }) => {
    const voters = nodesOf(args.cfg);
    const last = expected[expected.length - 1] ?? "";
    const wanted = last.includes("∞") ? Number.POSITIVE_INFINITY : Number(last);
    expect(majorityIndex(voters, measureOf(voters, listOf(args.idx)))).toBe(wanted);
  });

  test("are all there", () => {
    expect(cases.length).toBeGreaterThan(15);
  });
});

describe("etcd's majority_vote vectors", () => {
  const cases = vectors("majority_vote.txt");
  test.each(cases)("line $line", ({ args, expected }) => {
    const voters = nodesOf(args.cfg);
    const votes = new Map<NodeId, boolean>();
    listOf(args.votes).forEach((vote, at) => {
      const voter = voters[at];
      if (voter !== undefined && vote !== "_") votes.set(voter, vote === "y");
    });
    expect(`Vote${majorityVote(voters, votes)}`.toLowerCase()).toBe(expected[0]?.toLowerCase());
  });

  test("are all there", () => {
    expect(cases.length).toBeGreaterThan(15);
  });
});

describe("a joint quorum", () => {
  const joint = { ...configurationOf([1, 2, 3].map(nodeOf)), votersOutgoing: [3, 4, 5].map(nodeOf) };

  test("has reached what the slower of both majorities has", () => {
    const values = new Map([1, 2, 3, 4, 5].map((number, at) => [nodeOf(number), [9, 8, 7, 2, 1][at] ?? 0]));
    expect(jointIndex(joint, { of: (node) => values.get(node) ?? 0 })).toBe(2);
  });

  test.each([
    ["both majorities grant", [1, 2, 3, 4], [], "won"],
    ["only the incoming majority grants", [1, 2], [], "pending"],
    ["the incoming majority grants and the outgoing one refuses", [1, 2], [4, 5], "lost"],
    ["the incoming majority refuses", [], [1, 2], "lost"],
  ])("%s", (_title, granted, refused, outcome) => {
    const votes = new Map<NodeId, boolean>();
    for (const number of granted) votes.set(nodeOf(number), true);
    for (const number of refused) votes.set(nodeOf(number), false);
    expect(jointVote(joint, votes)).toBe(outcome);
  });

  test("agrees with counting, for any voters and any values", () => {
    const sets = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(
        sets,
        fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 7 }),
        fc.array(fc.nat(20), { minLength: 10, maxLength: 10 }),
        (incoming, outgoing, values) => {
          const configuration = {
            ...configurationOf(incoming.map(nodeOf)),
            votersOutgoing: outgoing.map(nodeOf),
          };
          const valueAt = (number: number) => values[number] ?? 0;
          const reachedBy = (set: readonly number[], value: number) =>
            set.length === 0 || set.filter((number) => valueAt(number) >= value).length * 2 > set.length;
          let best = 0;
          for (let value = 0; value <= 20; value++) {
            if (reachedBy(incoming, value) && reachedBy(outgoing, value)) best = value;
          }
          const measure = { of: (node: NodeId) => valueAt(Number.parseInt(node, 16)) };
          expect(jointIndex(configuration, measure)).toBe(best);
        },
      ),
    );
  });
});
