/**
 * The members as the planner of moves needs them: looked up by id, the map's word joined with that of gossip.
 */
import type { NodeId } from "../base/ids.ts";
import type { MapMember } from "./cluster-map.ts";
import type { ControlSituation } from "./controller.ts";

export class MemberFacts {
  readonly #members: ReadonlyMap<NodeId, MapMember>;
  readonly #gossip: ControlSituation["gossip"];

  constructor({ map, gossip }: Pick<ControlSituation, "map" | "gossip">) {
    this.#members = new Map(map.members.map((member) => [member.nodeId, member]));
    this.#gossip = gossip;
  }

  /** May hold replicas for good: alive by the map. */
  isAlive(node: NodeId): boolean {
    return this.#members.get(node)?.state === "alive";
  }

  isDraining(node: NodeId): boolean {
    return this.#members.get(node)?.state === "draining";
  }

  /** Dead by the map, or no member at all. */
  isDead(node: NodeId): boolean {
    return !this.isAlive(node) && !this.isDraining(node);
  }

  /** Can vote now, as far as anybody knows: quicker than the map, which waits for the grace. */
  isLive(node: NodeId): boolean {
    const state = this.#gossip.get(node)?.state;
    return !this.isDead(node) && state !== "dead" && state !== "left";
  }

  hasLiveMajority(voters: readonly NodeId[]): boolean {
    let live = 0;
    for (const voter of voters) if (this.isLive(voter)) live++;
    return live * 2 > voters.length;
  }

  zoneOf(node: NodeId): string {
    return this.#members.get(node)?.zone ?? "";
  }
}
