/**
 * Everything that can change the cluster map. Applied deterministically by every voter of the system group.
 */
import type { BootNonce, NodeId, ShardId } from "../base/ids.ts";
import type { ClusterSettings, MapMemberState, MemberIdentity } from "./cluster-map.ts";

/**
 * Idempotent by node id and boot nonce. Another member at the same address is thereby proved dead (its process was
 * replaced) and marked so. A known id with a new nonce is accepted when `formerBoots` names the process that holds it: its
 * restart. Lives follow each other in one line, so what a former life has said of itself and comes late is refused.
 */
export interface AddMember {
  readonly type: "add-member";
  readonly member: MemberIdentity;
  /** The earlier lives of this id, as far as it remembers; empty for one that has none. */
  readonly formerBoots: readonly BootNonce[];
}

/** Address, ports, name, zone or weight of a member changed; id and boot nonce must match. */
export interface UpdateMember {
  readonly type: "update-member";
  readonly member: MemberIdentity;
}

/** `boot` says which process is meant, so that a verdict on an old one never hits its successor. */
export interface SetMemberState {
  readonly type: "set-member-state";
  readonly nodeId: NodeId;
  readonly boot: BootNonce;
  readonly state: MapMemberState;
}

/** Refused while the member is alive, or while some shard or the system group still wants it. */
export interface RemoveMember {
  readonly type: "remove-member";
  readonly nodeId: NodeId;
}

export interface WantedReplicas {
  readonly shard: ShardId;
  /** Preferred leader first. */
  readonly wanted: readonly NodeId[];
}

export interface SetPlacement {
  readonly type: "set-placement";
  readonly shards: readonly WantedReplicas[];
  /** null: unchanged. */
  readonly systemVoters: readonly NodeId[] | null;
}

export interface SetSettings {
  readonly type: "set-settings";
  readonly settings: ClusterSettings;
}

/**
 * Removes members at once that are lost for good, although groups count on them: their ids are refused from here on. `shards` says
 * where the shards should be of which no wanted replica is left. Takes the version so far ahead that no map of theirs
 * reaches it. Refused when nobody would be left. @see recovery.ts
 */
export interface RemoveLost {
  readonly type: "remove-lost";
  readonly lost: readonly NodeId[];
  readonly shards: readonly WantedReplicas[];
  /** Not empty. */
  readonly systemVoters: readonly NodeId[];
}

export type MapCommand =
  | AddMember
  | UpdateMember
  | SetMemberState
  | RemoveMember
  | SetPlacement
  | SetSettings
  | RemoveLost;

/** Why a command was refused, for programs. */
export type MapRefusal =
  | "no-map"
  | "removed"
  | "id-in-use"
  | "too-many-members"
  | "unknown-member"
  | "stale-boot"
  | "still-alive"
  | "still-wanted"
  | "bad-placement";

export type MapResult =
  /** The map has this version now, whether or not the command changed anything. */
  | { readonly type: "applied"; readonly version: number }
  | { readonly type: "refused"; readonly reason: MapRefusal; readonly message: string };
