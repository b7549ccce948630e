/**
 * Which replicas that cannot be counted on keep their places nevertheless. A failure must never make a quorum smaller:
 * two of three that die would else leave a "cluster" of one that decides alone.
 */
import type { NodeId } from "../base/ids.ts";
import type { PlacementMember } from "./placement-member.ts";

/**
 * `live` followed by those of `current` that stay although dead or draining. The dead fill up to `wanted`, as there is
 * nobody to replace them; the draining stay only where the live would not be a majority without them.
 */
export function withUnavailable(
  live: readonly NodeId[],
  current: readonly NodeId[],
  members: readonly PlacementMember[],
  wanted: number,
): NodeId[] {
  const missing = wanted - live.length;
  if (missing <= 0 || current.length === 0) return [...live];
  const states = new Map(members.map(({ id, state }) => [id, state]));
  const gone = [...new Set(current)].filter((id) => !live.includes(id));
  const dead = gone.filter((id) => states.get(id) === "dead").slice(0, missing);
  const draining = gone.filter((id) => states.get(id) === "draining");
  const needed = Math.max(0, dead.length + 1 - live.length);
  return [...live, ...draining.slice(0, needed), ...dead];
}
