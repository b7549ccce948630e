/**
 * Every mutant there is. A new one is added to the list of its room.
 */
import { CACHE_MUTANTS } from "./cache-mutants.ts";
import { CLUSTER_MUTANTS } from "./cluster-mutants.ts";
import { FOUND_BUGS } from "./found-bugs.ts";
import { HOST_MUTANTS } from "./host-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { NODE_MUTANTS } from "./node-mutants.ts";
import { RAFT_MUTANTS } from "./raft-mutants.ts";

export const ALL_MUTANTS: readonly Mutant[] = Object.freeze([
  ...RAFT_MUTANTS,
  ...HOST_MUTANTS,
  ...CLUSTER_MUTANTS,
  ...CACHE_MUTANTS,
  ...NODE_MUTANTS,
  ...FOUND_BUGS,
]);
