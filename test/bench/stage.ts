/**
 * The clusters that run now, and their data. Whatever stood on it is gone when it is closed.
 */
import { startBare } from "./clusters/bare.ts";
import type { Cluster, ClusterKind } from "./clusters/cluster.ts";
import { startCrema } from "./clusters/crema.ts";
import { startEmbedded, startMap } from "./clusters/embedded.ts";
import { startEtcd } from "./clusters/etcd.ts";
import { startRedis } from "./clusters/redis.ts";
import { DEFAULT_DATA } from "./job.ts";
import { type Programs, pathOf } from "./programs.ts";
import type { Side } from "./rows.ts";
import { TemporaryDirectory } from "./temporary-directory.ts";
import { WorkerProcess } from "./worker-process.ts";

/** Larger values are stored one by one on each connection. */
const PREFILL_PIPELINED_BYTES_MAX = 1024;
const SHAPE = { nodes: 3, shards: 16 };

/** A cluster on the stage, with the process that makes its load and the keys stored. */
export interface Performer {
  readonly cluster: Cluster;
  readonly worker: WorkerProcess;
  readonly close: () => Promise<void>;
}

export class Stage {
  readonly #programs: Programs;
  readonly #profileDirectory: string | null;
  readonly #running = new Map<ClusterKind, Performer>();

  constructor(programs: Programs, profileDirectory: string | null) {
    this.#programs = programs;
    this.#profileDirectory = profileDirectory;
  }

  /** All processes on the stage. */
  get pids(): readonly number[] {
    return [...this.#running.values()].flatMap(({ cluster, worker }) => [...cluster.pids, worker.pid]);
  }

  /** Throws when a server on the stage has ended. */
  expectRunning(): void {
    for (const { cluster } of this.#running.values()) cluster.expectRunning();
  }

  /** Ends all clusters but those of `sides`, and starts what is missing of them. Their keys are stored. */
  async set(sides: readonly Side[]): Promise<readonly Performer[]> {
    const wanted = sides.map(({ cluster }) => cluster);
    for (const [kind, performer] of [...this.#running]) {
      if (wanted.includes(kind)) continue;
      this.#running.delete(kind);
      await performer.close();
    }
    const performers: Performer[] = [];
    for (const side of sides) {
      const performer = this.#running.get(side.cluster) ?? (await this.#enter(side));
      this.#running.set(side.cluster, performer);
      performers.push(performer);
    }
    return performers;
  }

  async close(): Promise<void> {
    await this.set([]);
  }

  async #enter({ cluster: kind, work }: Side): Promise<Performer> {
    const directory = new TemporaryDirectory();
    const cluster = await this.#start(kind, directory.path);
    const close = async () => {
      await cluster.close();
      directory.remove();
    };
    try {
      const worker =
        cluster.inside ?? (await WorkerProcess.start(`the load of ${kind}`, "./load/load-main.js"));
      const closeBoth = async () => {
        worker.close();
        await close();
      };
      const performer = { cluster, worker, close: closeBoth };
      // From here on it is closed with the stage.
      this.#running.set(kind, performer);
      await worker.prefill(prefillWork(work), cluster.ports);
      return performer;
    } catch (error) {
      if (!this.#running.has(kind)) await close();
      throw error;
    }
  }

  #start(kind: ClusterKind, directory: string): Promise<Cluster> {
    const { etcd, redis } = this.#programs;
    const profileDirectory = this.#profileDirectory;
    switch (kind) {
      case "crema":
        return startCrema({ ...SHAPE, dataDirectory: null, profileDirectory });
      case "crema-durable":
        return startCrema({ ...SHAPE, dataDirectory: directory, profileDirectory });
      case "etcd":
        return startEtcd(pathOf(etcd), directory);
      case "redis":
        return startRedis(pathOf(redis), directory, { durable: false, replicas: 2 });
      case "redis-durable":
        return startRedis(pathOf(redis), directory, { durable: true, replicas: 2 });
      case "bare":
        return startBare(SHAPE.nodes, null);
      case "bare-durable":
        return startBare(SHAPE.nodes, directory);
      case "bare-one":
        return startBare(1, null);
      case "embedded-one":
        return startEmbedded(1);
      case "embedded-three":
        return startEmbedded(3);
      case "map":
        return startMap();
    }
  }
}

/** What stores every key, in the protocol of `work`. */
export function prefillWork(work: Side["work"]): Side["work"] {
  if (work.type === "etcd" || work.type === "embedded") return work;
  const data = work.type === "resp" ? work.data : DEFAULT_DATA;
  const small = data.valueBytes <= PREFILL_PIPELINED_BYTES_MAX;
  const pipeline = [50, 32].find((commands) => small && data.keys % commands === 0) ?? 1;
  return {
    type: "resp",
    command: "SET",
    connections: 4,
    pipeline,
    waitForReplica: "no",
    readOnly: false,
    perSecond: null,
    data,
  };
}
