/**
 * A node on each of several hosts, all named by one list of seeds.
 */
import { TestCluster } from "../integration/harness.ts";
import type { NodeProcess } from "../integration/node-process.ts";
import { Hosts } from "./hosts.ts";

const CLUSTER_PORT = 7946;

export class HostFleet {
  readonly hosts: Hosts;
  readonly cluster: TestCluster;
  readonly #flags: Readonly<Record<string, string>>;
  readonly #nodes = new Map<number, NodeProcess>();

  /** Call inside a test. `flags` are for every node. */
  constructor(hostCount: number, flags: Readonly<Record<string, string>> = {}) {
    // Made first, so that the nodes end before their machines.
    this.hosts = new Hosts(hostCount);
    this.cluster = new TestCluster();
    this.#flags = flags;
  }

  /** Starts a node on each host, all of them seeds of all; resolves once every shard has its replicas. */
  static async start(
    hostCount: number,
    flags: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly fleet: HostFleet; readonly nodes: readonly NodeProcess[] }> {
    const fleet = new HostFleet(hostCount, flags);
    const all = Array.from({ length: hostCount }, (_, host) => host);
    const nodes = all.map((host) => fleet.launch(host, { seed: fleet.seeds(all) }));
    await Promise.all(nodes.map((node) => node.untilReady()));
    await fleet.cluster.untilSettled();
    await fleet.cluster.untilBalanced();
    return { fleet, nodes };
  }

  seeds(hosts: readonly number[]): string {
    return hosts.map((host) => `${this.hosts.address(host)}:${CLUSTER_PORT}`).join(",");
  }

  /** Starts a node on `host` without waiting for it. */
  launch(host: number, flags: Readonly<Record<string, string>>): NodeProcess {
    const here = { host: this.hosts.address(host), port: String(CLUSTER_PORT) };
    const node = this.cluster.launch(
      { ...here, ...this.#flags, ...flags },
      ["--insecure"],
      this.hosts.via(host),
    );
    this.#nodes.set(host, node);
    return node;
  }

  node(host: number): NodeProcess {
    const node = this.#nodes.get(host);
    if (node === undefined) throw new Error(`no node was started on host ${host}`);
    return node;
  }
}
