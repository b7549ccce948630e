/**
 * Lists of wanted replicas: the first is the preferred leader, the order of the others means nothing.
 */
import type { NodeId } from "../base/ids.ts";
import type { MemberFacts } from "./member-facts.ts";

export function sameSet(left: readonly NodeId[], right: readonly NodeId[]): boolean {
  return left.length === right.length && left.every((node) => right.includes(node));
}

/** `nodes` with `leader`, one of them, first. */
export function withLeader(nodes: readonly NodeId[], leader: NodeId): readonly NodeId[] {
  return nodes[0] === leader ? nodes : [leader, ...nodes.filter((node) => node !== leader)];
}

/**
 * What of the change from `current` to `planned` replaces or adds what is lacking: replicas on live nodes stay where they are,
 * however unbalanced. Leadership may still go to where it is planned.
 */
export function repairOnly(
  current: readonly NodeId[],
  planned: readonly NodeId[],
  facts: MemberFacts,
): readonly NodeId[] {
  const kept = current.filter((node) => facts.isAlive(node) || planned.includes(node));
  const nodes = [...kept];
  if (kept.length < planned.length) {
    const spares = planned.filter((node) => !kept.includes(node));
    while (nodes.length < planned.length) {
      // Zones that have no replica yet come first: the plan spread them over its own nodes, not over those that stay.
      const spare =
        spares.find((node) => !nodes.some((other) => facts.zoneOf(other) === facts.zoneOf(node))) ??
        spares[0];
      if (spare === undefined) break;
      nodes.push(spare);
      spares.splice(spares.indexOf(spare), 1);
    }
  }
  const [leader] = planned;
  const [former] = nodes;
  if (leader !== undefined && nodes.includes(leader)) return withLeader(nodes, leader);
  return former === undefined || facts.isAlive(former)
    ? nodes
    : withLeader(nodes, nodes.find((node) => facts.isAlive(node)) ?? former);
}
