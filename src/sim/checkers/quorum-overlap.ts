/**
 * Whether two configurations can decide against each other: whether some majority of one misses some majority of the
 * other. In a joint configuration a majority is one of each set of voters. Answered exactly, and without the quorum
 * arithmetic of `raft/`: nodes that play the same parts in both configurations are alike, so it is enough to try how
 * many of each kind side with the one; the rest side with the other.
 * @see Raft §6
 */
import type { NodeId } from "../../base/ids.ts";
import type { Configuration } from "../../raft/configuration.ts";

/** The sets of voters that decide: incoming and outgoing of the one, then of the other. */
const SETS = 4;

/** True when every majority of `one` shares a node with every majority of `other`. Each must have voters. */
export function everyMajorityMeets(one: Configuration, other: Configuration): boolean {
  const sets = [one.voters, one.votersOutgoing, other.voters, other.votersOutgoing];
  const kinds = kindsOf(sets);
  const sizes = sets.map((voters) => voters.length);
  return !canSplit([...kinds], 0, [0, 0, 0, 0], sizes);
}

/** How many nodes play which parts; the parts as bits, one per set. */
function kindsOf(sets: readonly (readonly NodeId[])[]): Map<number, number> {
  const parts = new Map<NodeId, number>();
  sets.forEach((voters, set) => {
    for (const node of voters) parts.set(node, (parts.get(node) ?? 0) | (1 << set));
  });
  const kinds = new Map<number, number>();
  for (const kind of parts.values()) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  return kinds;
}

/** Whether the nodes from kind `at` on can take sides so that both sides decide. `decided`: votes per set so far. */
function canSplit(
  kinds: readonly (readonly [kind: number, count: number])[],
  at: number,
  votes: readonly number[],
  sizes: readonly number[],
): boolean {
  const next = kinds[at];
  if (next === undefined) return sizes.every((size, set) => size === 0 || (votes[set] ?? 0) * 2 > size);
  const [kind, count] = next;
  for (let withOne = 0; withOne <= count; withOne++) {
    const counted = votes.map((sum, set) => {
      if ((kind & (1 << set)) === 0) return sum;
      return sum + (set < SETS / 2 ? withOne : count - withOne);
    });
    if (canSplit(kinds, at + 1, counted, sizes)) return true;
  }
  return false;
}
