/**
 * The lives of one node id follow each other in one line, and the map follows them: once it has named a life, it never names an
 * earlier one again. What a process said before it died may arrive when its successor is known already; taken for news, it
 * would undo what the map knows of that one, such as that it is leaving.
 */
import type { BootNonce, ClusterId, NodeId } from "../../base/ids.ts";
import { type ClusterMap, findMember } from "../../cluster/cluster-map.ts";
import type { Life } from "../life.ts";
import type { Checker, CheckerContext } from "./checker.ts";

export class PresentLives implements Checker {
  readonly name = "present-lives";
  readonly #context: CheckerContext;
  /** In the order in which they began. */
  readonly #boots = new Map<NodeId, BootNonce[]>();
  /** The newest map that any node has known. */
  readonly #newest = new Map<ClusterId, ClusterMap>();

  constructor(context: CheckerContext) {
    this.#context = context;
  }

  started({ node: { nodeId, boot } }: Life): void {
    const boots = this.#boots.get(nodeId) ?? [];
    boots.push(boot);
    this.#boots.set(nodeId, boots);
  }

  after(life: Life): void {
    const { map } = life.node.control;
    if (map === null) return;
    const before = this.#newest.get(map.clusterId) ?? null;
    if (before !== null && map.version <= before.version) return;
    this.#newest.set(map.clusterId, map);
    if (before !== null)
      for (const { nodeId, boot } of map.members) this.#follows(life, before, map, nodeId, boot);
  }

  #follows(life: Life, before: ClusterMap, map: ClusterMap, nodeId: NodeId, boot: BootNonce): void {
    const named = findMember(before, nodeId)?.boot;
    if (named === undefined || named === boot) return;
    const boots = this.#boots.get(nodeId) ?? [];
    if (boots.indexOf(boot) > boots.indexOf(named)) return;
    const found = { nodeId, boots: [named, boot], versions: [before.version, map.version] };
    this.#context.report("the map never goes back to a former life of a node", found, [life]);
  }
}
