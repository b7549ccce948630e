/**
 * A disk that was copied while its node lived, and is started at another address: two processes would be one voter, and could
 * undo each other's word. So a node that comes back elsewhere first asks at the address where it was known; whoever answers there
 * under its id is the node, and this is the copy. Asked before anything is opened: not even a vote may be given.
 *
 * Nobody can tell from a disk alone whether its node is only cut off, or paused. Then the cluster decides: it takes the copy for the
 * node's next life, and the former one ends as soon as it hears of that.
 */
import type { Address } from "../base/address.ts";
import { CremaError } from "../base/errors.ts";
import type { NodeId } from "../base/ids.ts";
import { decodeMap } from "../cluster/cluster-codec.ts";
import { findMember } from "../cluster/cluster-map.ts";
import type { Calls } from "../host/links/calls.ts";
import type { StoredPast } from "../host/ports.ts";

const METHOD_WHO = "node.who";
/** A machine that is gone answers nothing; a return must not wait long for that. */
const ANSWER_WITHIN_MS = 500;

/** Where the newest map in `past` has `node`; null when it does not tell. */
export function formerAddress(past: StoredPast | undefined, node: NodeId): Address | null {
  const map = past?.node?.map;
  return map == null ? null : (findMember(decodeMap(map), node)?.address ?? null);
}

/** Why the process at `address` is this very node, in the words of the handshake; null when nobody there is. */
export async function formerSelfAt(address: Address, calls: Calls): Promise<string | null> {
  try {
    await calls.callAddress(address, METHOD_WHO, null, { timeoutMs: ANSWER_WITHIN_MS });
    return null;
  } catch (error) {
    if (!(error instanceof CremaError)) throw error;
    return error.code === "CREMA_ID_CONFLICT" ? error.message : null;
  }
}
