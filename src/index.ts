/**
 * The front door of the package: what a program may use. Everything else may change without notice.
 */
export type { Address } from "./base/address.ts";
export { formatAddress, parseAddress } from "./base/address.ts";
export { CremaError, type CremaErrorCode } from "./base/errors.ts";
export { parseFsync } from "./base/fsync-policy.ts";
export type { ClusterId, NodeId, ShardId } from "./base/ids.ts";
export type {
  GroupMove,
  MovePhase,
  MoveState,
  NodeShare,
  RebalanceProgress,
} from "./cluster/rebalance-progress.ts";
export type { CacheStats, CacheValue, CallOptions, PutOptions, Versioned } from "./node/cache-api.ts";
export type {
  ClusterStatus,
  GroupStatus,
  MemberState,
  MemberStatus,
  NodeEvent,
  NodeMetrics,
  RebalanceStatus,
  RecoveryPlan,
  RecoveryStep,
  ShardStatus,
} from "./node/door.ts";
export { describeEvent } from "./node/event-text.ts";
export {
  DEFAULT_CLUSTER_PORT,
  DEFAULT_HTTP_PORT,
  DEFAULT_NODE_OPTIONS,
  DEFAULT_RESP_PORT,
  IDLE_TTL_MS_MAX,
  IDLE_TTL_MS_MIN,
  MEMORY_BYTES_MIN,
  type NodeOptions,
} from "./node/options.ts";
export type { WatchChange } from "./node/watch-queue.ts";
export type { WatchOptions } from "./node/watches.ts";
export { CremaNode, type OpenHooks } from "./open-node.ts";
