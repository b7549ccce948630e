/**
 * One life of one node in a simulated world: a machine starts a process, the process runs a node, and both end. A machine
 * that comes back begins a new life, under a new id when it has no disk and under the old one when it has.
 */
import type { Address } from "../base/address.ts";
import type { ClusterNode } from "../node/cluster-node.ts";
import type { VirtualProcess } from "./virtual-process.ts";

export interface Life {
  /** `m3` in its first life, `m3#2` in its second. */
  readonly name: string;
  /** 1, 2, 3, ... */
  readonly machine: number;
  readonly address: Address;
  readonly process: VirtualProcess;
  readonly node: ClusterNode;
}
