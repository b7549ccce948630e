/**
 * Checkpoints, one after the other: the nodes take one of each shard a second while anything is written, and a few writes a second see to
 * that. Without them nothing is due, so quiet is quiet on the same nodes.
 */
import type { CremaCluster } from "../clusters/crema.ts";
import type { RespWork } from "../job.ts";
import { waitUntil } from "../wait-until.ts";
import { BackgroundLoad } from "./background-load.ts";
import type { Disturbance, DisturbanceKind, Evidence } from "./disturbance.ts";

const DATA = Object.freeze({ firstKey: 0, keys: 200_000, valueBytes: 64 });
/** Every shard gets some. */
const WRITES_PER_SECOND = 200;
const BEGUN_WITHIN_MS = 30_000;
const STILL_WITHIN_MS = 60_000;
/** Longer than the time between two checkpoints of a shard. */
const STILL_MS = 2_000;

export const CHECKPOINTS: DisturbanceKind = Object.freeze({
  name: "checkpoints",
  durable: true,
  flags: { "checkpoint-interval": "1s" },
  data: DATA,
  create: async (cluster: CremaCluster) => new Checkpoints(cluster, await startWriter(cluster)),
});

function startWriter({ ports }: CremaCluster): Promise<BackgroundLoad> {
  const work: RespWork = {
    type: "resp",
    command: "SET",
    connections: ports.length,
    pipeline: 1,
    waitForReplica: "no",
    readOnly: false,
    perSecond: WRITES_PER_SECOND,
    data: DATA,
  };
  return BackgroundLoad.start("the writes", work, ports);
}

class Checkpoints implements Disturbance {
  readonly #cluster: CremaCluster;
  readonly #writer: BackgroundLoad;

  constructor(cluster: CremaCluster, writer: BackgroundLoad) {
    this.#cluster = cluster;
    this.#writer = writer;
  }

  get pids(): readonly number[] {
    return [this.#writer.pid];
  }

  /** Of the node that did least. */
  async evidence(): Promise<Evidence> {
    const pages = await Promise.all(this.#cluster.nodes.map((node) => node.metrics()));
    const least = (name: string) => Math.min(...pages.map((metric) => metric(name)));
    return {
      checkpoints: least("crema_checkpoints_total"),
      "MiB of slices": least("crema_checkpoint_bytes_total") / 1_024 ** 2,
    };
  }

  async prepare(): Promise<void> {
    const { checkpoints: before = 0 } = await this.evidence();
    this.#writer.begin();
    await waitUntil("every node takes checkpoints", BEGUN_WITHIN_MS, async () => {
      const { checkpoints = 0 } = await this.evidence();
      return checkpoints > before ? null : `${checkpoints} so far`;
    });
  }

  run(seconds: number): Promise<void> {
    return this.#writer.last(seconds);
  }

  async settle(): Promise<void> {
    await this.#writer.end();
    let last = -1;
    let sinceMs = 0;
    await waitUntil("no node takes checkpoints any more", STILL_WITHIN_MS, async () => {
      const pages = await Promise.all(this.#cluster.nodes.map((node) => node.metrics()));
      const taken = pages.reduce((sum, metric) => sum + metric("crema_checkpoints_total"), 0);
      if (taken !== last) sinceMs = performance.now();
      last = taken;
      return performance.now() - sinceMs >= STILL_MS ? null : `${taken} so far`;
    });
  }

  async close(): Promise<void> {
    this.#writer.close();
  }
}
