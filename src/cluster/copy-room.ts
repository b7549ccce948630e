/**
 * How many large shards may be copied at once so that no node is busy with more than a few of them. Copies are slow on
 * purpose, for each node does them beside its clients' requests; more of them at a time are not done sooner, but all begin and end
 * at the same moment, and those are what clients notice.
 *
 * What is missing elsewhere is copied without asking: a shard that lacks a replica waits for nobody.
 */
import type { NodeId } from "../base/ids.ts";
import type { GroupReport } from "./group-report.ts";

/** A copy of less is over before anybody notices: the shards of a new cluster grow as many at a time as may move at all. */
const LARGE_BYTES = 1024 * 1024;
/** One may still be on its way while the other begins or ends. */
const COPIES_PER_NODE_MAX = 2;

export class CopyRoom {
  readonly #copies = new Map<NodeId, number>();

  /** Notes that the group that `report` tells of is given replicas on `wanted`, or will be. */
  take(report: GroupReport | undefined, wanted: readonly NodeId[]): void {
    for (const node of busyWith(report, wanted)) this.#copies.set(node, this.#of(node) + 1);
  }

  /** Whether none of the nodes that would be busy with it has its hands full. */
  has(report: GroupReport | undefined, wanted: readonly NodeId[]): boolean {
    return busyWith(report, wanted).every((node) => this.#of(node) < COPIES_PER_NODE_MAX);
  }

  #of(node: NodeId): number {
    return this.#copies.get(node) ?? 0;
  }
}

/** The leader, which sends, and those that receive; nobody when little is to be copied, or nothing is known of the group. */
function busyWith(report: GroupReport | undefined, wanted: readonly NodeId[]): readonly NodeId[] {
  if (report === undefined || report.stateBytes < LARGE_BYTES) return [];
  const receiving = wanted.filter((node) => !report.voters.includes(node));
  if (receiving.length === 0) return [];
  return report.leader === null ? receiving : [report.leader, ...receiving];
}
