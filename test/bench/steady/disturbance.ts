/**
 * Something that a cluster does beside its reads, and that must not make them slow.
 */
import type { CremaCluster } from "../clusters/crema.ts";
import type { Data } from "../job.ts";

/** How much of each thing has happened since the cluster began. While the disturbance runs, all of it grows. */
export type Evidence = Readonly<Record<string, number>>;

export interface DisturbanceKind {
  readonly name: string;
  /** Whether its cluster keeps its data on disk. */
  readonly durable: boolean;
  /** Of every node. */
  readonly flags: Readonly<Record<string, string>>;
  /** What is stored before; reads are for some of it. */
  readonly data: Data;
  /** For a settled cluster of three nodes in which the data are stored. */
  create(cluster: CremaCluster): Promise<Disturbance>;
}

export interface Disturbance {
  /** Processes that it needs beside those of the cluster and that live now. */
  readonly pids: readonly number[];
  evidence(): Promise<Evidence>;
  /** Resolves when it can run; what lasts is under way then. */
  prepare(): Promise<void>;
  /** Runs for so many seconds, or until it is over by itself. */
  run(seconds: number): Promise<void>;
  /** Ends it; resolves when the cluster is at rest. */
  settle(): Promise<void>;
  /** Ends its processes. */
  close(): Promise<void>;
}
