/** Whose silence counts against a quorum, and from when on. */
import { expect, test } from "vitest";
import { groupId, nodeId } from "../../src/base/ids.ts";
import type { ClusterNode } from "../../src/node/cluster-node.ts";
import { quorumLoss } from "../../src/node/group-quorum.ts";

const VOTERS = ["1111111111111111", "2222222222222222", "3333333333333333"].map(nodeId);

/** Whether a node that holds no replica believes at 20 s that two of the three voters, in `state` since `sinceMs`, are lost. */
function isLost(
  state: "suspect" | "dead" | "left",
  sinceMs: number,
  heardAgainAtMs: number,
  linkHeardMs: number | null = null,
  enteredAtMs = 1_000,
): boolean {
  const node = {
    enteredAtMs,
    nodeId: nodeId("4444444444444444"),
    clock: { nowMs: () => 20_000 },
    groups: { get: () => undefined },
    control: { map: { shards: [{ wanted: VOTERS }] } },
    links: { lastHeardMs: () => linkHeardMs },
    gossip: {
      heardAgainAtMs,
      member: (id: string) => ({ state: id === VOTERS[0] ? "alive" : state, stateChangedAtMs: sinceMs }),
    },
  };
  return quorumLoss(node as unknown as ClusterNode, groupId(1)) !== null;
}

const NEVER = Number.NEGATIVE_INFINITY;

// Seed 177 (15 s, isolation and partitions, no swarm): a node that came back refused what the leader would have answered.
test.each([
  ["a suspicion of a moment", "suspect", 19_100, NEVER, false],
  ["a suspicion that lasts", "suspect", 18_900, NEVER, true],
  ["a suspicion from a time when nobody was heard, just over", "suspect", 15_000, 19_100, false],
  ["the same, when it has lasted since", "suspect", 15_000, 18_900, true],
  ["a death", "dead", 19_900, NEVER, true],
  ["a death from a time when nobody was heard, just over", "dead", 15_000, 19_100, false],
  ["the same, when it has lasted since", "dead", 15_000, 18_900, true],
  ["a farewell", "left", 15_000, 19_900, true],
] as const)("%s", (_what, state, sinceMs, heardAgainAtMs, lost) => {
  expect(isLost(state, sinceMs, heardAgainAtMs)).toBe(lost);
});

// Seed 9101029 (6 s, all faults): cut off for 1.3 s, a node believed its suspicions although the suspected spoke to it all the time.
test.each([
  ["suspected, and heard over a link since", "suspect", 15_000, 15_001, false],
  ["suspected, and heard over a link only before", "suspect", 15_000, 14_999, true],
  ["dead, as somebody says, and heard over a link since", "dead", 15_000, 15_001, false],
  ["dead, and heard over a link only before", "dead", 15_000, 14_999, true],
  ["gone on purpose, whatever still came", "left", 15_000, 15_001, true],
] as const)("%s", (_what, state, sinceMs, linkHeardMs, lost) => {
  expect(isLost(state, sinceMs, NEVER, linkHeardMs)).toBe(lost);
});

// Seed 13100804 (6 s, all faults): a machine that had seen only some of the others before it was admitted refused, half a second later, what they
// would have answered.
test.each([
  [
    "suspected since before this node was a member, which it is for a moment",
    "suspect",
    15_000,
    19_100,
    false,
  ],
  ["the same, when that is longer ago", "suspect", 15_000, 18_900, true],
  ["dead, as it heard before it was a member, which it is for a moment", "dead", 15_000, 19_100, false],
  ["the same, when that is longer ago", "dead", 15_000, 18_900, true],
] as const)("%s", (_what, state, sinceMs, enteredAtMs, lost) => {
  expect(isLost(state, sinceMs, NEVER, null, enteredAtMs)).toBe(lost);
});
