/**
 * Evening out loads by moving single items along chains: where a node that has too much cannot give to one that has too
 * little, it gives to a third that gives on. The shortest chain is taken, so nothing moves that need not, and when no
 * chain exists the loads are as even as the rules allow.
 *
 * @see Edmonds and Karp, "Theoretical improvements in algorithmic efficiency for network flow problems" (1972)
 */
import type { Quota } from "./quotas.ts";

/** What can be moved from node to node: replicas in one use, leaderships in the other. */
export interface Movables {
  /** Nodes are 0 .. nodes-1. */
  readonly nodes: number;
  countOf(node: number): number;
  /** Items that `node` could give, in an order that depends on the data alone. */
  itemsOf(node: number): Iterable<number>;
  /** Nodes worth asking whether they may take `item`; null for all. */
  receiversOf(item: number): readonly number[] | null;
  canMove(item: number, from: number, to: number): boolean;
  /** Which of several items should rather make this move: the highest. */
  preference(item: number, from: number, to: number): number;
  move(item: number, from: number, to: number): void;
}

interface Step {
  readonly item: number;
  readonly from: number;
  readonly to: number;
}

/** Items compared for one direct move. Bounds the work where a node gives away thousands. */
const COMPARED_MAX = 64;

/** Moves items until every node is within its quota, or no further move helps. */
export function evenOut(movables: Movables, quotas: readonly Quota[]): void {
  const belowLow = (node: number): boolean => movables.countOf(node) < (quotas[node]?.low ?? 0);
  const belowHigh = (node: number): boolean => movables.countOf(node) < (quotas[node]?.high ?? 0);
  const aboveLow = (node: number): boolean => movables.countOf(node) > (quotas[node]?.low ?? 0);
  const aboveHigh = (node: number): boolean => movables.countOf(node) > (quotas[node]?.high ?? 0);
  // What is too much goes to those who have too little, and only then to those who could have one more.
  flow(movables, aboveHigh, belowLow);
  flow(movables, aboveHigh, belowHigh);
  flow(movables, aboveLow, belowLow);
}

/** Moves items from nodes that give to nodes that take until one side is satisfied or all ways are blocked. */
function flow(movables: Movables, gives: (node: number) => boolean, takes: (node: number) => boolean): void {
  const nodes = Array.from({ length: movables.nodes }, (_, node) => node);
  let takers = nodes.filter(takes).length;
  let lastTaker: number | undefined;
  for (const giver of nodes) {
    while (takers > 0 && gives(giver)) {
      // Who took last mostly takes again: that saves the search.
      const again =
        lastTaker !== undefined && takes(lastTaker) ? directStep(movables, giver, lastTaker) : null;
      const chain = again === null ? shortestChain(movables, giver, takes) : [again];
      // Blocked once is blocked for good: no chain of another giver can lead through here either.
      if (chain === null) break;
      if (!moveAlong(movables, chain)) break;
      lastTaker = chain[0]?.to;
      if (lastTaker !== undefined && !takes(lastTaker)) takers--;
    }
  }
}

/** A move from `giver` straight to `taker`, if one is found among the first items. */
function directStep(movables: Movables, giver: number, taker: number): Step | null {
  let compared = 0;
  for (const item of movables.itemsOf(giver)) {
    if (movables.canMove(item, giver, taker)) return { item, from: giver, to: taker };
    if (++compared === COMPARED_MAX) break;
  }
  return null;
}

/** The steps from `giver` to the nearest taker, last step first; null when there is no way. */
function shortestChain(movables: Movables, giver: number, takes: (node: number) => boolean): Step[] | null {
  const reachedBy: (Step | undefined)[] = new Array(movables.nodes);
  let unreached = Array.from({ length: movables.nodes }, (_, node) => node);
  const queue = [giver];
  for (const from of queue) {
    for (const item of movables.itemsOf(from)) {
      const before = queue.length;
      for (const to of movables.receiversOf(item) ?? unreached) {
        if (to === giver || reachedBy[to] !== undefined || !movables.canMove(item, from, to)) continue;
        reachedBy[to] = { item, from, to };
        if (takes(to)) return chainTo(to, giver, reachedBy);
        queue.push(to);
      }
      if (queue.length > before) unreached = unreached.filter((node) => reachedBy[node] === undefined);
    }
  }
  return null;
}

function chainTo(taker: number, giver: number, reachedBy: readonly (Step | undefined)[]): Step[] {
  const chain: Step[] = [];
  let at = taker;
  while (at !== giver) {
    const step = reachedBy[at];
    if (step === undefined) break;
    chain.push(step);
    at = step.from;
  }
  return chain;
}

/** Makes the steps from the taker's end. False when a step was spoilt by another one, which ends this giver's turn. */
function moveAlong(movables: Movables, chain: readonly Step[]): boolean {
  const only = chain.length === 1 ? chain[0] : undefined;
  if (only !== undefined) {
    movables.move(bestItem(movables, only), only.from, only.to);
    return true;
  }
  for (const { item, from, to } of chain) {
    if (!movables.canMove(item, from, to)) return false;
    movables.move(item, from, to);
  }
  return true;
}

function bestItem(movables: Movables, { item, from, to }: Step): number {
  let best = item;
  let bestPreference = movables.preference(item, from, to);
  let compared = 0;
  for (const other of movables.itemsOf(from)) {
    if (compared++ === COMPARED_MAX) break;
    if (!movables.canMove(other, from, to)) continue;
    const preference = movables.preference(other, from, to);
    if (preference <= bestPreference) continue;
    best = other;
    bestPreference = preference;
  }
  return best;
}
