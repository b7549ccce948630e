/**
 * Weighted rendezvous hashing: every node draws a number for every shard, the highest wins. A node that leaves gives up
 * only what it had won, a node that comes takes only what it wins, and over many shards a node wins in proportion to
 * its weight. Equal on every machine: integer arithmetic up to one logarithm, whose last bits are rounded away.
 *
 * @see Thaler and Ravishankar, "Using name-based mappings to increase hit rates" (1998); weights after Schindelhauer.
 */
import type { NodeId } from "../base/ids.ts";

/** Scores are multiples of 2^-16. */
const SCORE_SCALE = 65_536;

/** The part of the score that depends on the node alone: 32 bits. */
export function nodeSeed(id: NodeId): number {
  const high = Number.parseInt(id.slice(0, 8), 16);
  const low = Number.parseInt(id.slice(8), 16);
  return mix(mix(high) ^ low);
}

/** What the node of `seed` and `weight` (> 0) draws for `shard`. Higher wins; on a tie the caller decides by id. */
export function rendezvousScore(seed: number, shard: number, weight: number): number {
  const uniform = (mix(seed ^ mix(shard + 0x9e37_79b9)) + 0.5) / 0x1_0000_0000;
  return Math.round((weight / -Math.log(uniform)) * SCORE_SCALE);
}

/** All bits of the result depend on all bits of `value`: 0 .. 2^32-1. */
function mix(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb_352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846c_a68b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
