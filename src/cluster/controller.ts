/**
 * What the leader of the system group should commit next, given what gossip says of the nodes and the leaders of the groups
 * of their replicas. Pure: it remembers nothing, so a new leader goes on where the old one stopped.
 *
 * Gossip suggests, the map decides: nothing here changes who votes. It only changes what is wanted; the leaders of the
 * groups bring it about (`shard-steps.ts`) and report how far they are.
 */
import type { Address } from "../base/address.ts";
import {
  type BootNonce,
  type GroupId,
  groupOfShard,
  type NodeId,
  SYSTEM_GROUP,
  shardId,
} from "../base/ids.ts";
import { type ClusterMap, isWantedAnywhere } from "./cluster-map.ts";
import type { GroupReport } from "./group-report.ts";
import type { MapCommand, RemoveMember } from "./map-command.ts";
import { memberVerdicts } from "./member-verdicts.ts";
import { planPlacement } from "./placement-moves.ts";

/** What gossip holds of one node. */
export interface GossipView {
  /** `left`: its process ended gracefully. */
  readonly state: "alive" | "suspect" | "dead" | "left";
  /** When it entered that state, by this node's clock. */
  readonly sinceMs: number;
  readonly boot: BootNonce;
  readonly address: Address;
}

export interface ControlSituation {
  readonly map: ClusterMap;
  /** The leader of the system group. */
  readonly self: NodeId;
  /** Self included. */
  readonly gossip: ReadonlyMap<NodeId, GossipView>;
  /** The newest of each group's leaders; may be missing. Includes the system group. */
  readonly reports: ReadonlyMap<GroupId, GroupReport>;
  /** When the members of the map, their processes or their states last changed; for a new leader, when it began to lead. */
  readonly membersChangedAtMs: number;
  readonly nowMs: number;
}

export interface ControlOptions {
  /**
   * How long gossip must have held a member dead before it is replaced. Default 10,000: longer than most restarts and
   * network hiccups, as copying all its replicas costs more than a while with one less.
   */
  readonly deadGraceMs: number;
  /** Placement waits until members have not changed for so long, so that nodes which start together are planned together. Default 200. */
  readonly debounceMs: number;
  /**
   * Shards whose replicas move at the same time. Default 16: a fresh cluster of the default size grows in one go, and a larger
   * one copies on a few streams per node rather than on hundreds.
   */
  readonly movesMax: number;
}

export const DEFAULT_CONTROL_OPTIONS: ControlOptions = Object.freeze({
  deadGraceMs: 10_000,
  debounceMs: 200,
  movesMax: 16,
});

/**
 * The commands to propose, in order; empty when content. Ask again when the map, gossip or a report changed, and now
 * and then in between, for time passes. Verdicts come alone: what follows from them is planned on the map they make.
 */
export function planControl(situation: ControlSituation, options: ControlOptions): readonly MapCommand[] {
  const verdicts = memberVerdicts(situation, options.deadGraceMs);
  if (verdicts.length > 0) return verdicts;
  const commands: MapCommand[] = [];
  if (situation.nowMs - situation.membersChangedAtMs >= options.debounceMs) {
    const placement = planPlacement(situation, options.movesMax);
    if (placement !== null) commands.push(placement);
  }
  commands.push(...removals(situation));
  return commands;
}

/**
 * Members that are dead or draining and of whom no trace is left: neither wanted anywhere nor part of any group. A leader that
 * spoke before it knew that they are not wanted any more proves nothing: it may have made them voters since, and would be
 * left with voters that are gone.
 */
function removals({ map, reports }: ControlSituation): readonly RemoveMember[] {
  const leaving = map.members.filter(
    ({ nodeId, state }) => state !== "alive" && !isWantedAnywhere(map, nodeId),
  );
  if (leaving.length === 0) return [];
  const named = new Set<NodeId>();
  for (let shard = -1; shard < map.shardCount; shard++) {
    const report = reports.get(shard < 0 ? SYSTEM_GROUP : groupOfShard(shardId(shard)));
    if (report === undefined || report.mapVersion < map.placementVersion) return [];
    for (const nodes of [report.voters, report.votersOutgoing, report.learners]) {
      for (const node of nodes) named.add(node);
    }
  }
  return leaving
    .filter(({ nodeId }) => !named.has(nodeId))
    .map(({ nodeId }): RemoveMember => ({ type: "remove-member", nodeId }));
}
