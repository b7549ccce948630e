/**
 * What a node does about what gossip says. Gossip suggests: here it wakes groups, offers hints and tells the control
 * plane to look; it decides nothing.
 */
import { formatAddress } from "../base/address.ts";
import { unreachable } from "../base/assert.ts";
import { MAP_RUMOUR } from "../cluster/map-spread.ts";
import type { SwimEvent } from "../swim/output.ts";
import { WireError } from "../wire/wire-error.ts";
import type { ClusterNode } from "./cluster-node.ts";
import { memberSilent } from "./group-quorum.ts";
import type { LeaderGossip } from "./leader-gossip.ts";

type GossipMember = Extract<SwimEvent, { type: "member-died" }>["member"];

export function hearGossip(node: ClusterNode, hints: LeaderGossip, event: SwimEvent): void {
  switch (event.type) {
    case "member-suspected":
    case "member-died":
      node.groups.peerSuspected(event.member.id);
      // Over a link that was idle it can answer for itself.
      if (node.links.isUp(event.member.id)) node.links.ask(event.member.id);
      memberSilent(node);
      hearOfMember(node, event.type, event.member);
      return;
    case "member-joined":
    case "member-refuted":
      hearFrom(node, event.member);
      node.links.heard(event.member.id);
      hearOfMember(node, "member-joined", event.member);
      return;
    case "member-left":
      hearOfMember(node, event.type, event.member);
      return;
    case "member-updated":
      hearFrom(node, event.member);
      node.control.gossipChanged();
      return;
    case "broadcast-received":
      if (event.key === MAP_RUMOUR) node.control.heardOfMap(event.version);
      else hearHint(node, hints, event);
      return;
    case "id-conflict": {
      // Who is the right one is for the map to say; the other one ends when it hears of that.
      const where = event.addresses.map(formatAddress).join(" and at ");
      node.log(
        "warn",
        `node ${event.id} is heard of at ${where}: it has moved, or two processes hold its id`,
      );
      return;
    }
    case "foreign-cluster":
      node.foreignClusterMet(event.from, event.clusterId);
      return;
    case "leave-completed":
      node.farewellSpread = true;
      return;
    case "self-met":
    case "exchange-completed":
      return;
    default:
      unreachable(event);
  }
}

function hearFrom(node: ClusterNode, { id, address, meta }: GossipMember): void {
  node.control.heardFrom(id, address, meta.clusterId);
}

function hearOfMember(
  node: ClusterNode,
  type: "member-joined" | "member-suspected" | "member-died" | "member-left",
  member: GossipMember,
): void {
  node.events.emit({ type, nodeId: member.id, address: member.address });
  node.control.gossipChanged();
}

function hearHint(
  node: ClusterNode,
  hints: LeaderGossip,
  { key, version, payload }: Extract<SwimEvent, { type: "broadcast-received" }>,
): void {
  try {
    if (node.moves.hear(key, version, payload)) return;
    const hint = hints.read(key, version, payload);
    if (hint !== null) node.leaders.learn(hint.group, hint.leader, hint.term);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    node.log("debug", `a gossiped hint was unreadable: ${error.message}`);
  }
}
