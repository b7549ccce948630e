/**
 * Large values: one client stores them, another one reads them, each one after the other, as fast as it is answered or a few times a second, at
 * the same node at which others read small ones.
 */
import type { CremaCluster } from "../clusters/crema.ts";
import { DEFAULT_DATA, type RespWork } from "../job.ts";
import { waitUntil } from "../wait-until.ts";
import { BackgroundLoad } from "./background-load.ts";
import type { Disturbance, DisturbanceKind, Evidence } from "./disturbance.ts";

const MEBIBYTE = 1_024 ** 2;
/** Far from the small keys; more than one shard, few enough to be held by three nodes and two clients. */
const KEYS = Object.freeze({ firstKey: 500_000_000, keys: 5 });
const BEGUN_WITHIN_MS = 30_000;

/** `perSecond`: of each client; null: as many as are answered. */
interface Transferred {
  readonly valueBytes: number;
  readonly perSecond: number | null;
}

export const TRANSFERS: readonly DisturbanceKind[] = [
  transferOf({ valueBytes: MEBIBYTE, perSecond: 1 }),
  transferOf({ valueBytes: MEBIBYTE, perSecond: 8 }),
  transferOf({ valueBytes: 8 * MEBIBYTE, perSecond: 1 }),
  transferOf({ valueBytes: MEBIBYTE, perSecond: null }),
  transferOf({ valueBytes: 8 * MEBIBYTE, perSecond: null }),
];

function transferOf(transferred: Transferred): DisturbanceKind {
  const { valueBytes, perSecond } = transferred;
  return {
    name: `values of ${valueBytes / MEBIBYTE} MiB, ${perSecond === null ? "one after the other" : `${perSecond} a second`}`,
    durable: false,
    flags: {},
    data: DEFAULT_DATA,
    create: async (cluster: CremaCluster) => {
      const ports = cluster.ports.slice(0, 1);
      const start = (what: string, command: RespWork["command"]) =>
        BackgroundLoad.start(`the client that ${what} large values`, workOf(command, transferred), ports);
      const writer = await start("stores", "SET");
      try {
        return new Transfer(cluster, writer, await start("reads", "GET"), valueBytes);
      } catch (error) {
        writer.close();
        throw error;
      }
    },
  };
}

function workOf(command: RespWork["command"], { valueBytes, perSecond }: Transferred): RespWork {
  return {
    type: "resp",
    command,
    connections: 1,
    pipeline: 1,
    waitForReplica: "no",
    readOnly: false,
    perSecond,
    data: { ...KEYS, valueBytes },
  };
}

class Transfer implements Disturbance {
  readonly #cluster: CremaCluster;
  readonly #writer: BackgroundLoad;
  readonly #reader: BackgroundLoad;
  readonly #valueBytes: number;

  constructor(cluster: CremaCluster, writer: BackgroundLoad, reader: BackgroundLoad, valueBytes: number) {
    this.#cluster = cluster;
    this.#writer = writer;
    this.#reader = reader;
    this.#valueBytes = valueBytes;
  }

  get pids(): readonly number[] {
    return [this.#writer.pid, this.#reader.pid];
  }

  /** Bytes of the Redis door, of which small values are next to nothing. */
  async evidence(): Promise<Evidence> {
    const [node] = this.#cluster.nodes;
    if (node === undefined) throw new Error("no node runs");
    const metric = await node.metrics();
    return {
      "MiB stored": metric("crema_resp_read_bytes_total") / MEBIBYTE,
      "MiB read": metric("crema_resp_written_bytes_total") / MEBIBYTE,
    };
  }

  async prepare(): Promise<void> {
    const before = await this.evidence();
    this.#writer.begin();
    // All of them once, so that there is something to read.
    await this.#until("MiB stored", before, KEYS.keys + 1);
    this.#reader.begin();
    await this.#until("MiB read", before, 1);
  }

  async run(seconds: number): Promise<void> {
    await Promise.all([this.#writer.last(seconds), this.#reader.last(seconds)]);
  }

  async settle(): Promise<void> {
    await this.#reader.end();
    await this.#writer.end();
  }

  async close(): Promise<void> {
    this.#writer.close();
    this.#reader.close();
  }

  /** So many large values have passed since. */
  async #until(what: string, before: Evidence, values: number): Promise<void> {
    const wanted = (before[what] ?? 0) + (values * this.#valueBytes) / MEBIBYTE;
    await waitUntil(`large values pass (${what})`, BEGUN_WITHIN_MS, async () => {
      const now = (await this.evidence())[what] ?? 0;
      return now >= wanted ? null : `${now.toFixed(0)} of ${wanted.toFixed(0)}`;
    });
  }
}
