/**
 * Several nodes on this machine as one thing that starts and stops: the first founds, the others are given it as seed.
 */
import type { ClusterStatus } from "../../src/index.ts";
import { CommandFailed } from "../command-failed.ts";
import { ClusterHttp } from "../operator/cluster-http.ts";
import { ChildNode } from "./child-node.ts";
import { chooseLocalPorts } from "./local-ports.ts";

const STATUS_TIMEOUT_MS = 2_000;

/** What the node that is started as number `index` is called. */
export function nodeName(index: number): string {
  return `node-${index + 1}`;
}

export class LocalCluster {
  readonly #nodes: ChildNode[] = [];
  #stopping = false;

  /** In the order of their start. */
  get nodes(): readonly ChildNode[] {
    return this.#nodes;
  }

  /** Starts `count` nodes and resolves once each is a member. Rejects with the words of the first that fails. */
  async start(count: number): Promise<void> {
    const ports = await chooseLocalPorts(count);
    let seeds: readonly string[] = [];
    const starting: Promise<unknown>[] = [];
    for (const [index, nodePorts] of ports.entries()) {
      if (this.#stopping) return;
      const node = new ChildNode(nodeName(index), nodePorts, seeds);
      this.#nodes.push(node);
      if (index === 0) seeds = [(await node.ready).cluster];
      else starting.push(node.ready);
    }
    await Promise.all(starting);
  }

  /** What the first node that answers says about the cluster; null when none does. */
  async status(): Promise<ClusterStatus | null> {
    for (const node of this.#nodes) {
      if (node.state !== "ready" || node.addresses === null) continue;
      try {
        return await new ClusterHttp(node.addresses.http).status(STATUS_TIMEOUT_MS);
      } catch (error) {
        if (!(error instanceof CommandFailed)) throw error;
      }
    }
    return null;
  }

  /** Stops every node and resolves once all processes are gone. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#nodes.map((node) => node.stop()));
  }

  /** Ends every process at once; for the very end of this one. */
  kill(): void {
    this.#stopping = true;
    for (const node of this.#nodes) node.kill();
  }
}
