/**
 * What gossip proves of the members: who is dead, who is back, who has moved. Every verdict names the process it is
 * about, so that it never hits the successor of a process at the same id.
 */
import { sameAddress } from "../base/address.ts";
import { unreachable } from "../base/assert.ts";
import type { MapMember } from "./cluster-map.ts";
import type { ControlSituation, GossipView } from "./controller.ts";
import type { MapCommand } from "./map-command.ts";

/** Most verdicts at a time; the rest follow on the map these make. */
const VERDICTS_MAX = 64;
/**
 * A member that gossip has never heard of, times the grace: after a restart of the whole cluster nobody remembers the
 * death of a node that does not come back, and many that do are late.
 */
const UNKNOWN_GRACES = 6;

export function memberVerdicts(situation: ControlSituation, deadGraceMs: number): readonly MapCommand[] {
  const { map, self, gossip, membersChangedAtMs, nowMs } = situation;
  const verdicts: MapCommand[] = [];
  for (const member of map.members) {
    if (verdicts.length === VERDICTS_MAX) break;
    const view = gossip.get(member.nodeId);
    if (view === undefined) {
      const silentMs = nowMs - membersChangedAtMs;
      if (member.nodeId !== self && silentMs >= deadGraceMs * UNKNOWN_GRACES)
        verdicts.push(...declare(member, "dead"));
    } else if (view.boot === member.boot) {
      verdicts.push(...verdictOn(member, view, nowMs - view.sinceMs, deadGraceMs));
    } else if (view.state === "dead" || view.state === "left") {
      // The last process of this id died before it told the map of itself. Or the map knows a newer one than gossip, which
      // then hears of it within the grace.
      const forMs = Math.min(nowMs - view.sinceMs, nowMs - membersChangedAtMs);
      if (forMs >= deadGraceMs) verdicts.push(...declare(member, "dead"));
    }
    // Another living process: a successor, who will announce itself.
  }
  return verdicts;
}

function verdictOn(
  member: MapMember,
  view: GossipView,
  forMs: number,
  deadGraceMs: number,
): readonly MapCommand[] {
  switch (view.state) {
    case "left":
      return declare(member, "dead");
    case "dead":
      return forMs >= deadGraceMs ? declare(member, "dead") : [];
    case "suspect":
      return [];
    case "alive":
      if (member.state === "dead") return declare(member, "alive");
      if (sameAddress(member.address, view.address)) return [];
      return [{ type: "update-member", member: identityAt(member, view) }];
    default:
      return unreachable(view.state);
  }
}

function declare(member: MapMember, state: "alive" | "dead"): readonly MapCommand[] {
  const { nodeId, boot } = member;
  return member.state === state ? [] : [{ type: "set-member-state", nodeId, boot, state }];
}

function identityAt(member: MapMember, { address }: GossipView) {
  const { nodeId, boot, name, zone, weight, respPort, httpPort } = member;
  return { nodeId, boot, address, name, zone, weight, respPort, httpPort };
}
