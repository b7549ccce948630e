/**
 * How a node leaves within its budget: it says that it is not ready any more, hands its leaderships and replicas over,
 * is forgotten by the cluster map, lets its clients go, says farewell, and closes.
 */
import { CremaError } from "../base/errors.ts";
import { findMember } from "../cluster/cluster-map.ts";
import type { ClusterNode } from "./cluster-node.ts";

/** How long a farewell may take to spread before the node closes anyway. */
const FAREWELL_MS = 1_500;
/** A map that does not say within so long that this node leaves is asked again. */
const ARRIVES_WITHIN_MS = 2_000;

/** `farewellSpread` tells whether gossip has said the farewell often enough. */
export async function depart(
  node: ClusterNode,
  closeDoors: () => Promise<void>,
  farewellSpread: () => boolean,
): Promise<void> {
  const budgetMs = node.options.drainTimeoutMs;
  if (budgetMs > 0) {
    const deadlineMs = node.clock.nowMs() + budgetMs;
    if (!isLast(node)) await drain(node, deadlineMs);
    await closeDoors();
    node.gossip.leave();
    const leftMs = Math.max(0, Math.min(FAREWELL_MS, deadlineMs - node.clock.nowMs()));
    await node.waitFor(farewellSpread, leftMs);
  }
  await node.close();
}

/** There is nobody else: nobody to hand anything over to, nobody to tell. */
function isLast(node: ClusterNode): boolean {
  const { map, isListed } = node.control;
  if (map === null || !isListed) return true;
  return map.members.every(({ nodeId, state }) => nodeId === node.nodeId || state === "dead");
}

/** All that live are leaving: the cluster stops as a whole, and nobody waits for anybody. */
function everybodyLeaves(node: ClusterNode): boolean {
  return node.control.map?.members.every(({ state }) => state !== "alive") === true;
}

/** The map counts on this node: it was never told, or it gave the node up for dead meanwhile and took it back. */
function isCountedOn(node: ClusterNode): boolean {
  const { map } = node.control;
  return map !== null && findMember(map, node.nodeId)?.state === "alive";
}

async function drain(node: ClusterNode, deadlineMs: number): Promise<void> {
  const left = (): number => Math.max(1, deadlineMs - node.clock.nowMs());
  const isIdle = (): boolean => node.router.outstanding === 0;
  const isFree = (): boolean => isIdle() && (!node.control.isListed || everybodyLeaves(node));
  do {
    try {
      await node.control.drain(node.nodeId, left());
    } catch (error) {
      if (!(error instanceof CremaError)) throw error;
      node.log("warn", `leaving without a drain: ${error.message}`);
      return;
    }
    // What was committed may take a moment to arrive here, or may be undone before it does.
    await node.waitFor(() => isFree() || !isCountedOn(node), Math.min(ARRIVES_WITHIN_MS, left()));
    await node.waitFor(() => isFree() || isCountedOn(node), left());
  } while (!isFree() && deadlineMs > node.clock.nowMs());
  if (isFree()) return;
  node.log("warn", "the drain did not finish within its budget: leaving with replicas still counted here");
}
