/**
 * The words of a node that the doors use, in one place: the request and admin doors, what can be asked of a shard
 * and what comes back. The rest of this room imports them from here, so that what it depends on is plain to see.
 */
export { type Command, KEEP_TTL, NO_TTL } from "../cache/command.ts";
export type { Query } from "../cache/query.ts";
export { Fault, type FaultCode, type Reply } from "../cache/reply.ts";
export type {
  AdminDoor,
  BackupSink,
  ClusterStatus,
  Consistency,
  NodeEvent,
  NodeMetrics,
  RebalanceStatus,
  ReplySink,
  RequestDoor,
} from "../node/door.ts";
