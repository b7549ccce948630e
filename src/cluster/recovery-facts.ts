/**
 * What a node tells whoever plans a recovery: which members it hears, and how far the logs of its replicas reach.
 */
import { type GroupId, groupId, isHex64, type NodeId, nodeId, SHARDS_MAX } from "../base/ids.ts";
import { MEMBERS_MAX } from "../base/limits.ts";
import type { RaftGroup } from "../host/raft-group.ts";
import { WireError } from "../wire/wire-error.ts";

/** One replica, as voters compare them. */
export interface ReplicaFacts {
  readonly group: GroupId;
  readonly leads: boolean;
  readonly lastIndex: number;
  readonly lastTerm: number;
  readonly voters: readonly NodeId[];
  readonly votersOutgoing: readonly NodeId[];
}

export interface RecoveryFacts {
  readonly mapVersion: number;
  /** Members that its gossip holds alive, or merely suspects. */
  readonly hears: readonly NodeId[];
  readonly replicas: readonly ReplicaFacts[];
}

export function replicaFacts(group: RaftGroup<unknown>): ReplicaFacts {
  const { lastIndex, lastTerm, configuration } = group.raft.status();
  const { voters, votersOutgoing } = configuration;
  return { group: group.id, leads: group.isLeader, lastIndex, lastTerm, voters, votersOutgoing };
}

export function encodeFacts({ mapVersion, hears, replicas }: RecoveryFacts): unknown {
  const rows = replicas.map(({ group, leads, lastIndex, lastTerm, voters, votersOutgoing }) => [
    group,
    leads,
    lastIndex,
    lastTerm,
    voters,
    votersOutgoing,
  ]);
  return [mapVersion, hears, rows];
}

/** Reads what {@link encodeFacts} made. Throws `WireError`: it came from another node. */
export function decodeFacts(value: unknown): RecoveryFacts {
  const [mapVersion, hears, rows] = tuple(value, 3);
  if (!Array.isArray(rows) || rows.length > SHARDS_MAX + 1)
    throw new WireError("recovery facts hold no such list of replicas", 0);
  return { mapVersion: natural(mapVersion), hears: nodes(hears), replicas: rows.map(decodeReplica) };
}

function decodeReplica(row: unknown): ReplicaFacts {
  const [group, leads, lastIndex, lastTerm, voters, votersOutgoing] = tuple(row, 6);
  return {
    group: groupId(natural(group, SHARDS_MAX)),
    leads: leads === true,
    lastIndex: natural(lastIndex),
    lastTerm: natural(lastTerm),
    voters: nodes(voters),
    votersOutgoing: nodes(votersOutgoing),
  };
}

function tuple(value: unknown, length: number): readonly unknown[] {
  if (Array.isArray(value) && value.length === length) return value;
  throw new WireError(`recovery facts hold no list of ${length}`, 0);
}

function natural(value: unknown, most = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= most) return value;
  throw new WireError("recovery facts hold no such number", 0);
}

function nodes(value: unknown): readonly NodeId[] {
  if (!Array.isArray(value) || value.length > MEMBERS_MAX)
    throw new WireError("recovery facts hold no such list of nodes", 0);
  return value.map((each) => {
    if (typeof each === "string" && isHex64(each)) return nodeId(each);
    throw new WireError("recovery facts hold no such node id", 0);
  });
}
