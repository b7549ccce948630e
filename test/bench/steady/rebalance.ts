/**
 * A rebalance there and back: a fourth node, already a member, is given its share of the shards; then it leaves and the others
 * take them back. Until the window opens rebalancing is paused, so that the start of a process is not what is measured.
 */
import type { CremaCluster } from "../clusters/crema.ts";
import { CremaProcess } from "../clusters/crema-process.ts";
import { missingToSettle } from "../clusters/settled.ts";
import { waitUntil } from "../wait-until.ts";
import type { Disturbance, DisturbanceKind, Evidence } from "./disturbance.ts";

/** Some 20 MiB for each shard: more than its log keeps, so that what moves is a snapshot, as in clusters that have run for long. */
const DATA = Object.freeze({ firstKey: 0, keys: 320_000, valueBytes: 1_024 });
/** It may take its time to leave. */
const GUEST_FLAGS = Object.freeze({ "drain-timeout": "100s" });
const JOINED_WITHIN_MS = 30_000;
const MOVED_WITHIN_MS = 120_000;
const ENDED_WITHIN_MS = 30_000;

export const REBALANCE: DisturbanceKind = Object.freeze({
  name: "rebalance",
  durable: false,
  flags: {},
  data: DATA,
  create: async (cluster: CremaCluster) => new Rebalance(cluster),
});

class Rebalance implements Disturbance {
  readonly #cluster: CremaCluster;
  readonly #first: CremaProcess;
  readonly #closing = new AbortController();
  #guest: CremaProcess | null = null;

  constructor(cluster: CremaCluster) {
    const [first] = cluster.nodes;
    if (first === undefined) throw new Error("no node runs");
    this.#cluster = cluster;
    this.#first = first;
  }

  /** The guest ends by itself while it runs. */
  get pids(): readonly number[] {
    return this.#guest?.server.isRunning ? [this.#guest.server.pid] : [];
  }

  async evidence(): Promise<Evidence> {
    const pages = await Promise.all(this.#cluster.nodes.map((node) => node.metrics()));
    const [first] = pages;
    const sent = pages.reduce((sum, metric) => sum + metric("crema_snapshot_bytes_sent_total"), 0);
    return {
      "shard moves": first?.("crema_shard_moves_total") ?? 0,
      "MiB of snapshots": sent / 1_024 ** 2,
    };
  }

  async prepare(): Promise<void> {
    await this.#first.order("/rebalance/pause");
    const guest = new CremaProcess("node 4", {
      ...GUEST_FLAGS,
      seed: this.#first.ready.cluster,
    });
    this.#guest = guest;
    await guest.untilReady();
    await waitUntil("node 4 is a member", JOINED_WITHIN_MS, async () => {
      const { nodes, paused } = await this.#first.rebalanceStatus();
      return nodes.length === this.#cluster.nodes.length + 1 && paused ? null : `${nodes.length} members`;
    });
  }

  /** Until it is over, however long that takes. */
  async run(): Promise<void> {
    const residents = this.#cluster.nodes.length;
    await this.#first.order("/rebalance/resume");
    await this.#untilBalanced(residents + 1);
    await this.#guest?.order("/admin/leave");
    await this.#untilBalanced(residents);
  }

  async settle(): Promise<void> {
    await waitUntil("node 4 has ended", ENDED_WITHIN_MS, () =>
      this.#guest?.server.isRunning ? "it still runs" : null,
    );
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#guest?.server.kill();
  }

  async #untilBalanced(members: number): Promise<void> {
    const missing = async () => {
      const { nodes, moves } = await this.#first.rebalanceStatus();
      if (nodes.length !== members) return `${nodes.length} members`;
      if (moves.length > 0) return `${moves.length} shards are on their way`;
      return missingToSettle(await this.#first.status(), members);
    };
    const claim = `all shards are where ${members} members should have them`;
    await waitUntil(claim, MOVED_WITHIN_MS, missing, this.#closing.signal);
  }
}
