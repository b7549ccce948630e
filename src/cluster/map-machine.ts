/**
 * The state machine of the system group: applies map commands in log order, on every voter alike.
 * It checks what must hold of any map and knows nothing of why a command was proposed.
 */
import { sameAddress } from "../base/address.ts";
import { unreachable } from "../base/assert.ts";
import type { NodeId } from "../base/ids.ts";
import {
  MEMBERS_MAX,
  REMOVED_MEMBERS_MAX,
  REPLICATION_FACTOR_MAX,
  SYSTEM_VOTERS_MAX,
} from "../base/limits.ts";
import {
  type ClusterMap,
  findMember,
  isWantedAnywhere,
  type MapMember,
  type MemberIdentity,
  type ShardPlacement,
  sameNodes,
} from "./cluster-map.ts";
import type {
  AddMember,
  MapCommand,
  MapRefusal,
  MapResult,
  RemoveLost,
  RemoveMember,
  SetMemberState,
  SetPlacement,
  SetSettings,
  UpdateMember,
} from "./map-command.ts";

export type { MapResult } from "./map-command.ts";

/** Further than any version the lost members may have reached by themselves. */
export const RECOVERY_VERSION_STEP = 1 << 20;

/** What one command makes of the map: the next map (the same object when nothing changes), or a refusal. */
type Outcome = ClusterMap | Extract<MapResult, { type: "refused" }>;

/** Holds the latest map. Maps handed out are never changed afterwards. */
export class MapMachine {
  #map: ClusterMap | null;
  /** Called after every change, also after a restore. */
  onChange: ((map: ClusterMap) => void) | null = null;

  /** `initial` is the founding map; null for a replica that a leader's snapshot will fill. */
  constructor(initial: ClusterMap | null) {
    this.#map = initial;
  }

  /** null until the replica has been filled. */
  get map(): ClusterMap | null {
    return this.#map;
  }

  apply(command: MapCommand): MapResult {
    const before = this.#map;
    if (before === null) return refused("no-map", "this replica holds no cluster map yet");
    const outcome = applyMapCommand(before, command);
    if ("type" in outcome) return outcome;
    if (outcome !== before) {
      this.#map = outcome;
      this.onChange?.(outcome);
    }
    return { type: "applied", version: outcome.version };
  }

  /** The whole state as one value; null before there is any. */
  snapshot(): ClusterMap | null {
    return this.#map;
  }

  /** Replaces the whole state. */
  restore(map: ClusterMap): void {
    this.#map = map;
    this.onChange?.(map);
  }
}

/** One command on one map, as a pure function. The version rises by one exactly when something changed. */
export function applyMapCommand(map: ClusterMap, command: MapCommand): Outcome {
  switch (command.type) {
    case "add-member":
      return addMember(map, command);
    case "update-member":
      return updateMember(map, command);
    case "set-member-state":
      return setMemberState(map, command);
    case "remove-member":
      return removeMember(map, command);
    case "set-placement":
      return setPlacement(map, command);
    case "set-settings":
      return setSettings(map, command);
    case "remove-lost":
      return removeLost(map, command);
    default:
      return unreachable(command);
  }
}

function addMember(map: ClusterMap, { member, formerBoots }: AddMember): Outcome {
  const { nodeId, boot, address } = member;
  if (map.removed.includes(nodeId)) {
    return refused("removed", `node ${nodeId} was removed from this cluster; rejoin under a new id`);
  }
  const existing = findMember(map, nodeId);
  if (existing?.boot === boot) return map;
  if (existing !== null && !formerBoots.includes(existing.boot)) {
    return refused("id-in-use", `node id ${nodeId} is held by process ${existing.boot}`);
  }
  if (existing === null && map.members.length >= MEMBERS_MAX) {
    return refused("too-many-members", `a cluster has at most ${MEMBERS_MAX} members`);
  }
  const version = map.version + 1;
  const joinedAtVersion = existing?.joinedAtVersion ?? version;
  const members = map.members
    .filter((other) => other !== existing)
    .map((other) => (sameAddress(other.address, address) ? withState(other, "dead") : other));
  members.push({ ...member, state: "alive", joinedAtVersion });
  return { ...map, version, members: members.sort(byNodeId) };
}

function updateMember(map: ClusterMap, { member }: UpdateMember): Outcome {
  const existing = findMember(map, member.nodeId);
  if (existing === null) return unknownMember(member.nodeId);
  if (existing.boot !== member.boot) return staleBoot(existing);
  if (sameIdentity(existing, member)) return map;
  const { state, joinedAtVersion } = existing;
  return replaceMember(map, existing, { ...member, state, joinedAtVersion });
}

function setMemberState(map: ClusterMap, { nodeId, boot, state }: SetMemberState): Outcome {
  const existing = findMember(map, nodeId);
  if (existing === null) return unknownMember(nodeId);
  if (existing.boot !== boot) return staleBoot(existing);
  return replaceMember(map, existing, withState(existing, state));
}

function removeMember(map: ClusterMap, { nodeId }: RemoveMember): Outcome {
  const existing = findMember(map, nodeId);
  if (existing === null) return map;
  if (existing.state === "alive") return refused("still-alive", `node ${nodeId} is alive: drain it first`);
  if (isWantedAnywhere(map, nodeId))
    return refused("still-wanted", `node ${nodeId} still has replicas to hold`);
  return {
    ...map,
    version: map.version + 1,
    members: map.members.filter((member) => member !== existing),
    removed: [...map.removed, nodeId].slice(-REMOVED_MEMBERS_MAX),
  };
}

function setPlacement(map: ClusterMap, command: SetPlacement): Outcome {
  const members = new Set(map.members.map(({ nodeId }) => nodeId));
  const { systemVoters } = command;
  if (systemVoters !== null && !validNodes(systemVoters, SYSTEM_VOTERS_MAX, members)) {
    return refused("bad-placement", `the system group cannot have the voters [${systemVoters.join(" ")}]`);
  }
  let shards: ShardPlacement[] | null = null;
  for (const { shard, wanted } of command.shards) {
    const placement = map.shards[shard];
    if (placement === undefined || !validNodes(wanted, REPLICATION_FACTOR_MAX, members)) {
      return refused("bad-placement", `shard ${shard} cannot have the replicas [${wanted.join(" ")}]`);
    }
    if (sameNodes(placement.wanted, wanted)) continue;
    shards ??= [...map.shards];
    shards[shard] = { founding: placement.founding, wanted };
  }
  const votersChange = systemVoters !== null && !sameNodes(systemVoters, map.systemVoters);
  if (shards === null && !votersChange) return map;
  const version = map.version + 1;
  return {
    ...map,
    version,
    placementVersion: version,
    shards: shards ?? map.shards,
    systemVoters: votersChange ? systemVoters : map.systemVoters,
  };
}

/** Said twice it is done once: with all of them gone already nothing changes. */
function removeLost(map: ClusterMap, { lost, shards, systemVoters }: RemoveLost): Outcome {
  const gone = new Set(lost.filter((node) => findMember(map, node) !== null));
  if (gone.size === 0) return map;
  const members = map.members.filter(({ nodeId }) => !gone.has(nodeId));
  const left = new Set(members.map(({ nodeId }) => nodeId));
  const named = new Map(shards.map(({ shard, wanted }) => [shard as number, wanted]));
  const placements = map.shards.map(({ founding, wanted }, shard): ShardPlacement => {
    const staying = wanted.filter((node) => !gone.has(node));
    return { founding, wanted: staying.length > 0 ? staying : (named.get(shard) ?? []) };
  });
  const bad = placements.findIndex(({ wanted }) => !validNodes(wanted, REPLICATION_FACTOR_MAX, left));
  if (bad >= 0) return refused("bad-placement", `shard ${bad} would have no replica left`);
  if (!validNodes(systemVoters, SYSTEM_VOTERS_MAX, left)) {
    return refused("bad-placement", `the system group cannot have the voters [${systemVoters.join(" ")}]`);
  }
  const version = map.version + RECOVERY_VERSION_STEP;
  return {
    ...map,
    version,
    placementVersion: version,
    members,
    removed: [...map.removed, ...gone].slice(-REMOVED_MEMBERS_MAX),
    shards: placements,
    systemVoters,
  };
}

function setSettings(map: ClusterMap, { settings }: SetSettings): Outcome {
  if (settings.rebalancePaused === map.settings.rebalancePaused) return map;
  return { ...map, version: map.version + 1, settings };
}

function replaceMember(map: ClusterMap, before: MapMember, after: MapMember): ClusterMap {
  if (before === after) return map;
  const members = map.members.map((member) => (member === before ? after : member));
  return { ...map, version: map.version + 1, members };
}

function withState(member: MapMember, state: MapMember["state"]): MapMember {
  return member.state === state ? member : { ...member, state };
}

function sameIdentity(left: MemberIdentity, right: MemberIdentity): boolean {
  return (
    sameAddress(left.address, right.address) &&
    left.name === right.name &&
    left.zone === right.zone &&
    left.weight === right.weight &&
    left.respPort === right.respPort &&
    left.httpPort === right.httpPort
  );
}

function validNodes(nodes: readonly NodeId[], countMax: number, members: ReadonlySet<NodeId>): boolean {
  return (
    nodes.length >= 1 &&
    nodes.length <= countMax &&
    new Set(nodes).size === nodes.length &&
    nodes.every((node) => members.has(node))
  );
}

function byNodeId(left: MapMember, right: MapMember): number {
  return left.nodeId < right.nodeId ? -1 : 1;
}

function unknownMember(node: NodeId): Outcome {
  return refused("unknown-member", `node ${node} is no member`);
}

function staleBoot(member: MapMember): Outcome {
  return refused("stale-boot", `node ${member.nodeId} runs as process ${member.boot} now`);
}

function refused(reason: MapRefusal, message: string): Extract<MapResult, { type: "refused" }> {
  return { type: "refused", reason, message };
}
