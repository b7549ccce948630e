/**
 * What the benchmark needs of a cluster, whoever's it is.
 */
import type { WorkerProcess } from "../worker-process.ts";

export type ClusterKind =
  | "crema"
  | "crema-durable"
  | "etcd"
  | "redis"
  | "redis-durable"
  | "bare"
  | "bare-durable"
  | "bare-one"
  | "embedded-one"
  | "embedded-three"
  | "map";

export interface Cluster {
  /** Where clients connect: of every node, or of the primary. Empty when the load runs inside. */
  readonly ports: readonly number[];
  /** Server processes, except the one of `inside`. */
  readonly pids: readonly number[];
  /** The process that does the jobs; null: a load process of its own does. */
  readonly inside: WorkerProcess | null;
  /** Throws when a server has ended. */
  expectRunning(): void;
  /** Ends all processes and removes their data. */
  close(): Promise<void>;
}
