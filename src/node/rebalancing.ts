/**
 * Moving replicas for the sake of balance, as people see and command it: whether it is paused, what is on its way, and how
 * far from even the nodes are. The decision lives in the cluster map; how many shards move at once, the node that leads
 * the system group knows.
 */
import { CremaError } from "../base/errors.ts";
import { SYSTEM_GROUP } from "../base/ids.ts";
import type { Calls } from "../host/links/calls.ts";
import type { ClusterNode } from "./cluster-node.ts";
import type { RebalanceStatus } from "./door.ts";

const METHOD_MOVES_MAX = "cluster.movesMax";
const CALL_TIMEOUT_MS = 800;

export class Rebalancing {
  readonly #node: ClusterNode;
  readonly #calls: Calls;

  constructor(node: ClusterNode, calls: Calls) {
    this.#node = node;
    this.#calls = calls;
    calls.handle(METHOD_MOVES_MAX, () => node.options.rebalanceMovesMax);
  }

  /**
   * Pauses or resumes; resolves once that is committed and this node's own map says so, or time is over for the latter. Moves
   * that have begun are finished, and what died is replaced, paused or not. CREMA_NOT_READY, CREMA_NO_LEADER.
   */
  async setPaused(paused: boolean): Promise<void> {
    const { control, clock, options } = this.#node;
    const deadlineMs = clock.nowMs() + options.requestTimeoutMs;
    const version = await control.setRebalancePaused(paused, options.requestTimeoutMs);
    const isKnown = (): boolean => (control.map?.version ?? 0) >= version;
    await this.#node.waitFor(isKnown, Math.max(0, deadlineMs - clock.nowMs()));
  }

  /** As far as could be found out within a second. CREMA_NOT_READY while this node has no cluster map. */
  async status(): Promise<RebalanceStatus> {
    const { nodeId, control } = this.#node;
    const [progress, movesMax] = await Promise.all([control.rebalanceProgress(), this.#movesMax()]);
    return { nodeId, movesMax, ...progress };
  }

  /** Who leads the system group has it from its own options; null when that node does not answer. */
  async #movesMax(): Promise<number | null> {
    const { nodeId, options } = this.#node;
    const leader = this.#node.leaderOf(SYSTEM_GROUP);
    if (leader === null) return null;
    if (leader === nodeId) return options.rebalanceMovesMax;
    try {
      const answer = await this.#calls.call(leader, METHOD_MOVES_MAX, null, { timeoutMs: CALL_TIMEOUT_MS });
      return typeof answer === "number" ? answer : null;
    } catch (error) {
      if (!(error instanceof CremaError)) throw error;
      return null;
    }
  }
}
