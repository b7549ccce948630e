/**
 * How a node keeps things on its disk.
 */
import type { FsyncPolicy } from "../base/fsync-policy.ts";

export interface DiskOptions {
  readonly fsync: FsyncPolicy;
  /** Checkpoints kept of every group, with the log behind the oldest. 1 .. 10 */
  readonly checkpointsKept: number;
  /** With less free space than this the node hands over what it leads and takes no commands. 0: not before it is full. */
  readonly minFreeDiskBytes: number;
}

export const DEFAULT_DISK_OPTIONS: DiskOptions = Object.freeze({
  fsync: Object.freeze({ type: "always" }),
  checkpointsKept: 2,
  minFreeDiskBytes: 64 * 1024 * 1024,
});
