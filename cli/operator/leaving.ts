/**
 * Waiting until a node has left. The node itself can only close its doors; that the cluster does not count on it any more, the
 * other members say.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type ClusterStatus, formatAddress, parseAddress } from "../../src/index.ts";
import { CommandFailed } from "../command-failed.ts";
import { NodeUnreachable } from "./answer-refused.ts";
import { ClusterHttp } from "./cluster-http.ts";

const POLL_INTERVAL_MS = 250;
/** For one answer of one member. */
const ANSWER_TIMEOUT_MS = 2_000;

/** Resolves once `nodeId` has left. `before` is what `cluster` said when all members were there. Throws after `deadlineMs`. */
export async function untilLeft(
  nodeId: string,
  cluster: ClusterHttp,
  before: ClusterStatus,
  deadlineMs: number,
): Promise<void> {
  const witnesses = witnessesOf(nodeId, cluster, before);
  while (!(await hasLeft(nodeId, cluster, witnesses))) {
    if (Date.now() >= deadlineMs)
      throw new CommandFailed(
        `node ${nodeId} is draining, and has not left yet; 'crema status' shows what it holds`,
      );
    await delay(POLL_INTERVAL_MS);
  }
}

/** The HTTP doors of all members but the one that leaves, the asked one first. */
function witnessesOf(
  nodeId: string,
  cluster: ClusterHttp,
  { members }: ClusterStatus,
): readonly ClusterHttp[] {
  const others = members.filter((member) => member.nodeId !== nodeId && member.state !== "dead");
  const isOther = others.some(({ self }) => self);
  const doors = others
    .filter(({ self, httpPort }) => !self && httpPort !== 0)
    .flatMap(({ address, httpPort }) => {
      const found = parseAddress(address);
      return found === null ? [] : [new ClusterHttp(formatAddress({ host: found.host, port: httpPort }))];
    });
  return isOther ? [cluster, ...doors] : doors;
}

async function hasLeft(
  nodeId: string,
  cluster: ClusterHttp,
  witnesses: readonly ClusterHttp[],
): Promise<boolean> {
  for (const witness of witnesses) {
    const status = await statusOf(witness);
    if (status !== null) return status.members.every((member) => member.nodeId !== nodeId);
  }
  // Nobody else has a door, or lives: the node closes its own when it has drained, and not before.
  return witnesses.length === 0 && (await statusOf(cluster)) === null;
}

/** null: it does not answer. */
async function statusOf(door: ClusterHttp): Promise<ClusterStatus | null> {
  try {
    return await door.status(ANSWER_TIMEOUT_MS);
  } catch (error) {
    if (error instanceof NodeUnreachable) return null;
    throw error;
  }
}
