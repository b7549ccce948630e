/**
 * From a file into a cluster: block by block through the door that all writes take, a few at a time.
 *
 * Nothing is assumed about the cluster's shards: the node that takes a block puts each key where it belongs now. A
 * block may be sent twice, so a failure of the moment is met by sending it again.
 */
import { AnswerRefused, NodeUnreachable } from "../operator/answer-refused.ts";
import type { ClusterHttp, PutBackAnswer } from "../operator/cluster-http.ts";
import { readBackupFile } from "./backup-file.ts";
import { retried } from "./retries.ts";

/** Blocks under way. Measured: one alone is slower by a third, eight are no faster; each is held in the node's memory. */
const BLOCKS_IN_FLIGHT = 4;
export interface RestoreOptions {
  readonly clusterId: string;
  readonly existing: "skip" | "overwrite";
  /** Times to live go on from where they were, as if no time had passed since the backup. */
  readonly keepTtl: boolean;
}

/** One restore under way; its fields tell how far it is. */
export class RestoreRun {
  readonly #cluster: ClusterHttp;
  readonly #options: RestoreOptions;
  readonly #inFlight = new Set<Promise<void>>();
  #failure: Error | null = null;
  shardsDone = 0;
  written = 0;
  skipped = 0;
  expired = 0;
  /** Of the file, sent. */
  bytes = 0;

  constructor(cluster: ClusterHttp, options: RestoreOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /** Keys whose fate is known. */
  get keys(): number {
    return this.written + this.skipped + this.expired;
  }

  /** Puts everything back. Throws what stopped it; what was written until then stays. */
  async run(path: string): Promise<void> {
    let takenAtMs = 0;
    try {
      await readBackupFile(path, false, async ({ frame, bytes }) => {
        if (frame?.type === "begin") takenAtMs = frame.takenAtMs;
        if (frame?.type === "shard-end") this.shardsDone++;
        if (frame?.type === "block") await this.#start(bytes, takenAtMs);
      });
    } finally {
      await Promise.all(this.#inFlight);
    }
    if (this.#failure !== null) throw this.#failure;
  }

  /** Sends `block` once there is room for it. */
  async #start(block: Uint8Array, takenAtMs: number): Promise<void> {
    while (this.#inFlight.size >= BLOCKS_IN_FLIGHT) await Promise.race(this.#inFlight);
    if (this.#failure !== null) throw this.#failure;
    const sending = this.#send(block, takenAtMs)
      .catch((error: unknown) => {
        this.#failure ??= error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => this.#inFlight.delete(sending));
    this.#inFlight.add(sending);
  }

  async #send(block: Uint8Array, takenAtMs: number): Promise<void> {
    const { clusterId, existing } = this.#options;
    const answer = await retried(
      () => this.#cluster.putBack(block, { clusterId, existing, elapsedMs: this.#elapsedMs(takenAtMs) }),
      (error) => this.#failure === null && mayPass(error),
    );
    this.#count(block, answer);
  }

  #count(block: Uint8Array, { written, skipped, expired }: PutBackAnswer): void {
    this.written += written;
    this.skipped += skipped;
    this.expired += expired;
    this.bytes += block.length;
  }

  #elapsedMs(takenAtMs: number): number {
    return this.#options.keepTtl ? 0 : Math.max(0, Math.floor(Date.now() - takenAtMs));
  }
}

function mayPass(error: unknown): boolean {
  return error instanceof NodeUnreachable || (error instanceof AnswerRefused && error.retryable);
}

/** What stopped a restore, and how to go on. */
export function stoppedText(error: Error, run: RestoreRun, keysExpected: number): string {
  const code = error instanceof AnswerRefused ? error.code : undefined;
  const what = code === "CLUSTER_FULL" ? `the cluster is full: ${error.message}` : error.message;
  const so = `stopped after ${run.keys} of ${keysExpected} keys; what was restored stays.`;
  return `${what}\n${so} Run it again with --merge to go on: keys that are there are left alone.`;
}
