/**
 * What it means that a replica changes its role, for people who have never seen one do so.
 */
import type { RoleChange } from "./witness.ts";

/** One line without a time; null where there is nothing to tell. */
export function roleChangeText({ life: { name }, from, to, term, termBefore }: RoleChange): string | null {
  switch (to) {
    case "pre-candidate":
      return `${name} misses a leader and asks the others whether they would vote for it`;
    case "candidate":
      return `${name} asks for votes in term ${term}`;
    case "leader":
      return `${name} has the votes of a majority and leads term ${term}`;
    case "follower":
      if (term > termBefore) {
        return `${name} hears of term ${term} and ${from === "leader" ? "stops leading" : "gives up its candidacy"}`;
      }
      return from === "leader"
        ? `${name} has heard of no majority for too long and stops leading`
        : `${name} gives up its candidacy`;
  }
}
