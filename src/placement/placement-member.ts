/**
 * What placement knows of a node: who, where, how large, and whether it can be counted on.
 */
import type { NodeId } from "../base/ids.ts";

export interface PlacementMember {
  readonly id: NodeId;
  /** A failure domain. Nodes of one zone are expected to fail together; "" is a zone too. */
  readonly zone: string;
  /** Capacity relative to other nodes, >= 0. A node of weight 0 holds nothing while others can. */
  readonly weight: number;
  /** `draining` wants to leave; `dead` is believed to be gone for good. */
  readonly state: "alive" | "draining" | "dead";
}

/** Members by ascending id, so that the order in which they were listed decides nothing. Refuses duplicates. */
export function sortedMembers(members: readonly PlacementMember[]): PlacementMember[] {
  const sorted = [...members].sort((left, right) => (left.id < right.id ? -1 : left.id > right.id ? 1 : 0));
  for (const [at, member] of sorted.entries()) {
    if (!Number.isFinite(member.weight) || member.weight < 0) {
      throw new RangeError(`the weight of ${member.id} must be a number >= 0, got ${member.weight}`);
    }
    if (at > 0 && sorted[at - 1]?.id === member.id)
      throw new RangeError(`member ${member.id} is listed twice`);
  }
  return sorted;
}

/**
 * The members that replicas are spread over: those that are alive and have weight. Where there are none the next best
 * take their place (alive without weight, then draining, then dead), all with equal weight: a shard lives somewhere.
 */
export function eligibleMembers(sorted: readonly PlacementMember[]): readonly PlacementMember[] {
  const weighted = sorted.filter(({ state, weight }) => state === "alive" && weight > 0);
  if (weighted.length > 0) return weighted;
  for (const wanted of ["alive", "draining", "dead"] as const) {
    const rest = sorted.filter(({ state }) => state === wanted);
    if (rest.length > 0) return rest.map((member) => ({ ...member, weight: 1 }));
  }
  return [];
}
