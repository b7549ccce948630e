/**
 * Clusters of real processes for tests. Whatever a test starts here is gone when the test ends, however it ends.
 */
import { onTestFailed, onTestFinished } from "vitest";
import type { ClusterStatus } from "../../src/index.ts";
import { NodeProcess } from "./node-process.ts";
import { waitUntil } from "./wait-until.ts";

export { freePorts } from "../support/free-ports.ts";

export class TestCluster {
  readonly nodes: NodeProcess[] = [];

  /** Call inside a test: the cluster stops with it, and shows its last words when the test fails. */
  constructor() {
    onTestFinished(() => this.#stop());
    onTestFailed(() => {
      process.stderr.write(`${this.nodes.map((node) => node.tail()).join("\n")}\n`);
    });
  }

  /** The nodes that run. */
  get running(): readonly NodeProcess[] {
    return this.nodes.filter((node) => node.exit === null);
  }

  /** Starts `count` nodes: the first founds, the others know it. Resolves once all shards are fully replicated. */
  async start(count: number, flags: Readonly<Record<string, string>> = {}): Promise<readonly NodeProcess[]> {
    const founder = this.launch(flags);
    await founder.untilReady();
    const others = Array.from({ length: count - 1 }, () =>
      this.launch({ seed: founder.ready.cluster, ...flags }),
    );
    await Promise.all(others.map((node) => node.untilReady()));
    await this.untilSettled();
    return this.nodes;
  }

  /** Starts one more node that knows a running one. Resolves once it is a member. */
  async add(flags: Readonly<Record<string, string>> = {}): Promise<NodeProcess> {
    const [known] = this.running;
    if (known === undefined) throw new Error("no node runs");
    const node = this.launch({ seed: known.ready.cluster, ...flags });
    await node.untilReady();
    return node;
  }

  /** Starts a process without waiting for it. */
  launch(
    flags: Readonly<Record<string, string>> = {},
    extra: readonly string[] = [],
    via: readonly string[] = [],
  ): NodeProcess {
    const node = new NodeProcess(`node ${this.nodes.length + 1}`, flags, extra, via);
    this.nodes.push(node);
    return node;
  }

  /** One running node's view of the cluster. */
  async status(): Promise<ClusterStatus> {
    const [node] = this.running;
    if (node === undefined) throw new Error("no node runs");
    return await node.status();
  }

  /**
   * Resolves once every running node is a live member, no other is counted on, and every shard has a leader, the full
   * number of voters, all of them running and as planned, no learner and no joint configuration.
   */
  async untilSettled(limitMs = 60_000): Promise<ClusterStatus> {
    return await waitUntil("every shard has its voters on running nodes and a leader", limitMs, async () => {
      const status = await this.status();
      const unsettled = unsettledReason(status, this.running);
      if (unsettled !== null) throw new Error(unsettled);
      return status;
    });
  }

  /** Resolves once the number of shards led differs by at most one between the nodes. */
  async untilBalanced(limitMs = 30_000): Promise<ClusterStatus> {
    return await waitUntil("leaders are spread within one of even", limitMs, async () => {
      const status = await this.status();
      const counts = leaderCounts(status, this.running);
      if (Math.max(...counts) - Math.min(...counts) > 1) throw new Error(`leaders: ${counts.join(", ")}`);
      return status;
    });
  }

  async #stop(): Promise<void> {
    await Promise.all(this.running.map((node) => node.kill()));
  }
}

/** Why the cluster is not at rest on exactly the `running` nodes; null when it is. */
export function unsettledReason(status: ClusterStatus, running: readonly NodeProcess[]): string | null {
  const ids = running.map((node) => node.ready.nodeId);
  const alive: string[] = status.members
    .filter((member) => member.state === "alive")
    .map((member) => member.nodeId);
  if (alive.length !== ids.length || !ids.every((id) => alive.includes(id)))
    return `alive: ${alive.join(" ")}`;
  const copies = Math.min(status.replicationFactor, ids.length);
  if (status.shards.length !== status.shardCount) return `${status.shards.length} shards are known`;
  for (const { shard, leader, voters, learners, joint, wanted } of status.shards) {
    const asPlanned = voters.length === copies && voters.every((voter) => wanted.includes(voter));
    const atRest = leader !== null && asPlanned && learners.length === 0 && !joint;
    const onRunning = voters.every((voter) => ids.includes(voter));
    if (!atRest || !onRunning) {
      return `shard ${shard}: leader ${leader}, voters ${voters}, learners ${learners}, joint ${joint}`;
    }
  }
  return null;
}

/** How many shards each of `nodes` leads. */
export function leaderCounts(status: ClusterStatus, nodes: readonly NodeProcess[]): readonly number[] {
  return nodes.map((node) => status.shards.filter((shard) => shard.leader === node.ready.nodeId).length);
}
