/**
 * What the doors (RESP, HTTP) need of a node, without promises on the way of a request.
 */
import type { Address } from "../base/address.ts";
import type { CremaError } from "../base/errors.ts";
import type { ClusterId, GroupId, NodeId, ShardId } from "../base/ids.ts";
import type { Command } from "../cache/command.ts";
import type { Query } from "../cache/query.ts";
import type { Reply } from "../cache/reply.ts";
import type { RebalanceProgress } from "../cluster/rebalance-progress.ts";
import type { RecoveryPlan } from "../cluster/recovery-plan.ts";
import type { AbortSignalLike } from "./promised-reply.ts";

/** Where one answer goes. Exactly one of the two is called, exactly once, possibly before the request call returns. */
export interface ReplySink {
  reply(value: Reply): void;
  fail(error: CremaError): void;
}

/** `linearizable`: never stale. `local`: this node's replica, else the nearest one; may be stale, never uncommitted. */
export type Consistency = "linearizable" | "local";

/**
 * Order: the requests of one node to one shard are decided in the order they were asked, across retries and changes of
 * leaders too. A linearizable read sees every write that was asked before it, answered or not; it may also see later
 * ones, so whoever promises more (a pipeline on one connection) holds a write back until the reads before it are answered.
 */
export interface RequestDoor {
  readonly shardCount: number;
  /** The shard of `key` (a binary string), honouring {hash tags}. */
  shardOf(key: string): ShardId;
  /** Applies `command` exactly once on `shard`, wherever its leader is. `timeoutMs` covers every hop and retry. */
  write(shard: ShardId, command: Command, timeoutMs: number, sink: ReplySink): void;
  read(shard: ShardId, query: Query, consistency: Consistency, timeoutMs: number, sink: ReplySink): void;
  /** Wall-clock milliseconds, for absolute expiry times. */
  wallMs(): number;
  /** An integer 0 .. 2^32-1 for RANDOMKEY and the like. */
  randomU32(): number;
}

/** The door for a program in the same process, which can be answered within its call. */
export interface EmbeddedDoor extends RequestDoor {
  /**
   * What a `local` read of `shard` would be answered by this node's replica, now; undefined when there is none that was ever filled, so
   * that `read` has to ask another node. Throws what `read` fails with at once, and counts as it does, except for undefined.
   */
  readHere(shard: ShardId, query: Query): Reply | undefined;
}

export type { RecoveryPlan, RecoveryStep } from "../cluster/recovery-plan.ts";

export type MemberState = "joining" | "alive" | "suspect" | "dead" | "draining" | "left";

export interface MemberStatus {
  readonly nodeId: NodeId;
  readonly name: string;
  readonly state: MemberState;
  readonly zone: string;
  readonly weight: number;
  /** host:port of the cluster address. */
  readonly address: string;
  /** 0 when the door is closed. */
  readonly respPort: number;
  readonly httpPort: number;
  readonly self: boolean;
}

export interface GroupStatus {
  readonly leader: NodeId | null;
  readonly term: number;
  readonly commitIndex: number;
  readonly applyIndex: number;
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
  readonly joint: boolean;
  /** The replicas that the cluster map wants. */
  readonly wanted: readonly NodeId[];
}

export interface ShardStatus extends GroupStatus {
  readonly shard: ShardId;
}

/** The whole cluster as far as this node could find out within a second. */
export interface ClusterStatus {
  readonly nodeId: NodeId;
  readonly clusterId: ClusterId | null;
  readonly mapVersion: number;
  readonly shardCount: number;
  readonly replicationFactor: number;
  readonly members: readonly MemberStatus[];
  readonly system: GroupStatus;
  readonly shards: readonly ShardStatus[];
}

/** Whether replicas move for the sake of balance, and how far they are. Any node answers for the whole cluster. */
export interface RebalanceStatus extends RebalanceProgress {
  /** Who answers. */
  readonly nodeId: NodeId;
  /** Shards that may move at once; null when the leader of the system group does not say. */
  readonly movesMax: number | null;
}

/** Counters and gauges of one node, read when somebody asks. Every one moves. */
export interface NodeMetrics {
  readonly counters: Readonly<Record<string, number>>;
  readonly gauges: Readonly<Record<string, number>>;
}

export type NodeEvent =
  | {
      readonly type: "member-joined" | "member-suspected" | "member-died" | "member-left";
      readonly nodeId: NodeId;
      readonly address: Address;
    }
  | {
      readonly type: "leader-changed";
      readonly group: GroupId;
      readonly leader: NodeId | null;
      readonly term: number;
    }
  | {
      readonly type: "configuration-changed";
      readonly group: GroupId;
      readonly voters: readonly NodeId[];
      readonly votersOutgoing: readonly NodeId[];
      readonly learners: readonly NodeId[];
    }
  | { readonly type: "map-changed"; readonly version: number }
  /** The voters of a shard have changed from one stable set to another: told once, on every node. */
  | {
      readonly type: "shard-moved";
      readonly shard: ShardId;
      readonly from: readonly NodeId[];
      readonly to: readonly NodeId[];
    }
  | { readonly type: "founded" | "joined"; readonly clusterId: ClusterId }
  /** A new, empty cluster was founded by nodes that were given seeds: where somebody may expect an older one with data. */
  | { readonly type: "cold-start"; readonly clusterId: ClusterId }
  | { readonly type: "seed-unreachable" | "seed-reachable"; readonly seed: Address; readonly reason: string }
  | { readonly type: "cluster-conflict"; readonly address: Address; readonly clusterId: ClusterId }
  /** This node holds as much as it may; or again much less. Both over all its replicas. */
  | {
      readonly type: "capacity-reached" | "capacity-left";
      readonly bytes: number;
      readonly entries: number;
    }
  /** The disk is full or nearly so, confirms nothing, or does again what it should (`reason`, for people). */
  | { readonly type: "disk-full" | "disk-stalled" | "disk-recovered"; readonly reason: string }
  /** What the store had kept of a group was damaged: a leader fills it again. */
  | { readonly type: "store-damaged"; readonly group: GroupId; readonly reason: string }
  | {
      readonly type: "checkpoint-taken";
      readonly group: GroupId;
      readonly index: number;
      readonly bytes: number;
      readonly durationMs: number;
    }
  | { readonly type: "leaving" | "stopping" | "ready" | "not-ready" };

/** Where the bytes of a shard's backup go. */
export interface BackupSink {
  /** `chunk` is valid during the call only. A promise delays what comes next; a throw or rejection ends the backup. */
  write(chunk: Uint8Array): void | Promise<void>;
}

/** What the operator's doors (HTTP, CLI) need beyond requests. */
export interface AdminDoor {
  readonly nodeId: NodeId;
  /** null until the node belongs to a cluster. */
  readonly clusterId: ClusterId | null;
  /** Why the node is not ready to serve, for people; null when it is. */
  notReadyReason(): string | null;
  /** Why stopping this node now would put some group below full tolerance; null when it is safe. */
  unsafeToStopReason(): Promise<string | null>;
  clusterStatus(): Promise<ClusterStatus>;
  metrics(): NodeMetrics;
  /** Calls `listener` for every event from now on; returns how to stop. */
  onEvent(listener: (event: NodeEvent) => void): () => void;
  join(seeds: readonly Address[]): Promise<void>;
  /** Drains `node`; resolves when the cluster map no longer lists it. Of this one (null): when the map says that it leaves. */
  leave(node: NodeId | null): Promise<void>;
  /** What {@link recover} would do now. */
  recoveryPlan(): Promise<RecoveryPlan>;
  /** Lets groups that lost their majority for good go on with what is left. @see Recovery.run */
  recover(lost: readonly NodeId[]): Promise<RecoveryPlan>;
  /** Writes the section of one shard, as `wire/backup-codec.ts` describes it. @see Backups.send */
  backupShard(shard: ShardId, sink: BackupSink, signal: AbortSignalLike): Promise<void>;
  /**
   * Stops or resumes moving replicas for the sake of balance; resolves once it is committed. What has begun is finished, and what
   * died is replaced all the same.
   */
  setRebalancePaused(paused: boolean): Promise<void>;
  rebalanceStatus(): Promise<RebalanceStatus>;
}
