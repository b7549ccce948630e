/**
 * Zones as numbers, and how many replicas of one shard must share one.
 */
import type { PlacementMember } from "./placement-member.ts";

/** The zone of each member as 0, 1, 2, ... in order of first mention. */
export function zoneNumbers(members: readonly PlacementMember[]): number[] {
  const numbers = new Map<string, number>();
  return members.map(({ zone }) => {
    const number = numbers.get(zone) ?? numbers.size;
    numbers.set(zone, number);
    return number;
  });
}

/** The smallest number of replicas per zone that lets `target` replicas find distinct nodes; 1 while zones suffice. */
export function smallestZoneMax(zoneOf: readonly number[], target: number): number {
  const sizes = new Map<number, number>();
  for (const zone of zoneOf) sizes.set(zone, (sizes.get(zone) ?? 0) + 1);
  for (let max = 1; max < target; max++) {
    let room = 0;
    for (const size of sizes.values()) room += Math.min(size, max);
    if (room >= target) return max;
  }
  return Math.max(1, target);
}
